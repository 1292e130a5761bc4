"""The order that a transaction keeps: first what makes tables, then what writes rows.

Snowflake commits whatever is open when a table is made, a temporary one too. A transaction that stages rows after its
first write would be committed half there, and only there; so every warehouse refuses it.
"""

from __future__ import annotations

import re

_WRITES = frozenset({"insert", "update", "delete", "merge", "truncate", "copy"})
_MAKES = frozenset({"create", "alter", "drop"})
_COMMENTS = re.compile(r"\s*(--[^\n]*\n\s*|/\*.*?\*/\s*)*", re.DOTALL)


class Order:
    """Of one transaction; asked before each of its statements."""

    def __init__(self) -> None:
        #: Whether a row was written, so that no table can be made any more.
        self.has_written = False

    def take(self, sql: str) -> None:
        """Note what *sql* does.

        Raises:
            RuntimeError: it makes a table after the first write, which is a fault of ours.
        """
        verb = verb_of(sql)
        if verb in _MAKES and self.has_written:
            raise RuntimeError(
                f"{verb.upper()} after the first write of a transaction, which Snowflake would commit half: "
                "stage every set of rows before the first is merged"
            )
        self.has_written = self.has_written or verb in _WRITES


def verb_of(sql: str) -> str:
    """The word that a statement begins with, in lower case; comments before it do not count."""
    found = _COMMENTS.match(sql)
    words = sql[found.end() if found else 0 :].split(None, 1)
    return words[0].lower() if words else ""


def writes(sql: str) -> bool:
    """Whether *sql* writes rows."""
    return verb_of(sql) in _WRITES

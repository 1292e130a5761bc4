"""The order of statements in a transaction: first those that create tables, then those that write rows.

Snowflake commits an open transaction when a table is created, even a temporary table. A transaction that stages rows
after its first write would be committed half-way, and only on Snowflake; so every warehouse rejects it.
"""

from __future__ import annotations

import re

_WRITES = frozenset({"insert", "update", "delete", "merge", "truncate", "copy"})
_MAKES = frozenset({"create", "alter", "drop"})
_COMMENTS = re.compile(r"\s*(--[^\n]*\n\s*|/\*.*?\*/\s*)*", re.DOTALL)


class Order:
    """The order of one transaction; called before each of its statements."""

    def __init__(self) -> None:
        #: Whether a row was written, after which no table can be created.
        self.has_written = False

    def take(self, sql: str) -> None:
        """Check and record the kind of *sql*.

        Raises:
            RuntimeError: *sql* creates a table after the first write, which is a bug in this code.
        """
        verb = verb_of(sql)
        if verb in _MAKES and self.has_written:
            raise RuntimeError(
                f"{verb.upper()} after the first write of a transaction, which Snowflake would commit half: "
                "stage every set of rows before the first is merged"
            )
        self.has_written = self.has_written or verb in _WRITES


def verb_of(sql: str) -> str:
    """The first word of a statement after any comments, in lower case."""
    comments = _COMMENTS.match(sql)
    words = sql[comments.end() if comments else 0 :].split(None, 1)
    return words[0].lower() if words else ""


def writes(sql: str) -> bool:
    """Whether *sql* writes rows."""
    return verb_of(sql) in _WRITES

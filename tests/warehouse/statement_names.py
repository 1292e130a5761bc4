"""Names for the statements that are sent to Snowflake: the file of each in ``golden/``."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping

from hnintel.warehouse.statements import FOLDER

#: The verb of a statement, and the table, view or schema that it names first.
_VERB = re.compile(
    r"^(?:CREATE OR REPLACE TEMPORARY TABLE|[A-Z]+(?: (?:TABLE|VIEW|SCHEMA|TEMP STAGE|SESSION|INTO)\b)?)"
)
_OBJECT = re.compile(
    r"\b(?:raw|enriched|ops|marts|information_schema)\.\w+|\b(?:pending|digested|asked|counted|judged)\b"
)
#: Templates that are parts of other statements.
_PARTS = ("migrations/", "warehouse/duckdb/", "enrich/inputs/")
_WORD = re.compile(r"[a-z]\w{3,}")


def named(enrichments: Mapping[str, str]) -> dict[str, str]:
    """Return the statements by name: the template or the verb, and a distinguishing word if several share that.

    Args:
        enrichments: for each statement, the enrichment that it was first sent for, or an empty text.
    """
    templates = list(_templates())
    names = {sql: _base_name(sql, templates) for sql in enrichments}
    shared = Counter(names.values())
    groups: dict[str, list[str]] = {}
    for sql, name in names.items():
        subject = (_subject(sql) or enrichments[sql]) if shared[name] > 1 else ""
        groups.setdefault(f"{name}-{subject}" if subject and not name.endswith(subject) else name, []).append(sql)
    by_name = {_within(group, name, sql): sql for name, group in groups.items() for sql in group}
    assert len(by_name) == len(enrichments), "two statements have one name"
    place = {sql: number for number, sql in enumerate(enrichments)}
    return dict(sorted(by_name.items(), key=lambda entry: place[entry[1]]))


def _within(group: list[str], name: str, sql: str) -> str:
    """Return *name* with the first word that is unique in the group, else with the statement's position."""
    if len(group) == 1:
        return name
    words = [set(_WORD.findall(other.lower())) for other in group if other != sql]
    for word in _WORD.findall(sql.lower()):
        if not any(word in others for others in words):
            return f"{name}-{word}"
    return f"{name}-{group.index(sql) + 1}"


def _templates() -> Iterator[tuple[str, str]]:
    """Return each SQL template's name, with its first line that has no Jinja and is long enough to identify it."""
    for path in sorted(FOLDER.rglob("*.sql")):
        name = path.relative_to(FOLDER).with_suffix("").as_posix()
        if name.startswith(_PARTS):
            continue
        for line in path.read_text(encoding="utf-8").splitlines():
            if len(line.strip()) > 40 and not re.search(r"\{[{%#]", line):
                yield name.replace("/", "-"), line.rstrip()
                break


def _base_name(sql: str, templates: list[tuple[str, str]]) -> str:
    lines = set(sql.splitlines())
    for name, line in templates:
        if line in lines:
            return name
    text = re.sub(r"--[^\n]*|/\*.*?\*/", "", sql).strip()
    verb = _VERB.match(text)
    words = verb[0].lower().replace("create or replace temporary", "temporary").split() if verb else ["part"]
    first = _OBJECT.search(text) or re.search(r"\b(?:incoming_\w+|ops|raw|enriched)\b", text)
    return "-".join([*words, *([first[0].replace(".", "_")] if first else [])])


def _subject(sql: str) -> str:
    """Return the enrichment or the table that a statement names first, or an empty text."""
    first = re.search(r"\benriched\.(\w+)", sql) or re.search(r"\b(?:raw|ops)\.(\w+)", sql)
    return first[1] if first else ""

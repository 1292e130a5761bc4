"""What the code does to which schema, read from its SQL files and from the statements inside its modules."""

from __future__ import annotations

import re

from tests.conftest import ROOT

SCHEMAS = ("raw", "enriched", "ops", "marts", "staging")
#: What a verb takes; ALTER TABLE and replacing a view take OWNERSHIP.
_VERBS = {
    r"FROM|JOIN": ("SELECT",),
    r"INSERT INTO": ("INSERT",),
    r"UPDATE": ("UPDATE",),
    r"DELETE FROM": ("DELETE",),
    r"MERGE INTO": ("SELECT", "INSERT", "UPDATE"),
    r"ALTER TABLE": ("OWNERSHIP",),
    r"CREATE TABLE(?: IF NOT EXISTS)?": ("CREATE TABLE",),
    r"CREATE OR REPLACE VIEW": ("CREATE VIEW", "OWNERSHIP"),
}
#: An enrichment's table, as statements have it that are made for any.
_OF_AN_ENRICHMENT = r"\{\{ table \}\}|\{(?:one|enrichment|self\._enrichment)\.table\}"
#: Whose {{ table }} is any table: the one that rows were staged for.
_ANY = {"merge_rows.sql"}


def sent(of: str = "") -> set[tuple[str, str]]:
    """(privilege, schema) of every statement that is found, in files with *of* in their path."""
    found = set()
    files = [*(ROOT / "hnintel").rglob("*.sql"), *(ROOT / "hnintel").rglob("*.py")]
    for path in (one for one in files if "doctor" not in one.parts and of in str(one.relative_to(ROOT))):
        text = re.sub(r"--[^\n]*", "", path.read_text(encoding="utf-8"))
        for verb, privileges in _VERBS.items():
            for schema in re.findall(rf"\b(?:{verb})\s+({'|'.join(SCHEMAS)})\.\w", text):
                found |= {(privilege, schema) for privilege in privileges}
            if path.name not in _ANY and re.search(rf"\b(?:{verb})\s+(?:{_OF_AN_ENRICHMENT})", text):
                found |= {(privilege, "enriched") for privilege in privileges}
        for schema in re.findall(rf"\.stage\(\s*\"({'|'.join(SCHEMAS)})\.\w+\"", text):
            found |= {(privilege, schema) for privilege in _VERBS["MERGE INTO"]}
    return found

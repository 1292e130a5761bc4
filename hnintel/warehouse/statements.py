"""SQL files: one statement a file, Jinja for structure, bound parameters for every value."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import jinja2

from hnintel.errors import DeclarationError
from hnintel.warehouse.base import Session

FOLDER = Path(__file__).resolve().parent.parent / "sql"


def literal(value: object) -> str:
    """*value* as a SQL literal that both engines read alike: text, numbers, booleans, NULL, lists and objects.

    Raises:
        DeclarationError: text with a backslash, which Snowflake reads as an escape and DuckDB does not.
    """
    if value is None:
        return "NULL"
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, str):
        if "\\" in value:
            raise DeclarationError(f"a backslash in {value[:60]!r}: the two engines read it differently; leave it out")
        return "'" + value.replace("'", "''") + "'"
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{literal(str(key))}: {literal(item)}" for key, item in value.items()) + "}"
    if isinstance(value, Sequence):
        return "[" + ", ".join(literal(item) for item in value) + "]"
    raise TypeError(f"no SQL literal for {type(value).__name__}")


def identifier(name: str) -> str:
    """*name*, held to what needs no quotes on either engine."""
    if not re.fullmatch(r"[a-z_][a-z0-9_]*(\.[a-z_][a-z0-9_]*)?", name):
        raise DeclarationError(f"'{name}' is no name for a table or column: use lower-case letters, digits and _")
    return name


_environment = jinja2.Environment(
    loader=jinja2.FileSystemLoader(FOLDER),
    undefined=jinja2.StrictUndefined,
    autoescape=False,  # noqa: S701 - SQL, not HTML: structure goes through `identifier` and `literal`
    trim_blocks=True,
    lstrip_blocks=True,
)
_environment.filters.update(literal=literal, identifier=identifier)


def statement(name: str, **structure: Any) -> str:
    """The statement of ``sql/<name>.sql`` with its structure filled in."""
    return _environment.get_template(f"{name}.sql").render(**structure)


def render(text: str, **structure: Any) -> str:
    """The same for a text that is not a file: the call of an enrichment.

    Raises:
        DeclarationError: the template is wrong, or names what there is not.
    """
    try:
        return _environment.from_string(text).render(**structure)
    except jinja2.TemplateError as error:
        raise DeclarationError(f"the call cannot be filled in: {error}") from None


def statements(script: str) -> list[str]:
    """The statements of a script, comments taken out; for our own files only (no ';' or '--' inside literals)."""
    bare = re.sub(r"--[^\n]*", "", script)
    return [part.strip() for part in bare.split(";") if part.strip()]


def merge_rows(
    session: Session,
    table: str,
    rows: Sequence[Mapping[str, Any]],
    keys: Sequence[str] = ("id",),
    differs: str | None = None,
    keep_when: str | None = None,
    keep_existing: str | None = None,
) -> tuple[int, int]:
    """Upsert *rows* into *table*: one bulk load, one MERGE.

    Args:
        session: the transaction it is part of.
        table: the schema-qualified target.
        rows: all with the same columns.
        keys: the columns that make a row the same row.
        differs: a column; a matched row is rewritten only where it differs (default: always).
        keep_when: a condition on the incoming row under which a row that is there stays as it is.
        keep_existing: the same, on the row that is there.

    Returns:
        How many rows were inserted, and how many rewritten.
    """
    if not rows:
        return 0, 0
    session.stage(table, rows)
    conditions = [f"t.{differs} <> s.{differs}"] if differs else []
    conditions += [f"NOT s.{keep_when}"] if keep_when else []
    conditions += [f"NOT t.{keep_existing}"] if keep_existing else []
    return session.merge(
        statement("merge_rows", table=table, keys=keys, columns=list(rows[0]), rewrite_when=" AND ".join(conditions))
    )

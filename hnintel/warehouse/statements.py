"""SQL files: one statement per file, Jinja for structure, bound parameters for every value."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import duckdb
import jinja2
import jinja2.meta

from hnintel.engines.base import TEXT_CLOSES, TEXT_OPENS
from hnintel.errors import DeclarationError, first_line
from hnintel.warehouse.base import Session, Staged

FOLDER = Path(__file__).resolve().parent.parent / "sql"
#: Characters per token; English prose has about four, so an estimate is rather too high than too low.
CHARS_PER_TOKEN = 3.5
#: The model whose tokens count for a text sent to no named model. Snowflake counts tokens for it in every region.
_COUNTING_MODEL = "llama3.3-70b"

#: Words that cannot name a table or column without quotes, on DuckDB or on Snowflake.
RESERVED = frozenset(
    "account all alter analyse analyze and anti any array as asc asof asymmetric at authorization between binary "
    "both by case cast check collate collation column concurrently connect connection constraint create cross "
    "current current_catalog current_date current_role current_time current_timestamp current_user database "
    "default deferrable delete desc describe distinct do drop else end except exists false fetch following for "
    "foreign freeze from full generated glob grant group gscluster having ilike in increment initially inner "
    "insert intersect into is isnull issue join lambda lateral leading left like limit localtime localtimestamp "
    "map minus natural not notnull null of offset on only or order organization outer overlaps pivot pivot_longer "
    "pivot_wider placing positional primary qualify references regexp returning revoke right rlike row rows sample "
    "schema select semi session_user set show similar some start struct summarize symmetric table tablesample then "
    "to trailing trigger true try_cast union unique unpack unpivot update user using values variadic verbose view "
    "when whenever where window with".split()
)


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
    """*name*, checked to need no quotes on either warehouse.

    Raises:
        DeclarationError: the name needs quotes, or is a reserved word.
    """
    if not re.fullmatch(r"[a-z_][a-z0-9_]*(\.[a-z_][a-z0-9_]*)?", name):
        raise DeclarationError(f"'{name}' cannot name a table or column: use lower-case letters, digits and _")
    if not RESERVED.isdisjoint(name.split(".")):
        raise DeclarationError(f"'{name}' is a reserved word of SQL: choose another name")
    return name


def fenced(expression: str) -> str:
    """A text expression between ``<text>`` and ``</text>`` that cannot close its own fence."""
    # A space replaces a fence: with nothing, the text on both sides of it could join into another fence.
    bare = f"replace(replace({expression}, {literal(TEXT_OPENS)}, ' '), {literal(TEXT_CLOSES)}, ' ')"
    return f"{literal(TEXT_OPENS)} || {bare} || {literal(TEXT_CLOSES)}"


def tokens(text: str, model: str = "") -> str:
    """An expression: the number of tokens of a text expression for *model*, by default for a common model.

    Snowflake requires a model, and returns NULL where it cannot count for it; then the length gives an estimate.
    """
    return _or_by_length(f"AI_COUNT_TOKENS('ai_complete', {literal(model or _COUNTING_MODEL)}, {text})", text)


def label_tokens(text: str, labels: Sequence[Mapping[str, str]]) -> str:
    """The same for the input of ``AI_CLASSIFY``: a text expression, with the labels after every text."""
    read = len(literal(labels))
    return _or_by_length(f"AI_COUNT_TOKENS('ai_classify', {text}, {literal(labels)})", text, read)


def _or_by_length(counted: str, text: str, more: int = 0) -> str:
    length = f"length({text}) + {more}" if more else f"length({text})"
    return f"coalesce({counted}, CAST(ceil(({length}) / {CHARS_PER_TOKEN}) AS BIGINT))"


_environment = jinja2.Environment(
    loader=jinja2.FileSystemLoader(FOLDER),
    undefined=jinja2.StrictUndefined,
    autoescape=False,  # noqa: S701 - SQL, not HTML: structure goes through `identifier` and `literal`
    trim_blocks=True,
    lstrip_blocks=True,
)
_environment.filters.update(literal=literal, identifier=identifier)
_environment.globals.update(tokens=tokens)


def statement(name: str, **structure: Any) -> str:
    """Render ``sql/<name>.sql`` with *structure*."""
    return _environment.get_template(f"{name}.sql").render(**structure)


def render(text: str, **structure: Any) -> str:
    """Render a template that is not a file: the call of an enrichment.

    Raises:
        DeclarationError: the template is invalid, or uses an undefined name.
    """
    try:
        return _template(text).render(**structure)
    except jinja2.TemplateError as error:
        raise DeclarationError(f"the call cannot be rendered: {error}") from None


@lru_cache(maxsize=256)
def _template(text: str) -> jinja2.Template:
    """The compiled template, cached: every task that asks an enrichment renders its call again."""
    return _environment.from_string(text)


@lru_cache(maxsize=256)
def names_in(text: str) -> frozenset[str]:
    """The names used by a template that is not a file; empty if it is invalid, for which `render` raises an error."""
    try:
        return frozenset(jinja2.meta.find_undeclared_variables(_environment.parse(text)))
    except jinja2.TemplateError:
        return frozenset()


def check_syntax(what: str, sql: str) -> None:
    """Raise DeclarationError where *sql*, built from *what* of a declaration, does not parse as one statement."""
    try:
        parsed = duckdb.extract_statements(sql)
        if len(parsed) == 1 and not parsed[0].named_parameters:
            return
        fault = "it is more than one statement" if len(parsed) > 1 else "nothing is bound to its ? or $"
    except duckdb.Error as error:
        fault = first_line(error)
    raise DeclarationError(f"{what} is no SQL: {fault}; mend it")


def is_one_call(sql: str) -> bool:
    """Whether the last bracket of *sql* closes its first; brackets in literals do not count."""
    bare = re.sub(r"'[^']*'", "", sql).strip()
    depth = 0
    for place, character in enumerate(bare, start=1):
        depth += (character == "(") - (character == ")")
        if character == ")" and depth <= 0:
            return place == len(bare)
    return False


def statements(script: str) -> list[str]:
    """The statements of a script without comments; for this project's files only (no ';' or '--' inside literals)."""
    bare = re.sub(r"--[^\n]*", "", script)
    return [part.strip() for part in bare.split(";") if part.strip()]


def merge_rows(
    session: Session,
    staged: Staged,
    keys: Sequence[str] = ("id",),
    differs: str | None = None,
    keep_when: str | None = None,
    keep_existing: str | None = None,
) -> tuple[int, int]:
    """Upsert *staged* rows into their table, in one MERGE.

    Args:
        session: the transaction to write in.
        staged: the result of ``session.stage``; stage all other rows of this transaction before this call.
        keys: the columns that identify a row.
        differs: a column; a matched row is rewritten only if this column differs (default: always).
        keep_when: a comparison of a column of the incoming row; where it is true, the existing row stays unchanged.
        keep_existing: the same for a column of the existing row.

    Returns:
        The numbers of rows inserted and rewritten.
    """
    if not staged.rows:
        return 0, 0
    conditions = [f"t.{differs} <> s.{differs}"] if differs else []
    conditions += [f"NOT s.{keep_when}"] if keep_when else []
    conditions += [f"NOT t.{keep_existing}"] if keep_existing else []
    return session.merge(
        statement("warehouse/merge_rows", staged=staged, keys=keys, rewrite_when=" AND ".join(conditions))
    )

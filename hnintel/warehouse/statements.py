"""SQL files: one statement a file, Jinja for structure, bound parameters for every value."""

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
#: Characters a token, on the low side for English prose (about four), so that an estimate is rather too high.
CHARS_PER_TOKEN = 3.5
#: Counts a text that goes to no model by name. It is counted with alone, which Snowflake does in every region.
_COUNTING_MODEL = "llama3.3-70b"

#: Words that name no table or column without quotes, on DuckDB or on Snowflake.
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
    """*name*, held to what needs no quotes on either engine."""
    if not re.fullmatch(r"[a-z_][a-z0-9_]*(\.[a-z_][a-z0-9_]*)?", name):
        raise DeclarationError(f"'{name}' is no name for a table or column: use lower-case letters, digits and _")
    if not RESERVED.isdisjoint(name.split(".")):
        raise DeclarationError(f"'{name}' is a word of SQL: choose another name")
    return name


def fenced(expression: str) -> str:
    """A text expression between ``<text>`` and ``</text>`` that cannot close its own fence."""
    # A space in place of a fence, not nothing: what stood around it must not grow together into another.
    bare = f"replace(replace({expression}, {literal(TEXT_OPENS)}, ' '), {literal(TEXT_CLOSES)}, ' ')"
    return f"{literal(TEXT_OPENS)} || {bare} || {literal(TEXT_CLOSES)}"


def tokens(text: str, model: str = "") -> str:
    """An expression: the tokens of a text expression as *model* has them, by default as models have them in general.

    Snowflake wants the model named, and gives NULL where it cannot count by it; then the length stands in.
    """
    return _or_by_length(f"AI_COUNT_TOKENS('ai_complete', {literal(model or _COUNTING_MODEL)}, {text})", text)


def label_tokens(text: str, labels: Sequence[Mapping[str, str]]) -> str:
    """The same for what ``AI_CLASSIFY`` reads: a text expression, and the labels behind every one."""
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
    """The statement of ``sql/<name>.sql`` with its structure filled in."""
    return _environment.get_template(f"{name}.sql").render(**structure)


def render(text: str, **structure: Any) -> str:
    """The same for a text that is not a file: the call of an enrichment.

    Raises:
        DeclarationError: the template is wrong, or names what there is not.
    """
    try:
        return _template(text).render(**structure)
    except jinja2.TemplateError as error:
        raise DeclarationError(f"the call cannot be filled in: {error}") from None


@lru_cache(maxsize=256)
def _template(text: str) -> jinja2.Template:
    """Compiled once: a call is rendered again by each task that asks it."""
    return _environment.from_string(text)


@lru_cache(maxsize=256)
def names_in(text: str) -> frozenset[str]:
    """What a text that is not a file wants filled in; none where its template is wrong, which `render` tells."""
    try:
        return frozenset(jinja2.meta.find_undeclared_variables(_environment.parse(text)))
    except jinja2.TemplateError:
        return frozenset()


def check_syntax(what: str, sql: str) -> None:
    """Raise DeclarationError where *sql*, made with *what* of a declaration, is not one statement that can be read."""
    try:
        found = duckdb.extract_statements(sql)
        if len(found) == 1 and not found[0].named_parameters:
            return
        told = "it is more than one statement" if len(found) > 1 else "nothing is bound to its ? or $"
    except duckdb.Error as error:
        told = first_line(error)
    raise DeclarationError(f"{what} is no SQL: {told}; mend it")


def is_one_call(sql: str) -> bool:
    """Whether the first bracket of *sql* is closed by its last; brackets in literals are none."""
    bare = re.sub(r"'[^']*'", "", sql).strip()
    depth = 0
    for place, character in enumerate(bare, start=1):
        depth += (character == "(") - (character == ")")
        if character == ")" and depth <= 0:
            return place == len(bare)
    return False


def statements(script: str) -> list[str]:
    """The statements of a script, comments taken out; for our own files only (no ';' or '--' inside literals)."""
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
    """Upsert what was *staged* into its table, in one MERGE.

    Args:
        session: the transaction it is part of.
        staged: what ``session.stage`` gave; everything else that this transaction stages was staged before.
        keys: the columns that make a row the same row.
        differs: a column; a matched row is rewritten only where it differs (default: always).
        keep_when: one comparison, of a column of the incoming row, under which a row that is there stays as it is.
        keep_existing: the same, of a column of the row that is there.

    Returns:
        How many rows were inserted, and how many rewritten.
    """
    if not staged.rows:
        return 0, 0
    conditions = [f"t.{differs} <> s.{differs}"] if differs else []
    conditions += [f"NOT s.{keep_when}"] if keep_when else []
    conditions += [f"NOT t.{keep_existing}"] if keep_existing else []
    return session.merge(
        statement("warehouse/merge_rows", staged=staged, keys=keys, rewrite_when=" AND ".join(conditions))
    )

"""Where fakesnow 0.12.1 does otherwise than Snowflake, one mend each, with its reason. It is about fakesnow alone."""

from __future__ import annotations

import re
from collections import Counter, deque
from functools import lru_cache, wraps
from typing import Any

import duckdb
import fakesnow.arrow
import fakesnow.cursor
import fakesnow.info_schema
import fakesnow.server
import pyarrow as pa
import pyarrow.compute as pc
from fakesnow.cursor import FakeSnowflakeCursor
from fakesnow.transforms.merge import operations
from snowflake.connector.errors import ProgrammingError
from sqlglot import Expr, exp, parse_one

from tests.snowflake_stand_in import history

#: Functions of Snowflake that DuckDB has otherwise; temporary, so that each session finds them in any schema.
MACROS = (
    # TYPEOF gives DuckDB's type of the column there; on Snowflake it is about the JSON value.
    "_sf_typeof(v) AS CASE json_type(v) WHEN 'UBIGINT' THEN 'INTEGER' WHEN 'BIGINT' THEN 'INTEGER' "
    "WHEN 'NULL' THEN 'NULL_VALUE' ELSE json_type(v) END",
    # The nulls of an ARRAY are values on Snowflake, and have a type.
    "_sf_items(v) AS list_transform(from_json(v, '[\"JSON\"]'), lambda one: coalesce(one, CAST('null' AS JSON)))",
)
#: Every statement that came in, whoever sent it.
SENT: deque[str] = deque(maxlen=5_000)
_TAG = re.compile(r"ALTER SESSION SET QUERY_TAG\b", re.IGNORECASE)
_QUOTED_STAGE = re.compile(r"""'@"([A-Z0-9_]+)"'""")
_NO_COLUMN = re.compile(r'Referenced column "([^"]+)" not found|does not have a column named "([^"]+)"')
#: How an engine that stands for Cortex says that it has no such model.
_NO_MODEL = re.compile(r"unknown model (\S+)")
_NO_TABLE = re.compile(r"Table with name (\S+) does not exist")
_PLAIN = (exp.Query, exp.Insert, exp.Update, exp.Delete, exp.Merge, exp.Create)
#: Statements whose meaning hangs on the session, or on what is bound.
_PLACED = re.compile("IDENTIFIER|INFORMATION_SCHEMA", re.IGNORECASE)
_mended = False


def mend() -> None:
    """Mend fakesnow in this process; a second call does nothing."""
    global _mended
    if _mended:
        return
    _mended = True
    # An ARRAY is told to be a VARIANT there, which no column of ours is.
    columns = fakesnow.info_schema.SQL_CREATE_GLOBAL_INFORMATION_SCHEMA_COLUMNS_VIEW
    fakesnow.info_schema.SQL_CREATE_GLOBAL_INFORMATION_SCHEMA_COLUMNS_VIEW = columns.replace("'VARIANT'", "'ARRAY'")
    fakesnow.cursor.parse_one = fakesnow.server.parse_one = _read(fakesnow.cursor.parse_one)
    fakesnow.cursor.transforms.merge = lambda expression: [expression]
    FakeSnowflakeCursor._transform = _transforming_once(FakeSnowflakeCursor._transform)
    FakeSnowflakeCursor._execute = _merging(FakeSnowflakeCursor._execute)
    FakeSnowflakeCursor.execute = _refusing(FakeSnowflakeCursor.execute)
    fakesnow.server.to_sf = _telling_arrays(fakesnow.server.to_sf)
    fakesnow.arrow.timestamp_to_sf_struct = _keeping_nulls(fakesnow.arrow.timestamp_to_sf_struct)


def _read(read: Any) -> Any:
    @lru_cache(maxsize=500)
    def read_once(command: str) -> Expr:
        # It has no tags.
        told = "SELECT 'Statement executed successfully.' AS status" if _TAG.match(command) else command
        # COPY from a stage whose name is quoted, as write_pandas sends it, is taken for a URL.
        found = read(_QUOTED_STAGE.sub(r"@\1", told)).transform(_mended_node, copy=False)
        found.meta["command"] = command
        return found

    return wraps(read)(lambda command: read_once(command).copy())


def _transforming_once(transform: Any) -> Any:
    """It goes over a statement 77 times, for what hangs on nothing but the statement."""
    done: dict[str, Expr] = {}

    @wraps(transform)
    def mended(self: FakeSnowflakeCursor, expression: Expr, params: Any) -> Expr:
        command = expression.meta.get("command")
        made = expression.kind if isinstance(expression, exp.Create) else "TABLE"
        if (
            command is None
            or made not in ("TABLE", "VIEW")
            or not isinstance(expression, _PLAIN)
            or _PLACED.search(command)
        ):
            return transform(self, expression, params)
        if command not in done:
            done[command] = transform(self, expression, params)
        return done[command]

    return mended


def _mended_node(node: Expr) -> Expr:
    if isinstance(node, exp.PropertyEQ) and isinstance(node.this, exp.Identifier):
        node.this.set("quoted", True)  # keys of object literals come out in upper case
    if isinstance(node, exp.Create):
        return _without_primary_key(_in_its_schema(node))
    if isinstance(node, exp.Typeof):
        return exp.Anonymous(this="_sf_typeof", expressions=[node.this])
    if isinstance(node, exp.Cast) and node.to.is_type("array") and not isinstance(node.this, exp.Null):
        return node.this.transform(_mended_node)  # the value is made text there before it is made an ARRAY
    if isinstance(node, exp.ArrayFilter):
        return _filtered(node)
    if isinstance(node, exp.Transform):
        return _transformed(node)
    return node


def _filtered(node: exp.ArrayFilter) -> Expr:
    return _of_items("list_filter", node)


def _transformed(node: exp.Transform) -> Expr:
    return _of_items("list_transform", node)


def _of_items(function: str, node: exp.ArrayFilter | exp.Transform) -> Expr:
    """An ARRAY is no list to FILTER and TRANSFORM there, and their function has an arrow that DuckDB takes for JSON's.

    An item is JSON, which a cast to VARCHAR would leave in its quotes.
    """
    items = exp.Anonymous(this="_sf_items", expressions=[node.this.transform(_mended_node)])
    name = node.expression.expressions[0].name
    bare = exp.Anonymous(this="json_extract_string", expressions=[exp.column(name), exp.Literal.string("$")])
    body = node.expression.this.transform(lambda part: bare.copy() if isinstance(part, exp.Cast) else part)
    given = exp.Var(this=f"lambda {name}: {body.transform(_mended_node).sql(dialect='duckdb')}")
    return exp.Anonymous(this="to_json", expressions=[exp.Anonymous(this=function, expressions=[items, given])])


def _in_its_schema(create: exp.Create) -> exp.Create:
    """A temporary table has a schema on Snowflake, and none there; dbt drops the ones it makes."""
    made = create.find(exp.Table)
    if made is not None and made.db and (properties := create.args.get("properties")):
        kept = [one for one in properties.expressions if not isinstance(one, exp.TemporaryProperty)]
        properties.set("expressions", kept)
    return create


def _without_primary_key(create: exp.Create) -> Expr:
    """PRIMARY KEY is enforced there; Snowflake only keeps it in mind."""
    for constraint in list(create.find_all(exp.PrimaryKeyColumnConstraint)):
        constraint.parent.pop()  # type: ignore[union-attr]
    for key in list(create.find_all(exp.PrimaryKey)):
        key.pop()
    return create


def _merging(execute: Any) -> Any:
    """MERGE with source columns in expressions fails there, for it is taken apart; DuckDB has one of its own."""

    @wraps(execute)
    def mended(self: FakeSnowflakeCursor, transformed: Expr, params: Any = None) -> None:
        if not isinstance(transformed, exp.Merge):
            return execute(self, transformed, params)
        sql = transformed.sql(dialect="duckdb")
        given = params if transformed.find(exp.Placeholder) else None
        done = Counter(row[0] for row in self._duck_conn.execute(f"{sql} RETURNING merge_action", given).fetchall())
        kinds = {"inserted": "INSERT", "updated": "UPDATE", "deleted": "DELETE"}
        counts = [
            f'{done[kinds[name]]} AS "number of rows {name}"'
            for name, there in operations(transformed).items()
            if there
        ]
        told = parse_one(f"SELECT {', '.join(counts)}")
        told.set("merge_counts", True)
        return execute(self, told)

    return mended


def _refusing(execute: Any) -> Any:
    """Errors are DuckDB's own there, or answers 500, which the connector asks for again until its time is up."""

    @wraps(execute)
    def mended(self: FakeSnowflakeCursor, command: str, *given: Any, **named: Any) -> Any:
        SENT.append(command)
        history.note(self._conn, command)
        try:
            return execute(self, command, *given, **named)
        except ProgrammingError as error:
            raise _as_snowflake_says(error.raw_msg or "", error) from None
        except duckdb.Error as error:
            raise _as_snowflake_says(str(error), error) from None

    return mended


def _as_snowflake_says(words: str, error: Exception) -> Exception:
    if found := _NO_COLUMN.search(words):
        name = (found[1] or found[2]).upper()
        told = f"SQL compilation error: error line 1 at position 0\ninvalid identifier '{name}'"
        return ProgrammingError(msg=told, errno=904, sqlstate="42000")
    if found := _NO_MODEL.search(words):
        told = "Request failed for external function COMPLETE$V4 with remote service error: "
        told += f"400 '\"unknown model {found[1]}\"'"
        return ProgrammingError(msg=told, errno=100351, sqlstate="P0000")
    if found := _NO_TABLE.search(words):
        told = f"SQL compilation error:\nObject '{found[1].rstrip('!')}' does not exist or not authorized."
        return ProgrammingError(msg=told, errno=2003, sqlstate="42S02")
    return error if isinstance(error, ProgrammingError) else ProgrammingError(msg=words, errno=100132, sqlstate="P0000")


def _keeping_nulls(timestamp_to_sf_struct: Any) -> Any:
    """A timestamp that is NULL comes out as the beginning of 1970 there."""

    @wraps(timestamp_to_sf_struct)
    def mended(times: Any) -> Any:
        times = times.combine_chunks() if isinstance(times, pa.ChunkedArray) else times
        made = timestamp_to_sf_struct(times)
        parts = [pc.fill_null(part, 0) for part in made.flatten()]
        return pa.StructArray.from_arrays(parts, fields=list(made.type), mask=pc.is_null(times))

    return mended


def _telling_arrays(to_sf: Any) -> Any:
    """An ARRAY comes out as a VARIANT there; a column of JSON that is all arrays is one of Snowflake's ARRAYs."""

    @wraps(to_sf)
    def mended(table: Any, rowtype: Any) -> Any:
        for column, told in zip(table.columns, rowtype, strict=True):
            if told["type"] == "variant":
                values = [value for value in column.to_pylist() if value is not None]
                if values and all(str(value).startswith("[") for value in values):
                    told["type"] = "array"
        return to_sf(table, rowtype)

    return mended

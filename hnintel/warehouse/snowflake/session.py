"""A transaction on Snowflake: temporary tables first, then BEGIN just before the first write, then COMMIT."""

from __future__ import annotations

import itertools
import json
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

import pandas as pd
import pyarrow as pa
from snowflake.connector.constants import FIELD_ID_TO_NAME
from snowflake.connector.cursor import ResultMetadata, SnowflakeCursor
from snowflake.connector.pandas_tools import write_pandas

from hnintel.errors import HnIntelError, WarehouseError
from hnintel.warehouse.base import Staged
from hnintel.warehouse.snowflake.errors import translated
from hnintel.warehouse.snowflake.link import Link
from hnintel.warehouse.statement_order import Order, writes


class SnowflakeSession:
    """One open transaction.

    Snowflake commits an open transaction when a table is created, even a temporary table; so BEGIN is sent just before
    the first write, after all tables are created (:mod:`hnintel.warehouse.statement_order` rejects a later one).
    """

    def __init__(self, link: Link) -> None:
        self._link = link
        self._order = Order()
        self._staged = itertools.count(1)
        self._begun = False
        self._temporary: list[str] = []

    def execute(self, sql: str, params: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Run one statement and return its rows."""
        return _rows(self._send(sql, params))

    def rows(self, sql: str, params: Sequence[Any] = ()) -> list[dict[str, Any]]:
        """The rows of a query, by column name in lower case."""
        cursor = self._send(sql, params)
        names = [column.name.lower() for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in _rows(cursor)]

    def stage(self, table: str, rows: Sequence[Mapping[str, Any]]) -> Staged:
        """Load *rows* as one Parquet file with the connector's ``write_pandas``, in one COPY."""
        staged = Staged.to(f"incoming_{next(self._staged)}", table, rows)
        if not rows:
            return staged
        lists = [name for name in staged.columns if any(isinstance(row[name], list) for row in rows)]
        shape = ", ".join(f"CAST(NULL AS VARCHAR) AS {name}" if name in lists else name for name in staged.columns)
        loaded = f"{staged.name}_text" if lists else staged.name
        self.make(loaded, f"SELECT {shape} FROM {table} WHERE FALSE")
        self._load(loaded, table, _frame(table, rows, lists))
        if lists:  # semi-structured values are loaded as text
            columns = ", ".join(
                f"CAST(PARSE_JSON({name}) AS ARRAY) AS {name}" if name in lists else name for name in staged.columns
            )
            self.make(staged.name, f"SELECT {columns} FROM {loaded}")
        return staged

    def merge(self, sql: str, params: Sequence[Any] = ()) -> tuple[int, int]:
        """Run one MERGE; return the numbers of rows inserted and updated."""
        cursor = self._send(sql, params)
        counts = dict(zip((column.name for column in cursor.description), _rows(cursor)[0], strict=True))
        return int(counts.get("number of rows inserted", 0)), int(counts.get("number of rows updated", 0))

    def make(self, table: str, sql: str, params: Sequence[Any] = ()) -> None:
        """Create a temporary table from a query; it is dropped at the end of the transaction."""
        self._send(f"CREATE OR REPLACE TEMPORARY TABLE {table} AS {sql}", params)
        self._temporary.append(table)
        self._link.has_state = True

    def end(self) -> None:
        """Commit; send nothing if nothing was written."""
        if self._begun:
            self._link.send("COMMIT")
            self._begun = False
        self._clear()

    def undo(self) -> None:
        """Roll back; send nothing if nothing was written."""
        if self._begun:
            self._link.send("ROLLBACK")
            self._begun = False
        self._clear()

    def _clear(self) -> None:
        try:
            while self._temporary:
                self._link.send(f"DROP TABLE IF EXISTS {self._temporary.pop()}")
        except HnIntelError:  # the commit stands: drop the session, and its tables with it
            self._link.drop()
        self._link.has_state = False

    def _send(self, sql: str, params: Sequence[Any]) -> SnowflakeCursor:
        self._order.take(sql)
        if writes(sql) and not self._begun:
            self._link.send("BEGIN")
            self._begun = self._link.has_state = True
        return self._link.send(sql, params)

    def _load(self, name: str, table: str, frame: pd.DataFrame) -> None:
        try:
            with translated(f"loading rows for {table}"):
                write_pandas(self._link.connection, frame, name.upper(), use_logical_type=True)
        except (pa.ArrowException, UnicodeError, OverflowError, TypeError, ValueError) as error:
            raise _no_fit(table, error) from None


def _frame(table: str, rows: Sequence[Mapping[str, Any]], lists: Sequence[str]) -> pd.DataFrame:
    """*rows* with columns of type object, so that pandas does not convert whole numbers to floats."""
    text = [{name.upper(): _as_text(value) if name in lists else value for name, value in row.items()} for row in rows]
    return pd.DataFrame(text, dtype=object)


def _as_text(value: Any) -> str | None:
    return None if value is None else json.dumps(value, ensure_ascii=False)


def _no_fit(table: str, error: Exception) -> WarehouseError:
    # Arrow's message quotes the value, which may be a page.
    fault = f"rows for {table} cannot be loaded: a value does not fit its column ({type(error).__name__})"
    return WarehouseError(fault)


def _rows(cursor: SnowflakeCursor) -> list[tuple[Any, ...]]:
    """The rows of a statement, in the Python types that the embedded warehouse returns."""
    with translated("reading rows"):
        fetched = cursor.fetchall()
    readers = [_reader(column) for column in cursor.description]
    return [tuple(read(value) for read, value in zip(readers, row, strict=True)) for row in fetched]


def _reader(column: ResultMetadata) -> Any:
    kind = FIELD_ID_TO_NAME[column.type_code]
    if kind == "ARRAY":
        return lambda value: json.loads(value) if isinstance(value, str) else value
    if kind == "FIXED":
        return lambda value: _plain(value) if isinstance(value, Decimal) else value
    return lambda value: value


def _plain(value: Decimal) -> int | float:
    return int(value) if value == value.to_integral_value() and value.as_tuple().exponent == 0 else float(value)

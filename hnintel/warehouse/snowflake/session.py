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
from hnintel.warehouse.snowflake.errors import told_in_one_line
from hnintel.warehouse.snowflake.link import Link
from hnintel.warehouse.statement_order import Order, writes


class SnowflakeSession:
    """One open transaction.

    Snowflake commits what is open when a table is made, a temporary one too; so BEGIN waits for the first write, by
    which time every table is there (:mod:`hnintel.warehouse.statement_order` refuses one that comes later).
    """

    def __init__(self, link: Link) -> None:
        self._link = link
        self._order = Order()
        self._staged = itertools.count(1)
        self._begun = False
        self._temporary: list[str] = []

    def execute(self, sql: str, params: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Run one statement and give its rows."""
        return _rows(self._send(sql, params))

    def rows(self, sql: str, params: Sequence[Any] = ()) -> list[dict[str, Any]]:
        """The rows of a query, by column name in lower case."""
        cursor = self._send(sql, params)
        names = [column.name.lower() for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in _rows(cursor)]

    def stage(self, table: str, rows: Sequence[Mapping[str, Any]]) -> Staged:
        """Load *rows* as one Parquet file by the connector's own way, ``write_pandas``, in one COPY."""
        staged = Staged.to(f"incoming_{next(self._staged)}", table, rows)
        if not rows:
            return staged
        lists = [name for name in staged.columns if any(isinstance(row[name], list) for row in rows)]
        shape = ", ".join(f"CAST(NULL AS VARCHAR) AS {name}" if name in lists else name for name in staged.columns)
        loaded = f"{staged.name}_text" if lists else staged.name
        self.make(loaded, f"SELECT {shape} FROM {table} WHERE FALSE")
        self._load(loaded, table, _frame(table, rows, lists))
        if lists:  # semi-structured values travel as text
            columns = ", ".join(
                f"CAST(PARSE_JSON({name}) AS ARRAY) AS {name}" if name in lists else name for name in staged.columns
            )
            self.make(staged.name, f"SELECT {columns} FROM {loaded}")
        return staged

    def merge(self, sql: str, params: Sequence[Any] = ()) -> tuple[int, int]:
        """Run one MERGE; how many rows it inserted and updated."""
        cursor = self._send(sql, params)
        counts = dict(zip((column.name for column in cursor.description), _rows(cursor)[0], strict=True))
        return int(counts.get("number of rows inserted", 0)), int(counts.get("number of rows updated", 0))

    def make(self, table: str, sql: str, params: Sequence[Any] = ()) -> None:
        """Set down what a query gives as a temporary table, gone when the transaction ends."""
        self._send(f"CREATE OR REPLACE TEMPORARY TABLE {table} AS {sql}", params)
        self._temporary.append(table)
        self._link.holds_something = True

    def end(self) -> None:
        """Commit what was written; nothing is sent where nothing was."""
        if self._begun:
            self._link.send("COMMIT")
            self._begun = False
        self._clear()

    def undo(self) -> None:
        """Roll back what was written."""
        if self._begun:
            self._link.send("ROLLBACK")
            self._begun = False
        self._clear()

    def _clear(self) -> None:
        try:
            while self._temporary:
                self._link.send(f"DROP TABLE IF EXISTS {self._temporary.pop()}")
        except HnIntelError:  # what is committed is committed: the session goes, and its tables with it
            self._link.drop()
        self._link.holds_something = False

    def _send(self, sql: str, params: Sequence[Any]) -> SnowflakeCursor:
        self._order.take(sql)
        if writes(sql) and not self._begun:
            self._link.send("BEGIN")
            self._begun = self._link.holds_something = True
        return self._link.send(sql, params)

    def _load(self, name: str, table: str, frame: pd.DataFrame) -> None:
        try:
            with told_in_one_line(f"loading rows for {table}"):
                write_pandas(self._link.connection, frame, name.upper(), use_logical_type=True)
        except (pa.ArrowException, UnicodeError, OverflowError, TypeError, ValueError) as error:
            raise _no_fit(table, error) from None


def _frame(table: str, rows: Sequence[Mapping[str, Any]], lists: Sequence[str]) -> pd.DataFrame:
    """*rows* as they are: columns of objects, which pandas does not turn whole numbers into broken ones in."""
    text = [{name.upper(): _as_text(value) if name in lists else value for name, value in row.items()} for row in rows]
    return pd.DataFrame(text, dtype=object)


def _as_text(value: Any) -> str | None:
    return None if value is None else json.dumps(value, ensure_ascii=False)


def _no_fit(table: str, error: Exception) -> WarehouseError:
    # Arrow's own words quote the value, which may be a page.
    told = f"rows for {table} cannot be loaded: a value does not fit its column ({type(error).__name__})"
    return WarehouseError(told)


def _rows(cursor: SnowflakeCursor) -> list[tuple[Any, ...]]:
    """What a statement gave, in the Python types that the embedded warehouse gives."""
    with told_in_one_line("reading rows"):
        found = cursor.fetchall()
    read = [_reader(column) for column in cursor.description]
    return [tuple(one(value) for one, value in zip(read, row, strict=True)) for row in found]


def _reader(column: ResultMetadata) -> Any:
    kind = FIELD_ID_TO_NAME[column.type_code]
    if kind == "ARRAY":
        return lambda value: json.loads(value) if isinstance(value, str) else value
    if kind == "FIXED":
        return lambda value: _plain(value) if isinstance(value, Decimal) else value
    return lambda value: value


def _plain(value: Decimal) -> int | float:
    return int(value) if value == value.to_integral_value() and value.as_tuple().exponent == 0 else float(value)

"""The interface of a warehouse: transactions with bulk loads and merges, and questions to AI functions."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Literal, Protocol, TypeVar

from hnintel.engines.base import Account
from hnintel.settings.snowflake import Stage

T = TypeVar("T")

#: The types of an enrichment's columns.
Kind = Literal["text", "number", "integer", "boolean", "timestamp", "list"]


@dataclass(frozen=True, slots=True)
class Query:
    """One statement and the values bound to its question marks."""

    sql: str
    params: Sequence[Any] = ()


@dataclass(frozen=True, slots=True)
class Step:
    """A temporary table that a question creates, by a SELECT over the tables of earlier steps.

    Args:
        table: the table's name.
        sql: the SELECT.
        answers: the column with an AI function's result, where each row is useful without the others. If the engine
            stops answering half way, the table then has the rows answered so far; without *answers* the question fails.
        most_tokens: the most output tokens of an answer; None leaves the bound to the engine. A call that names a
            bound of its own keeps it.
    """

    table: str
    sql: str
    answers: str = ""
    most_tokens: int | None = None


@dataclass(frozen=True, slots=True)
class Staged:
    """Rows in the temporary table *name*, with *columns* of *table*, to be merged into *table*.

    With no rows, the temporary table does not exist.
    """

    name: str
    table: str
    columns: tuple[str, ...]
    rows: int

    @classmethod
    def to(cls, name: str, table: str, rows: Sequence[Mapping[str, Any]]) -> Staged:
        """The result of staging *rows*, all with the same columns, for *table* in the temporary table *name*."""
        return cls(name, table, tuple(rows[0]) if rows else (), len(rows))


class Dialect(Protocol):
    """The SQL expressions that differ between warehouses; statements are rendered with them."""

    def type_name(self, kind: Kind) -> str:
        """The column type for *kind*, as ``information_schema`` names it."""

    def from_json(self, column: str, path: str, kind: Kind) -> str:
        """An expression: the value at *path* (``labels[0]``) of a JSON column, as *kind*; NULL if its type is another.

        JSON types are not converted: ``"3"`` is not a number, 3 is not a text. A list contains texts only, no null.
        Texts, also in lists, lose control characters (:mod:`hnintel.warehouse.control_characters`). A timestamp is
        ISO 8601 text and is returned in UTC; without an offset it is read as UTC.
        """

    def is_absent(self, column: str, path: str) -> str:
        """A condition: *path* of a JSON column is missing or null."""

    def is_blank(self, column: str) -> str:
        """A condition: a text, as :meth:`from_json` reads it, has no visible character."""

    def list_size(self, column: str) -> str:
        """An expression: the number of texts in a list; NULL for NULL."""

    def has_longer(self, column: str, characters: int) -> str:
        """A condition: a text of a list has more than *characters* characters; false or NULL for NULL."""

    def with_error_details(self, call: str) -> str:
        """*call*, an AI function, changed to return ``{"value", "error"}`` instead of failing the statement."""

    def joined(self, text: str, order: str) -> str:
        """An aggregate: the texts of a group concatenated, ordered by *order*."""

    def row_hash(self, columns: Sequence[str]) -> str:
        """An aggregate: a hash of a set of rows, independent of their order."""


class Session(Protocol):
    """One transaction; committed when its block ends without an error, else rolled back.

    It creates tables, also staged ones, before it writes its first row (:mod:`hnintel.warehouse.statement_order`).
    """

    def execute(self, sql: str, params: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Run one statement and return its rows."""

    def rows(self, sql: str, params: Sequence[Any] = ()) -> list[dict[str, Any]]:
        """The rows of a query, by column name."""

    def stage(self, table: str, rows: Sequence[Mapping[str, Any]]) -> Staged:
        """Bulk-load *rows*, all with the same columns of *table*, into a temporary table of their own.

        Raises:
            RuntimeError: this transaction has written rows already.
        """

    def merge(self, sql: str, params: Sequence[Any] = ()) -> tuple[int, int]:
        """Run one MERGE; return the numbers of rows inserted and updated."""


class Warehouse(Protocol):
    """Stores the data and runs the AI functions; the suite in tests/warehouse holds every implementation to this."""

    name: str

    @property
    def dialect(self) -> Dialect:
        """The warehouse's SQL dialect."""

    def transaction(self, *, stage: Stage) -> AbstractContextManager[Session]:
        """Begin a transaction; never keep one open across HTTP or dbt.

        Args:
            stage: decides the Snowflake role and warehouse. ``ingest`` writes raw and the ledger; ``enrich`` writes
                answers and the ledger, and reads every schema; ``transform`` is dbt's, and has no access to the ledger.

        Raises:
            WarehouseBusy: another process locked the warehouse for longer than ``lock_wait`` seconds.
            WarehouseError: the warehouse cannot be opened, or rejected a statement.
        """

    def model(self, asked_for: str, asker: str = "") -> str:
        """The model that this warehouse uses when *asker*, an enrichment or the briefing, asks for *asked_for*."""

    def fall_back(self, model: str) -> bool:
        """Replace the missing *model* by its fall-back from now on; return whether there is a fall-back."""

    @property
    def charges_requests(self) -> bool:
        """Whether each request of a question is paid for by itself, so that :meth:`ask` can charge an account."""

    def ask(
        self,
        pending: Query,
        steps: Sequence[Step],
        then: Callable[[Session], T],
        *,
        stage: Stage,
        account: Account | None = None,
    ) -> T | None:
        """Ask about the rows that *pending* selects (as table ``pending``), step by step, then call *then*.

        *then* runs in a transaction and can read the last step's table. Every AI function is called once for each row.
        If *pending* selects no row, nothing is asked and the result is None. *stage* is as for :meth:`transaction`.
        Every request is charged to *account*, where :attr:`charges_requests`.

        Raises:
            BudgetReached: *account* admitted no further request; *then* was called with the answers so far.
            WarehouseError: a statement was rejected, or the engine stopped answering. If that happened half way, and
                each row is useful without the others (:class:`Step`), *then* was called with the answers so far.
        """

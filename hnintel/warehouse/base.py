"""What a warehouse is: transactions with bulk loads and merges, and questions to AI functions."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Literal, Protocol, TypeVar

from hnintel.settings.snowflake import Stage

T = TypeVar("T")

#: What a column of an enrichment can hold.
Kind = Literal["text", "number", "integer", "boolean", "timestamp", "list"]


@dataclass(frozen=True, slots=True)
class Query:
    """One statement and the values bound to its question marks."""

    sql: str
    params: Sequence[Any] = ()


@dataclass(frozen=True, slots=True)
class Step:
    """A temporary table that a question sets down, by a SELECT over the tables of the steps before it.

    Args:
        table: its name.
        sql: the SELECT.
        answers: where each row is of use without the others, the column of what an AI function gave. Where what answers
            goes away half way, the table has the rows that were answered by then; without it, the question fails.
    """

    table: str
    sql: str
    answers: str = ""


@dataclass(frozen=True, slots=True)
class Staged:
    """Rows that wait in the temporary table *name*, with *columns* of *table*, to be merged into it.

    Of no rows there is no table.
    """

    name: str
    table: str
    columns: tuple[str, ...]
    rows: int

    @classmethod
    def to(cls, name: str, table: str, rows: Sequence[Mapping[str, Any]]) -> Staged:
        """What staging *rows*, all with the same columns, for *table* as *name* gives."""
        return cls(name, table, tuple(rows[0]) if rows else (), len(rows))


class Dialect(Protocol):
    """Where two warehouses' SQL differs; statements take what they need from here."""

    def type_name(self, kind: Kind) -> str:
        """The column type that holds *kind*, by the name that ``information_schema`` gives it."""

    def from_json(self, column: str, path: str, kind: Kind) -> str:
        """An expression: what lies at *path* (``labels[0]``) of a JSON column, as *kind*; NULL where it is no such.

        JSON's types are not bent: ``"3"`` is no number and 3 no text. A list is one of texts, without a null. Texts, a
        list's too, come without control characters (:mod:`hnintel.warehouse.control_characters`). A timestamp is text
        by ISO 8601, and comes out in UTC; one without an offset is taken to be in UTC.
        """

    def is_absent(self, column: str, path: str) -> str:
        """A condition: nothing, or a null, lies at *path* of a JSON column."""

    def is_blank(self, column: str) -> str:
        """Whether a text, as :meth:`from_json` reads it, has no character that shows."""

    def list_size(self, column: str) -> str:
        """An expression: how many texts a list has; NULL of no list."""

    def has_longer(self, column: str, characters: int) -> str:
        """A condition: one text of a list has more than so many characters; false or NULL of no list."""

    def with_error_details(self, call: str) -> str:
        """*call*, an AI function, made to answer ``{"value", "error"}`` instead of failing the statement."""

    def joined(self, text: str, order: str) -> str:
        """An aggregate: the texts of a group one behind the other, in the order of another expression."""

    def row_hash(self, columns: Sequence[str]) -> str:
        """An aggregate: one number for a set of rows, whatever their order."""


class Session(Protocol):
    """One transaction; committed when its block ends well, else rolled back.

    It makes its tables, staged ones too, before it writes its first row (:mod:`hnintel.warehouse.statement_order`).
    """

    def execute(self, sql: str, params: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Run one statement and give its rows."""

    def rows(self, sql: str, params: Sequence[Any] = ()) -> list[dict[str, Any]]:
        """The rows of a query, by column name."""

    def stage(self, table: str, rows: Sequence[Mapping[str, Any]]) -> Staged:
        """Bulk-load *rows*, all with the same columns of *table*, into a temporary table of their own.

        Raises:
            RuntimeError: something was written in this transaction before.
        """

    def merge(self, sql: str, params: Sequence[Any] = ()) -> tuple[int, int]:
        """Run one MERGE; how many rows it inserted and updated."""


class Warehouse(Protocol):
    """Where data and AI live. The conformance suite in tests/warehouse says the rest."""

    name: str

    @property
    def dialect(self) -> Dialect:
        """Its SQL."""

    def transaction(self, *, stage: Stage) -> AbstractContextManager[Session]:
        """Begin a transaction; never hold one across HTTP or dbt.

        Args:
            stage: whose Snowflake role and warehouse run it. ``ingest`` writes raw and the ledger; ``enrich`` writes
                answers and the ledger, and reads every schema; ``transform`` is dbt's, and has no access to the ledger.

        Raises:
            WarehouseBusy: another process holds the warehouse longer than the set wait.
            WarehouseError: it cannot be opened, or refused a statement.
        """

    def model(self, asked_for: str, asker: str = "") -> str:
        """The model that answers here when *asker*, an enrichment or the briefing, asks for *asked_for*."""

    def fall_back(self, model: str) -> bool:
        """Have another model answer from now on in the place of *model*, which is missing; whether there is one."""

    def ask(self, pending: Query, steps: Sequence[Step], then: Callable[[Session], T], *, stage: Stage) -> T | None:
        """Ask about what *pending* selects (the table ``pending``), step by step, then hand over in a transaction.

        The last step's table can be read in *then*. Every AI function is called once a row. Where nothing is pending
        nothing is asked and the result is None. *stage* is as for :meth:`transaction`.

        Raises:
            WarehouseError: a statement was refused, or what answers went away. Where that happened half way, and each
                row is of use by itself (:class:`Step`), what was answered by then was handed over before.
        """

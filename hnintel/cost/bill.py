"""The bill of a day, by currency: billed credits beside estimated credits, as far as the ledger has them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from hnintel.warehouse.base import Session
from hnintel.warehouse.statements import statement


@dataclass(frozen=True, slots=True)
class Bill:
    """A day's costs in one currency; only credits are billed.

    ``estimated_of_billed`` is the part of ``estimated`` whose answers are in ``billed``; the rest is not billed yet.

    ``without_answers`` was billed for answers that were never stored: of a killed run, or of a statement that failed
    half-way. ``compute`` is the cost of Snowflake warehouses, on top of the others.
    """

    day: date
    currency: str
    estimated: float
    estimated_of_billed: float
    billed: float
    without_answers: float
    compute: float

    @property
    def ratio(self) -> float | None:
        """``billed`` divided by the estimate of the same answers; None where nothing was billed or estimated."""
        return self.billed / self.estimated_of_billed if self.billed and self.estimated_of_billed else None


def bills(session: Session, since: date) -> list[Bill]:
    """The bill of each day and currency from *since* on, as far as the ledger has it; credits come first."""
    return [Bill(**row) for row in session.rows(statement("cost/bill"), [since] * 3)]

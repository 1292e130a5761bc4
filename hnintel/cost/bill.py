"""The bill of a day, by currency: credits as billed beside credits as estimated, as far as the ledger knows them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from hnintel.warehouse.base import Session
from hnintel.warehouse.statements import statement


@dataclass(frozen=True, slots=True)
class Bill:
    """A day's costs in one currency; only credits are billed.

    ``estimated_of_billed`` is the estimate of what ``billed`` is for; the rest is not billed yet.

    ``without_answers`` was billed, and nothing was kept for it: a killed run, a statement that failed half-way.
    ``compute`` is that of warehouses, on top.
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
        """Billed by estimated, of the same answers; None where nothing was billed or estimated."""
        return self.billed / self.estimated_of_billed if self.billed and self.estimated_of_billed else None


def bills(session: Session, since: date) -> list[Bill]:
    """The bill of each partition and currency from a day on, as far as it is known; credits come first."""
    return [Bill(**row) for row in session.rows(statement("cost/bill"), [since] * 3)]

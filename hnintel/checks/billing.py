"""The check that compares billed credits with estimated credits."""

from __future__ import annotations

from datetime import date

from hnintel.checks.check import Check, Verdict
from hnintel.cost.bill import bills
from hnintel.cost.money import CREDITS
from hnintel.settings import Settings
from hnintel.warehouse.base import Session

GUARDS = "billing"
#: Credits below this are rounding errors.
_DUST = 1e-6


def billing_checks() -> list[Check]:
    """The check of a day's bill, which only warns."""
    return [Check(GUARDS, "billed beside estimated", False, _measure)]


def _measure(session: Session, day: date, settings: Settings) -> Verdict:
    bill = next((bill for bill in bills(session, day) if (bill.day, bill.currency) == (day, CREDITS)), None)
    if bill is None or bill.ratio is None:
        return Verdict(True, "nothing to judge: nothing was billed yet")
    ratio = f"{bill.billed:.4f} credits billed where {bill.estimated_of_billed:.4f} were estimated, x{bill.ratio:.2f}"
    lost = f"; {bill.without_answers:.4f} more without a stored answer" if bill.without_answers > _DUST else ""
    return Verdict(abs(bill.ratio - 1) <= settings.check_bill, ratio + lost)

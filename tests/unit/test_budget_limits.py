"""Budgets: which costs count, over which time, in which currency, and at which amount asking stops."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest

from hnintel.cost.budget import Budget, Estimate, wants_approval
from hnintel.errors import BudgetReached
from hnintel.settings import Settings
from hnintel.warehouse.base import Warehouse

DAY = date(2026, 10, 19)
NOW = datetime(2026, 10, 20, 12)
#: When October began in New York, the business zone.
MIDNIGHT = datetime(2026, 10, 1, 4)


def spend(warehouse: Warehouse, amount: float, at: datetime, currency: str | None = "credits") -> None:
    """Book *amount* as the cost of another run."""
    with warehouse.transaction(stage="enrich") as session:
        session.execute(
            "INSERT INTO ops.ai_usage (run_id, day, enrichment, fingerprint, function, model, calls, input_tokens, "
            "output_tokens, counting, credits, asked_at, currency) "
            "VALUES ('other', ?, 'topic', 'f', 'AI_COMPLETE', 'm', 1, 900, 100, 'counted', ?, ?, ?)",
            [DAY, amount, at, currency],
        )


def exceeded(warehouse: Warehouse, settings: Settings, cost: float, currency: str = "credits") -> str | None:
    """Return the budget that a question of *cost* would exceed at ``NOW``."""
    with warehouse.transaction(stage="enrich") as session:
        wanted = Estimate(1, cost=cost, currency=currency)
        return Budget(settings, "run", DAY, "enrich:topic").would_exceed(session, wanted, NOW)


def reserve(
    warehouse: Warehouse, settings: Settings, cost: float, run_id: str = "run", currency: str = "credits"
) -> None:
    """Reserve the cost of a question, as a chunk does before it is asked."""
    with warehouse.transaction(stage="enrich") as session:
        wanted = Estimate(1, cost=cost, currency=currency)
        Budget(settings, run_id, DAY, "enrich:topic").reserve(session, wanted, NOW)


@pytest.fixture
def monthly() -> Settings:
    """A budget of one credit for a calendar month."""
    return Settings(budget_month=1.0)


def test_a_month_counts_from_its_first_day_and_not_from_today(warehouse: Warehouse, monthly: Settings) -> None:
    spend(warehouse, 0.75, at=datetime(2026, 10, 3, 12))
    assert exceeded(warehouse, monthly, 0.5) == "0.75 are spent of HNINTEL_BUDGET_MONTH=1"
    assert exceeded(warehouse, Settings(budget_day=1.0), 0.5) is None


@pytest.mark.parametrize(("early", "counts"), [(timedelta(0), True), (timedelta(microseconds=1), False)])
def test_a_month_begins_at_midnight_of_the_business_zone(
    warehouse: Warehouse, monthly: Settings, early: timedelta, counts: bool
) -> None:
    spend(warehouse, 0.75, at=MIDNIGHT - early)
    assert bool(exceeded(warehouse, monthly, 0.5)) is counts


@pytest.mark.parametrize(("spent", "wanted"), [("USD", "credits"), ("credits", "USD"), (None, "USD")])
def test_what_was_spent_in_another_currency_does_not_count(
    warehouse: Warehouse, monthly: Settings, spent: str | None, wanted: str
) -> None:
    spend(warehouse, 100.0, at=NOW, currency=spent)
    assert exceeded(warehouse, monthly, 0.5, wanted) is None
    assert exceeded(warehouse, monthly, 0.5, spent or "credits")


def test_what_others_reserved_in_another_currency_does_not_count(warehouse: Warehouse, monthly: Settings) -> None:
    reserve(warehouse, monthly, 0.75, run_id="other", currency="USD")
    assert exceeded(warehouse, monthly, 0.5) is None
    assert exceeded(warehouse, monthly, 0.5, "USD")


def test_an_attempt_that_was_killed_does_not_keep_its_own_retry_from_asking(
    warehouse: Warehouse, monthly: Settings
) -> None:
    reserve(warehouse, monthly, 0.75)  # and there it was killed
    reserve(warehouse, monthly, 0.75)
    with warehouse.transaction(stage="enrich") as session:
        assert session.execute("SELECT run_id, credits FROM ops.ai_reservations") == [("run", 0.75)]
    with pytest.raises(BudgetReached):  # what another run has on the books does
        reserve(warehouse, monthly, 0.75, run_id="other")


@pytest.mark.parametrize("name", ["budget_run", "budget_day", "budget_month"])
def test_a_budget_may_be_spent_to_its_last_bit_and_no_further(warehouse: Warehouse, name: str) -> None:
    settings = Settings(**{name: 1.0})
    if name != "budget_run":
        spend(warehouse, 0.5, at=NOW)
    left = 1.0 if name == "budget_run" else 0.5
    assert exceeded(warehouse, settings, left) is None
    assert exceeded(warehouse, settings, left + 1e-9)


def test_a_budget_of_nothing_still_lets_free_questions_through(warehouse: Warehouse) -> None:
    settings = Settings(budget_run=0.0)
    assert exceeded(warehouse, settings, 0.0) is None
    assert exceeded(warehouse, settings, 1e-9)


def test_a_cost_of_exactly_the_limit_needs_no_approval() -> None:
    assert not wants_approval(Estimate(1, cost=5.0), Settings(approve_above=5.0))
    assert wants_approval(Estimate(1, cost=5.0 + 1e-9), Settings(approve_above=5.0))

"""What holds of every enrichment where answers are paid for: what they cost is told before and after, and bounded."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from hnintel.cost import budget
from hnintel.cost.usage import AIFunction
from hnintel.engines.offline import OfflineEngine
from hnintel.enrich.declaration import Enrichment
from hnintel.enrich.run import EnrichmentRun
from hnintel.errors import BudgetReached, WarehouseError
from hnintel.planning.day import plan
from tests.enrichments.conftest import FOLDER
from tests.enrichments.subjects import load_worthy
from tests.warehouse.world import DAY, Asking, fetch, load_sample

#: So many items cost more than one chunk may.
MANY = 64
PRICES = """
[[price]]
model = "paid-1"
from = 2026-02-01
input = 1000
output = 10000
currency = "credits"
"""


class Paid(OfflineEngine):
    """Answers as the offline engine does, and takes money for it."""

    def model(self, asked_for: str) -> str:
        return "paid-1"


@pytest.fixture
def paid(tmp_path: Path) -> Asking:
    """An empty warehouse, a model with a price, and chunks of two items."""
    prices = tmp_path / "prices.toml"
    prices.write_text(PRICES)
    return Asking(tmp_path, Paid(), prices_path=prices, enrich_chunk=2, enrichments_path=FOLDER)


def booked(asking: Asking) -> list[dict[str, Any]]:
    return asking.rows("SELECT * FROM ops.ai_usage")


def reserved(asking: Asking) -> list[tuple[Any, ...]]:
    return fetch(asking.warehouse, "SELECT run_id, credits FROM ops.ai_reservations")


def test_what_was_asked_is_booked_with_its_price_and_the_day_from_which_that_holds(
    paid: Asking, enrichment: Enrichment
) -> None:
    worthy = len(load_worthy(paid, enrichment, MANY))
    done = paid.run(enrichment, enrich_chunk=200)

    rows = booked(paid)
    assert {row["function"] for row in rows} == {enrichment.function, *(["AI_AGG"] * enrichment.input.many)}
    for row in rows:
        assert (row["enrichment"], row["model"], row["calls"]) == (enrichment.name, "paid-1", worthy)
        assert (row["currency"], row["price_date"]) == ("credits", date(2026, 2, 1))
        assert row["credits"] == pytest.approx((row["input_tokens"] * 1000 + row["output_tokens"] * 10000) / 1e6)
    assert sum(row["credits"] for row in rows) == pytest.approx(done.credits)
    assert done.credits > 0
    assert reserved(paid) == []


def test_a_budget_stops_it_between_chunks_and_a_later_run_goes_on_from_there(
    paid: Asking, enrichment: Enrichment
) -> None:
    worthy = len(load_worthy(paid, enrichment, MANY))
    some = enough_for_some(paid, enrichment)
    with pytest.raises(BudgetReached, match=rf"enrich:{enrichment.name} of {DAY} stopped before .*HNINTEL_BUDGET_RUN="):
        paid.run(enrichment, "first", budget_run=some)
    kept = len(paid.answers(enrichment))
    assert 0 < kept < worthy
    assert kept % 2 == 0
    assert sum(row["credits"] for row in booked(paid)) <= some
    stage = fetch(paid.warehouse, "SELECT status FROM ops.partitions WHERE stage = ?", [enrichment.stage])
    assert stage == [("stopped",)]

    assert paid.run(enrichment, "second", budget_run=100 * some, enrich_chunk=200).asked == worthy - kept
    assert len(paid.answers(enrichment)) == worthy


@pytest.mark.parametrize("period", ["budget_day", "budget_month"])
def test_a_budget_of_a_day_or_a_month_counts_what_other_runs_spent(
    paid: Asking, enrichment: Enrichment, period: str
) -> None:
    load_worthy(paid, enrichment, MANY)
    some = enough_for_some(paid, enrichment)
    with pytest.raises(BudgetReached):
        paid.run(enrichment, "first", **{period: some})
    with pytest.raises(BudgetReached, match=f"HNINTEL_{period.upper()}"):
        paid.run(enrichment, "second", **{period: some})
    assert paid.engine.texts == []  # the second run asked nothing


def test_what_was_spent_in_an_earlier_month_does_not_count(paid: Asking, enrichment: Enrichment) -> None:
    worthy = len(load_worthy(paid, enrichment, MANY))
    some = enough_for_some(paid, enrichment)
    with pytest.raises(BudgetReached):
        paid.run(enrichment, "first", budget_month=some)
    fetch(paid.warehouse, "UPDATE ops.ai_usage SET asked_at = ?", [datetime.now() - timedelta(days=40)])
    kept = len(paid.answers(enrichment))
    with pytest.raises(BudgetReached):
        paid.run(enrichment, "second", budget_month=some)
    assert kept < len(paid.answers(enrichment)) < worthy


def test_what_a_killed_run_was_asking_counts_as_spent(paid: Asking, enrichment: Enrichment) -> None:
    load_worthy(paid, enrichment, MANY)
    some = enough_for_some(paid, enrichment)
    run = EnrichmentRun(paid.warehouse, enrichment, DAY, paid.settings, "killed")
    run.begin()
    run._reserve(after=0)  # and there it was killed
    ((run_id, cost),) = reserved(paid)
    assert (run_id, 0 < cost < some) == ("killed", True)
    with pytest.raises(BudgetReached):
        paid.run(enrichment, "second", budget_day=cost * 1.5)
    assert booked(paid) == []


def test_a_question_that_was_refused_is_off_the_books(paid: Asking, enrichment: Enrichment) -> None:
    load_worthy(paid, enrichment, MANY)

    class Down(Paid):
        def classify(self, *args: Any) -> Any:
            raise ConnectionError("it is down")

        def complete(self, *args: Any) -> Any:
            raise ConnectionError("it is down")

        def aggregate(self, *args: Any) -> Any:
            raise ConnectionError("it is down")

    paid.engine.engine = Down()
    with pytest.raises(WarehouseError):
        paid.run(enrichment)
    assert reserved(paid) == []
    assert booked(paid) == []


def test_the_plan_asks_nothing_keeps_nothing_and_names_what_a_run_then_asks(
    paid: Asking, enrichment: Enrichment
) -> None:
    load_sample(paid.warehouse)
    before = fetch(paid.warehouse, "SELECT table_schema, table_name FROM information_schema.tables ORDER BY 1, 2")
    foretold = planned(paid, enrichment)
    assert paid.engine.texts == []
    assert (
        fetch(paid.warehouse, "SELECT table_schema, table_name FROM information_schema.tables ORDER BY 1, 2") == before
    )

    done = paid.run(enrichment, enrich_chunk=200)
    assert done.asked == foretold.rows
    assert 0.6 * done.input_tokens < foretold.input_tokens < 1.7 * done.input_tokens
    assert planned(paid, enrichment).rows == 0


def test_a_plan_names_the_enrichment_whose_condition_is_wrong(tmp_path: Path, paid: Asking) -> None:
    (tmp_path / "tone.py").write_text(
        "from hnintel.enrich.declaration import Column, Enrichment\n"
        "enrichment = Enrichment(__name__, doc='Tone.', version=1, call='AI_CLASSIFY({{ input }}, {{ labels }})',\n"
        "    columns=(Column('tone', str, 'Tone.', one_of=('a', 'b'), path='labels[0]'),), where='scroe > 3')\n"
    )
    settings = paid.settings.model_copy(update={"enrichments_path": tmp_path})
    with pytest.raises(WarehouseError, match=rf"(?i)^enrichment tone of {DAY}: .*scroe"):
        plan(paid.warehouse, DAY, settings)


def test_a_second_day_s_answers_are_taken_to_be_as_long_as_the_first_s(paid: Asking, enrichment: Enrichment) -> None:
    load_worthy(paid, enrichment, MANY)
    done = paid.run(enrichment, enrich_chunk=200)
    written = {row["function"]: row["output_tokens"] for row in booked(paid)}
    function = AIFunction.of(enrichment.function, paid.warehouse, enrichment.model, paid.settings)
    with paid.warehouse.transaction(stage="enrich") as session:
        told = budget.estimate(session, enrichment.name, function, done.asked, 0)
    assert told.output_tokens == written[enrichment.function]


def test_a_model_without_a_price_is_asked_nothing(tmp_path: Path, enrichment: Enrichment) -> None:
    asking = Asking(tmp_path, Paid())
    load_worthy(asking, enrichment, MANY)
    with pytest.raises(WarehouseError, match=r"no price is known for .* by the model 'paid-1'.*HNINTEL_PRICES_PATH"):
        asking.run(enrichment)
    assert asking.engine.texts == []


def enough_for_some(asking: Asking, enrichment: Enrichment) -> float:
    """A budget that one chunk fits into by any estimate, and all chunks do not."""
    whole = planned(asking, enrichment)
    return 1.5 * asking.settings.enrich_chunk * whole.cost / whole.rows


def planned(asking: Asking, enrichment: Enrichment) -> budget.Estimate:
    """What the plan of the day says of one enrichment."""
    return plan(asking.warehouse, DAY, asking.settings).stages[enrichment.name]


def test_days_and_months_are_those_of_the_business_zone() -> None:
    from hnintel.settings import Settings

    begins = budget._begins(date(2026, 7, 1), Settings(time_zone="America/New_York"))
    assert begins == datetime(2026, 7, 1, 4, tzinfo=UTC).replace(tzinfo=None)

"""Which stages of which days a backfill does, and what it says that would come to."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from pathlib import Path

import pytest

from hnintel.cost.budget import refuse_unapproved
from hnintel.enrich.run import enrich
from hnintel.errors import UsageError
from hnintel.partitions.calendar import Span
from hnintel.partitions.graph import choose
from hnintel.partitions.pipeline import Pipeline
from hnintel.planning.backfill import BackfillPlan, plan_backfill
from hnintel.planning.work import Only, Work, choose_work
from hnintel.warehouse import open_warehouse
from tests.partitions.days import DAY, NOW, Days, copied

FAILED, FRESH, STALE, MISSING = (DAY + timedelta(days=number) for number in range(4))
SPAN = Span(FAILED, MISSING)


@pytest.fixture
def four(tmp_path: Path) -> Days:
    """A day whose transform failed, one that is complete, one whose title changed since, and one never run."""
    return copied(tmp_path, _four)


def _four(days: Days) -> None:
    for number, day in enumerate((FAILED, FRESH, STALE)):
        days.load(10 + number, day=day)
        days.note(day=day)
    days.note("transform", status="failed", day=FAILED)
    days.load(12, day=STALE, title="Another story")


def work(days: Days, only: Only = "due", words: Iterable[str] = (), newest_first: bool = False) -> list[Work]:
    with days.warehouse.transaction(stage="enrich") as session:
        stages = choose(days.pipeline.stages, words)
        return choose_work(session, days.pipeline, SPAN, stages, only, NOW, newest_first)


def chosen(days: Days, only: Only = "due", words: Iterable[str] = ()) -> dict[date, list[str]]:
    return {one.day: list(one.stages) for one in work(days, only, words)}


def test_what_is_due_is_chosen_with_what_comes_after_it_and_a_complete_day_is_not(four: Days) -> None:
    found = chosen(four)
    assert found[FAILED] == ["transform", "briefing", "publish"]
    assert FRESH not in found
    assert found[STALE][:2] == ["enrich:sentiment", "enrich:takeaway"]
    assert "ingest" not in found[STALE]
    assert found[MISSING] == list(four.pipeline.stages)


@pytest.mark.parametrize(
    ("only", "wanted"),
    [("missing", {MISSING}), ("failed", {FAILED}), ("stale", {STALE}), ("all", {FAILED, FRESH, STALE, MISSING})],
)
def test_one_kind_of_partition_can_be_chosen(four: Days, only: Only, wanted: set[date]) -> None:
    assert set(chosen(four, only)) == wanted


def test_no_other_stages_are_chosen_than_those_named(four: Days) -> None:
    assert chosen(four, words=["enrich:topic"]) == {STALE: ["enrich:topic"], MISSING: ["enrich:topic"]}
    assert chosen(four, "all", ["publish"])[FRESH] == ["publish"]


def test_days_come_in_the_order_asked_for(four: Days) -> None:
    assert [one.day for one in work(four)] == [FAILED, STALE, MISSING]
    assert [one.day for one in work(four, newest_first=True)] == [MISSING, STALE, FAILED]


def test_another_attempt_is_another_request(four: Days) -> None:
    (first,) = work(four, "failed")
    four.note("transform", status="failed", day=FAILED, run_id="again")
    (second,) = work(four, "failed")
    assert second.attempts == first.attempts + 1


def planned(days: Days, words: Iterable[str] = (), pipeline: Pipeline | None = None) -> BackfillPlan:
    pipeline = pipeline or days.made_from("live")  # which does not say beforehand what days it has
    return plan_backfill(pipeline.warehouse, pipeline, work(days, words=words), choose(pipeline.stages, words))


def paid(days: Days, tmp_path: Path) -> Pipeline:
    """The same warehouse, asked through an endpoint that costs a credit for ten thousand tokens."""
    prices = tmp_path / "prices.toml"
    prices.write_text('[[price]]\nmodel = "dear"\nfrom = 2026-01-01\ninput = 100\noutput = 100\n', encoding="utf-8")
    told = {"engine": "openai", "openai_base_url": "http://127.0.0.1:9/v1", "openai_model": "dear"}
    settings = days.settings.model_copy(update={**told, "prices_path": prices})
    return Pipeline(open_warehouse(settings), settings, "live")


def test_a_plan_counts_what_is_here_and_takes_a_day_that_is_not_for_an_average_one(four: Days) -> None:
    before = four.sql("SELECT count(*) FROM ops.ai_usage")
    rows = {row["day"]: row for row in planned(four).rows()}
    assert (rows[str(FAILED)]["fetches"], rows[str(FAILED)]["estimated_from"]) == (0, "its items")
    assert rows[str(MISSING)]["fetches"] == 1
    assert rows[str(MISSING)]["estimated_from"] == "other days"
    assert rows[str(STALE)]["questions"] >= 4  # one story, asked about by every enrichment but that of its comments
    assert four.sql("SELECT count(*) FROM ops.ai_usage") == before


def test_a_plan_counts_the_articles_that_are_to_be_read(four: Days) -> None:
    four.load(1, 2, day=STALE, url="https://pump.example/a")
    rows = {row["day"]: row for row in planned(four, ["articles"]).rows()}
    assert rows[str(STALE)]["fetches"] == 1  # two stories, one page


def test_a_plan_of_stages_counts_only_their_questions(four: Days) -> None:
    rows = {row["day"]: row for row in planned(four, ["enrich:topic"]).rows()}
    assert {(row["stages"], row["questions"]) for row in rows.values()} == {("enrich:topic", 1)}
    assert rows[str(MISSING)]["estimated_from"] == "other days"


def test_a_day_that_is_not_here_costs_what_one_that_is_would_by_the_prices_of_today(four: Days, tmp_path: Path) -> None:
    assert four.sql("SELECT count(*) FROM ops.ai_usage") == [(0,)]  # what was paid for those that are says nothing
    rows = {row["day"]: row for row in planned(four, pipeline=paid(four, tmp_path)).rows()}
    assert rows[str(MISSING)]["questions"] == rows[str(STALE)]["questions"]
    assert rows[str(MISSING)]["cost"] == pytest.approx(rows[str(MISSING)]["tokens"] / 10_000, rel=0.01)
    assert rows[str(MISSING)]["cost"] > 0


def test_what_those_that_are_here_have_been_answered_makes_no_other_day_cheaper(four: Days) -> None:
    for day in (FAILED, FRESH, STALE):
        enrich(four.warehouse, four.pipeline.enrichments["topic"], day, four.settings, "run")
    rows = {row["day"]: row for row in planned(four, ["enrich:topic"]).rows()}
    assert (rows[str(MISSING)]["questions"], rows[str(MISSING)]["estimated_from"]) == (1, "other days")


def test_of_days_of_which_nothing_is_known_the_plan_says_so(days: Days) -> None:
    found = planned(days)
    assert len(found.unknown) == 4
    assert found.unpriced == set()  # by the engine of the laptop they are free, whatever they hold
    assert {row["estimated_from"] for row in found.rows()} == {"nothing"}
    assert {row["cost"] for row in found.rows()} == {None}
    assert "| ? | ? | ? | nothing |" in found.as_markdown()
    assert found.as_json()["total"]["unknown_days"] == 4


def test_what_nobody_knows_the_cost_of_is_not_begun_without_a_word(days: Days, tmp_path: Path) -> None:
    found = planned(days, pipeline=paid(days, tmp_path))
    assert len(found.unpriced) == 4
    assert planned(days, ["ingest"], paid(days, tmp_path)).unpriced == set()  # reading costs nothing
    limited = days.settings.model_copy(update={"approve_above": 5.0})
    told = r"the cost of 4 days is not known .*=5 is set: .* --yes"
    with pytest.raises(UsageError, match=told):
        refuse_unapproved(found.total, limited, len(found.unpriced))
    refuse_unapproved(found.total, days.settings, len(found.unpriced))  # no limit was set


def test_a_day_that_the_source_does_not_have_is_not_taken_for_one_that_it_has(four: Days) -> None:
    rows = {row["day"]: row for row in planned(four, pipeline=four.made_from("sample")).rows()}
    assert rows[str(MISSING)]["estimated_from"] == "not in its source"
    assert (rows[str(MISSING)]["fetches"], rows[str(MISSING)]["questions"]) == (0, 0)

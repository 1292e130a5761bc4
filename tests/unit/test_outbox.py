"""The outbox: facts wait there with the data they speak of, each once, until they were emitted."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from pathlib import Path

import pytest

from hnintel.events import DayEnriched, DayPublished, Event, ItemsLanded, LettersGivenUp, StoryTrending
from hnintel.ledger import outbox
from hnintel.partitions import announce
from hnintel.warehouse.base import Warehouse
from tests.partitions.days import DAY, NOW, Days
from tests.warehouse.world import bury

STORY = StoryTrending(story_id=7, score=120, comments=3, points_per_hour=80)


@pytest.fixture
def days(tmp_path: Path) -> Days:
    found = Days(tmp_path)
    found.load(1, 2, 3)
    return found


@pytest.fixture
def warehouse(days: Days) -> Warehouse:
    return days.warehouse


def announced(days: Days, now: datetime = NOW) -> list[Event]:
    with days.warehouse.transaction(stage="enrich") as session:
        return announce.announce_day(session, days.pipeline, DAY, "event", now)


def kinds(events: list[Event]) -> list[type[Event]]:
    return [type(event) for event in events]


def waiting(warehouse: Warehouse) -> list[outbox.Waiting]:
    with warehouse.transaction(stage="enrich") as session:
        return outbox.waiting(session, 100)


def test_a_fact_waits_once_however_often_it_is_put(warehouse: Warehouse) -> None:
    with warehouse.transaction(stage="enrich") as session:
        assert outbox.put(session, STORY, NOW)
        assert not outbox.put(session, STORY.model_copy(update={"score": 400}), NOW + timedelta(hours=1))

    (row,) = waiting(warehouse)
    assert (row.id, row.event, row.resource) == (str(STORY.id), "hn.story.trending", "hn.story.7")
    assert row.payload == STORY.payload
    assert row.occurred_at.replace(tzinfo=None) == NOW


def test_a_fact_of_a_transaction_that_fails_is_not_told(warehouse: Warehouse) -> None:
    def fail() -> None:
        with warehouse.transaction(stage="enrich") as session:
            outbox.put(session, STORY, NOW)
            raise RuntimeError("the data was not kept")

    with pytest.raises(RuntimeError, match="not kept"):
        fail()
    assert waiting(warehouse) == []


def test_what_was_emitted_waits_no_more_and_is_not_told_again(warehouse: Warehouse) -> None:
    with warehouse.transaction(stage="enrich") as session:
        outbox.put(session, STORY, NOW)
    with warehouse.transaction(stage="enrich") as session:
        outbox.emitted(session, [str(STORY.id)], NOW)
    assert waiting(warehouse) == []
    with warehouse.transaction(stage="enrich") as session:
        assert not outbox.put(session, STORY, NOW)


def test_only_what_was_emitted_long_ago_is_forgotten(warehouse: Warehouse) -> None:
    kept = STORY.model_copy(update={"story_id": 8})
    with warehouse.transaction(stage="enrich") as session:
        outbox.put(session, STORY, NOW)
        outbox.put(session, kept, NOW)
        outbox.emitted(session, [str(STORY.id)], NOW)
    with warehouse.transaction(stage="enrich") as session:
        outbox.emitted(session, [], NOW + timedelta(days=29))
        assert len(session.execute("SELECT id FROM ops.outbox")) == 2
        outbox.emitted(session, [], NOW + timedelta(days=31))
        assert session.execute("SELECT id FROM ops.outbox") == [(str(kept.id),)]


def test_the_oldest_are_emitted_first_and_no_more_than_asked_for(warehouse: Warehouse) -> None:
    with warehouse.transaction(stage="enrich") as session:
        for number in (3, 1, 2):
            outbox.put(session, STORY.model_copy(update={"story_id": number}), NOW + timedelta(minutes=number))
        assert [one.payload["story_id"] for one in outbox.waiting(session, most=2)] == [1, 2]


def test_a_day_has_landed_when_its_articles_are_in_too(days: Days) -> None:
    days.note("ingest", rows=3)
    assert announced(days) == []
    days.note("articles")
    (landed,) = announced(days)
    assert isinstance(landed, ItemsLanded)
    assert (landed.day, landed.source, landed.items, landed.continue_by) == (DAY, "sample", 3, "event")


def test_half_a_day_is_not_enriched(days: Days) -> None:
    days.note("ingest", "articles")
    announced(days)
    *most, last = (one.stage for one in days.pipeline.enrichments.values())
    days.note(*most)
    assert announced(days) == []
    days.note(last, status=None)
    assert announced(days) == []
    days.note(last)
    assert kinds(announced(days)) == [DayEnriched]


def test_a_day_is_told_anew_only_when_a_stage_was_run_again(days: Days) -> None:
    days.note()
    assert kinds(announced(days)) == [ItemsLanded, DayEnriched, DayPublished]
    assert announced(days) == []
    days.note("enrich:topic", run_id="another")
    assert kinds(announced(days)) == [DayEnriched]


def test_a_day_that_was_read_again_and_has_only_other_scores_is_enriched_anew_with_no_enrichment_run(
    days: Days,
) -> None:
    days.note()
    announced(days)
    days.load(1, score=4711)
    days.note("ingest", "articles", run_id="an hour later")
    assert kinds(announced(days)) == [ItemsLanded, DayEnriched]


def test_a_day_that_was_read_again_and_has_a_new_story_is_enriched_once_that_was_asked_about(days: Days) -> None:
    days.note()
    announced(days)
    days.load(4)
    days.note("ingest", "articles", run_id="an hour later")
    assert kinds(announced(days)) == [ItemsLanded]
    days.note(*(one.stage for one in days.pipeline.enrichments.values()), run_id="asked")
    assert kinds(announced(days)) == [DayEnriched]


def test_an_id_is_the_facts_and_not_the_tellings() -> None:
    told = STORY.model_copy(update={"score": 1})
    assert told.id == STORY.id
    assert STORY.model_copy(update={"story_id": 8}).id != STORY.id


@pytest.mark.parametrize(("after", "recent"), [(1, True), (2, False)])
def test_the_page_of_a_day_that_was_yesterday_is_told_apart_from_that_of_an_old_one(
    days: Days, after: int, recent: bool
) -> None:
    days.note("ingest", "publish")
    at_two_in_new_york = datetime.combine(DAY + timedelta(days=after), time(6))
    (published,) = announced(days, at_two_in_new_york)
    assert isinstance(published, DayPublished)
    assert published.recent is recent


def test_the_page_of_a_day_that_goes_on_makes_nothing_fresh_and_is_told_anew_once_the_day_is_read_whole(
    days: Days,
) -> None:
    days.note("ingest", at=datetime.combine(DAY, time(18)))
    days.note("publish")
    next_morning = datetime.combine(DAY + timedelta(days=1), time(6))
    (so_far,) = announced(days, next_morning)
    days.note("ingest", at=next_morning, run_id="nightly")  # and the page holds
    (whole,) = announced(days, next_morning)
    assert isinstance(so_far, DayPublished)
    assert isinstance(whole, DayPublished)
    assert (so_far.recent, whole.recent) == (False, True)


@pytest.mark.parametrize(("stage", "limit"), [("articles", 2), ("enrich:topic", 3), ("items", 4)])
def test_giving_up_is_announced_once_a_letter_was_tried_as_often_as_is_set_for_its_stage(
    days: Days, stage: str, limit: int
) -> None:
    pipeline = days.made_from("sample", article_attempts=2, answer_attempts=3, letter_attempts=4)
    for attempt in range(1, limit + 1):
        bury(days.warehouse, stage, ["7"], now=NOW, day=DAY)
        with days.warehouse.transaction(stage="enrich") as session:
            announce.announce_given_up(session, pipeline, NOW)
        given_up = [row for row in waiting(days.warehouse) if row.event == LettersGivenUp.name]
        assert len(given_up) == (attempt == limit)

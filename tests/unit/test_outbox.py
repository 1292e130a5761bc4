"""The outbox: facts wait there with the data they speak of, each once, until they were emitted."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from pathlib import Path

import pytest

from hnintel import ledger, outbox
from hnintel.events import DayEnriched, DayPublished, Event, ItemsLanded, StoryTrending
from hnintel.warehouse.base import Warehouse
from tests.warehouse.world import DAY, NOW, fresh_duckdb

STORY = StoryTrending(story_id=7, score=120, comments=3, points_per_hour=80)
ASKED = ("enrich:sentiment", "enrich:topic")


@pytest.fixture
def warehouse(tmp_path: Path) -> Warehouse:
    return fresh_duckdb(tmp_path)


def done(warehouse: Warehouse, *stages: str, run_id: str = "run", now: datetime = NOW) -> None:
    with warehouse.transaction() as session:
        for stage in stages:
            ledger.begin_stage(session, DAY, stage, run_id, now, source="sample")
            ledger.end_stage(session, DAY, stage, "complete", run_id, now, rows=3)


def announced(warehouse: Warehouse, now: datetime = NOW) -> list[Event]:
    with warehouse.transaction() as session:
        return outbox.announce_day(session, DAY, ASKED, "event", "America/New_York", now)


def waiting(warehouse: Warehouse) -> list[outbox.Waiting]:
    with warehouse.transaction() as session:
        return outbox.waiting(session)


def test_a_fact_waits_once_however_often_it_is_put(warehouse: Warehouse) -> None:
    with warehouse.transaction() as session:
        assert outbox.put(session, STORY, NOW)
        assert not outbox.put(session, STORY.model_copy(update={"score": 400}), NOW + timedelta(hours=1))

    (row,) = waiting(warehouse)
    assert (row.id, row.event, row.resource) == (str(STORY.id), "hn.story.trending", "hn.story.7")
    assert row.payload == STORY.payload
    assert row.occurred_at.replace(tzinfo=None) == NOW


def test_a_fact_of_a_transaction_that_fails_is_not_told(warehouse: Warehouse) -> None:
    def fail() -> None:
        with warehouse.transaction() as session:
            outbox.put(session, STORY, NOW)
            raise RuntimeError("the data was not kept")

    with pytest.raises(RuntimeError, match="not kept"):
        fail()
    assert waiting(warehouse) == []


def test_what_was_emitted_waits_no_more_and_is_not_told_again(warehouse: Warehouse) -> None:
    with warehouse.transaction() as session:
        outbox.put(session, STORY, NOW)
    with warehouse.transaction() as session:
        outbox.emitted(session, [str(STORY.id)], NOW)
    assert waiting(warehouse) == []
    with warehouse.transaction() as session:
        assert not outbox.put(session, STORY, NOW)


def test_only_what_was_emitted_long_ago_is_forgotten(warehouse: Warehouse) -> None:
    kept = STORY.model_copy(update={"story_id": 8})
    with warehouse.transaction() as session:
        outbox.put(session, STORY, NOW)
        outbox.put(session, kept, NOW)
        outbox.emitted(session, [str(STORY.id)], NOW)
    with warehouse.transaction() as session:
        outbox.emitted(session, [], NOW + timedelta(days=29))
        assert len(session.execute("SELECT id FROM ops.outbox")) == 2
        outbox.emitted(session, [], NOW + timedelta(days=31))
        assert session.execute("SELECT id FROM ops.outbox") == [(str(kept.id),)]


def test_the_oldest_are_emitted_first_and_no_more_than_asked_for(warehouse: Warehouse) -> None:
    with warehouse.transaction() as session:
        for number in (3, 1, 2):
            outbox.put(session, STORY.model_copy(update={"story_id": number}), NOW + timedelta(minutes=number))
        assert [one.payload["story_id"] for one in outbox.waiting(session, most=2)] == [1, 2]


def test_a_day_has_landed_when_its_articles_are_in_too(warehouse: Warehouse) -> None:
    done(warehouse, "ingest")
    assert announced(warehouse) == []
    done(warehouse, "articles")
    (landed,) = announced(warehouse)
    assert isinstance(landed, ItemsLanded)
    assert (landed.day, landed.source, landed.items, landed.continue_by) == (DAY, "sample", 3, "event")


def test_half_a_day_is_not_enriched(warehouse: Warehouse) -> None:
    done(warehouse, "enrich:topic")
    assert announced(warehouse) == []
    with warehouse.transaction() as session:
        ledger.begin_stage(session, DAY, "enrich:sentiment", "run", NOW)
    assert announced(warehouse) == []
    done(warehouse, "enrich:sentiment")
    assert [type(event) for event in announced(warehouse)] == [DayEnriched]


def test_a_day_is_told_anew_only_when_a_stage_was_run_again(warehouse: Warehouse) -> None:
    done(warehouse, "ingest", "articles", *ASKED, "transform", "briefing", "publish")
    assert [type(event) for event in announced(warehouse)] == [ItemsLanded, DayEnriched, DayPublished]
    assert announced(warehouse) == []
    done(warehouse, "enrich:topic", run_id="another", now=NOW + timedelta(hours=1))
    assert [type(event) for event in announced(warehouse)] == [DayEnriched]


def test_an_id_is_the_facts_and_not_the_tellings() -> None:
    told = STORY.model_copy(update={"score": 1})
    assert told.id == STORY.id
    assert STORY.model_copy(update={"story_id": 8}).id != STORY.id


@pytest.mark.parametrize(("after", "recent"), [(1, True), (2, False)])
def test_the_page_of_a_day_that_was_yesterday_is_told_apart_from_that_of_an_old_one(
    warehouse: Warehouse, after: int, recent: bool
) -> None:
    done(warehouse, "publish")
    at_two_in_new_york = datetime.combine(DAY + timedelta(days=after), time(6))
    (published,) = announced(warehouse, at_two_in_new_york)
    assert isinstance(published, DayPublished)
    assert published.recent is recent

"""Pages that are gone are noticed by a run and by ``reconcile``, and written again."""

from __future__ import annotations

import shutil
from datetime import timedelta
from pathlib import Path

from hnintel.briefing.pages import path_of
from hnintel.briefing.published_pages import INDEX, missing
from hnintel.partitions.settling import Due
from hnintel.partitions.state import PAGE_GONE
from hnintel.planning.due import days_due
from tests.briefing.desk import Desk
from tests.partitions.days import DAY, NOW, Days
from tests.warehouse.world import story

NEXT = DAY + timedelta(days=1)


def due(days: Days) -> list[Due]:
    with days.warehouse.transaction(stage="enrich") as session:
        return days_due(session, days.pipeline, NOW)


def test_a_page_that_is_gone_is_stale_and_due(days: Days) -> None:
    days.load(1)
    days.note()
    assert days.stage("publish").status == "complete"
    path_of(DAY, days.settings).unlink()
    found = days.stage("publish")
    assert (found.status, found.due, found.why) == ("stale", True, PAGE_GONE)
    assert days.by_status()["complete"] == [stage for stage in days.pipeline.stages if stage != "publish"]


def test_reconcile_publishes_the_newest_day_whose_page_is_gone_whatever_its_age(days: Days) -> None:
    for number in range(3):
        days.load(number + 1, day=DAY + timedelta(days=number))
        days.note(day=DAY + timedelta(days=number))
    assert due(days) == []
    shutil.rmtree(days.settings.site)
    newest = DAY + timedelta(days=2)
    assert due(days) == [Due(newest, f"publish: {PAGE_GONE}, as are those of 2 more days", ("publish",))]


def test_an_index_that_is_gone_is_noticed_on_the_newest_day(days: Days) -> None:
    for day in (DAY, NEXT):
        days.put_page(day)
    assert missing([DAY, NEXT], days.settings) == set()
    (days.settings.site / INDEX).unlink()
    assert missing([DAY, NEXT], days.settings) == {NEXT}


def test_of_a_shared_warehouse_no_page_is_missing_here(days: Days) -> None:
    elsewhere = days.settings.model_copy(update={"warehouse": "snowflake"})
    assert missing([DAY], days.settings) == {DAY}
    assert missing([DAY], elsewhere) == set()


def test_publishing_a_day_writes_every_page_that_is_gone_and_asks_nothing(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    days = [DAY + timedelta(days=number) for number in range(5)]
    desk.load([story(1)])
    with desk.warehouse.transaction(stage="enrich") as session:
        for day in days:
            session.execute(
                "INSERT INTO enriched.briefings VALUES (?, 'f', 'h', '[]', 0, '', 'm', 'run', ?)", [day, NOW]
            )
    for day in days:
        desk.publish(day)
    before = {path.name: path.read_bytes() for path in desk.settings.site.iterdir()}
    shutil.rmtree(desk.settings.site)
    desk.engine.texts.clear()
    desk.publish(days[-1])
    assert {path.name: path.read_bytes() for path in desk.settings.site.iterdir()} == before
    assert desk.engine.texts == []

"""Hours as partitions of a day's reading: which are due, what is noted of them, and when they are forgotten."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from itertools import pairwise

import pytest

from hnintel.partitions import hours
from hnintel.partitions.hours import LATE, hours_due, hours_of, in_words, spans
from hnintel.window import Window
from tests.partitions.days import DAY, Days

ZONE = "America/New_York"
TODAY = Window.of(DAY, ZONE)


def at(hour: float) -> datetime:
    """So many hours after midnight."""
    return TODAY.start + timedelta(hours=hour)


def read(days: Days, numbers: Sequence[int], when: datetime, source: str = "live") -> None:
    """Note that these hours were read, from *when* on."""
    with days.warehouse.transaction(stage="enrich") as session:
        these = [hour for hour in hours_of(TODAY) if hour.number in numbers]
        hours.note_read(session, these, source, "run", when.replace(tzinfo=None))


def due(days: Days, until: datetime, source: str = "live") -> list[int]:
    with days.warehouse.transaction(stage="enrich") as session:
        return [hour.number for hour in hours_due(session, TODAY, source, until)]


@pytest.mark.parametrize(
    ("day", "count"), [(DAY, 24), (date(2026, 3, 8), 23), (date(2026, 11, 1), 25)], ids=["plain", "spring", "autumn"]
)
def test_hours_are_half_open_and_together_the_day_also_where_the_clock_is_moved(day: date, count: int) -> None:
    window = Window.of(day, ZONE)
    found = [hour.window for hour in hours_of(window)]
    assert len(found) == count
    assert (found[0].start, found[-1].end) == (window.start, window.end)
    assert all(one.end == after.start for one, after in pairwise(found))
    assert {one.end - one.start for one in found} == {timedelta(hours=1)}


def test_an_hour_is_due_once_it_is_over_and_one_that_was_missed_with_it(days: Days) -> None:
    assert due(days, at(0.9)) == []
    assert due(days, at(2.2)) == [0, 1]
    read(days, [0, 1], at(2.2))
    assert due(days, at(5.2)) == [1, 2, 3, 4]  # of hour 1 some may have been listed late


def test_an_hour_that_was_read_long_enough_after_its_end_is_done(days: Days) -> None:
    read(days, [0], at(1) + LATE)
    read(days, [1], at(2) + LATE - timedelta(seconds=1))
    assert due(days, at(2.9)) == [1]


def test_a_run_that_starts_late_does_the_hours_that_were_over_when_it_was_to_start(days: Days) -> None:
    assert due(days, at(3)) == [0, 1, 2]


def test_hours_of_another_source_are_read_again(days: Days) -> None:
    read(days, [0], at(3), source="sample")
    assert due(days, at(1)) == [0]


def test_an_hour_that_was_read_from_two_sources_is_due_from_neither(days: Days) -> None:
    read(days, [0], at(3), source="live")
    read(days, [0], at(3), source="sample")
    assert (due(days, at(1)), due(days, at(1), source="sample")) == ([], [])
    with days.warehouse.transaction(stage="enrich") as session:
        hours.forget(session, DAY, "sample")  # of which all of the day was read
    assert (due(days, at(1)), due(days, at(1), source="sample")) == ([], [0])


def test_hours_that_follow_each_other_are_listed_together(days: Days) -> None:
    found = hours_of(TODAY)
    assert spans([found[1], found[2], found[5]]) == [
        Window(DAY, found[1].window.start, found[2].window.end),
        found[5].window,
    ]
    assert in_words([found[1], found[2], found[5]]) == "hours 01-02, 05"
    assert in_words([]) == "no hour that was not read"


def test_an_hour_counts_what_was_posted_in_it(days: Days) -> None:
    days.load(1, 2, time=int(at(1.5).timestamp()))
    days.load(3, time=int(at(2).timestamp()))
    read(days, [1, 2, 3], at(4))
    found = days.sql("SELECT stage, status, row_count FROM ops.partitions ORDER BY stage")
    assert found == [("ingest:01", "complete", 2), ("ingest:02", "complete", 1), ("ingest:03", "complete", 0)]


def test_they_are_no_stages_of_the_day_and_are_forgotten_once_all_of_it_was_read(days: Days) -> None:
    read(days, [0, 1], at(3))
    assert days.by_status() == {"missing": list(days.pipeline.stages)}
    with days.warehouse.transaction(stage="enrich") as session:
        assert hours.read_at(session, DAY, DAY) == {DAY: {"ingest:00": at(3), "ingest:01": at(3)}}
        hours.forget(session, DAY, "live")
        assert hours.read_at(session, DAY, DAY) == {}

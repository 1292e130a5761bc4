"""Words for ranges of days, what is missing in the calendar, and how fresh the newest page is."""

from __future__ import annotations

from datetime import date, datetime

import pytest

from hnintel.errors import UsageError
from hnintel.ledger.leases import ALL_DAYS, Leases
from hnintel.partitions.calendar import Span, freshness, parse_range
from hnintel.partitions.settling import Due
from hnintel.planning.due import days_due
from hnintel.planning.work import lease_of
from tests.partitions.days import Days

#: A Saturday morning in New York.
SATURDAY = datetime(2026, 10, 24, 12)


@pytest.mark.parametrize(
    ("first", "last", "span"),
    [
        ("2026-10-22", "2026-10-22", Span(date(2026, 10, 22), date(2026, 10, 22))),
        ("2026-W43", "2026-W43", Span(date(2026, 10, 19), date(2026, 10, 25))),
        ("2026-02", "2026-02", Span(date(2026, 2, 1), date(2026, 2, 28))),
        ("2024-02", "2024-W10", Span(date(2024, 2, 1), date(2024, 3, 10))),
        ("2026-W53", "2026-W53", Span(date(2026, 12, 28), date(2027, 1, 3))),
    ],
)
def test_a_range_goes_from_the_beginning_of_its_first_word_to_the_end_of_its_last(
    first: str, last: str, span: Span
) -> None:
    assert parse_range(first, last) == span


@pytest.mark.parametrize(
    ("first", "last", "span"),
    [
        ("2026-10", "2026-10", Span(date(2026, 10, 1), date(2026, 10, 23))),
        ("2026-10-05", "2026-W43", Span(date(2026, 10, 5), date(2026, 10, 23))),
        ("2026-W42", "2026-W42", Span(date(2026, 10, 12), date(2026, 10, 18))),
        ("2026-10-25", "2026-10-25", Span(date(2026, 10, 25), date(2026, 10, 25))),  # a day is meant as it is
        ("2026-11", "2026-11", Span(date(2026, 11, 1), date(2026, 11, 30))),
    ],
)
def test_a_week_or_month_that_is_going_on_goes_to_the_last_day_that_is_over(first: str, last: str, span: Span) -> None:
    assert parse_range(first, last, date(2026, 10, 23)) == span


@pytest.mark.parametrize(
    ("first", "last"),
    [("2026-10-22", "2026-10-21"), ("2026-13", "2026-13"), ("2025-W53", "2025-W53"), ("yesterday", "2026"), ("", "")],
)
def test_what_is_no_range_is_refused(first: str, last: str) -> None:
    with pytest.raises(UsageError):
        parse_range(first, last)


def run(days: Days, *numbers: int, source: str = "live") -> None:
    """Note days of October as run in the morning after, and read again since."""
    for number in numbers:
        pipeline = days.made_from(source)
        days.note(day=date(2026, 10, number), at=datetime(2026, 10, 24, 6), pipeline=pipeline)


def due(days: Days, source: str = "live", **settings: int | date) -> dict[int, str]:
    return {one.day.day: one.why for one in found_due(days, source, **settings)}


def found_due(days: Days, source: str = "live", **settings: int | date) -> list[Due]:
    with days.warehouse.transaction(stage="enrich") as session:
        return days_due(session, days.made_from(source, **settings), SATURDAY)


def test_a_day_that_the_ledger_does_not_have_is_a_gap_from_the_first_day_it_has_to_yesterday(days: Days) -> None:
    run(days, 20, 22)
    assert due(days) == {21: "it was never run", 23: "it was never run"}


def test_gaps_are_filled_no_further_back_than_is_set(days: Days) -> None:
    run(days, 5, 22)
    assert list(due(days, catch_up_days=3)) == [21, 23]
    assert due(days, catch_up_days=0) == {}


def test_an_empty_ledger_has_no_gaps_so_that_nothing_is_made_up_for_on_the_first_day(days: Days) -> None:
    assert due(days) == {}


def test_the_days_of_another_source_are_none_of_this_ones(days: Days) -> None:
    run(days, 20, source="sample")
    assert due(days) == {}


def test_a_reading_from_elsewhere_neither_fills_a_gap_nor_hides_what_was_read(days: Days) -> None:
    run(days, 20, 21, 23)
    for number in (21, 22):
        run(days, number, source="sample")
    assert due(days) == {22: "read from sample, not live"}
    days.note("ingest", status="failed", day=date(2026, 10, 21))  # from the sample: no business of this source
    assert list(due(days)) == [22]


def test_a_day_that_failed_or_whose_run_died_is_due_and_one_that_is_being_run_is_not(days: Days) -> None:
    run(days, 20, 21, 22, 23)
    live = days.made_from("live")
    days.note("transform", status="failed", day=date(2026, 10, 21), pipeline=live)
    days.note("briefing", status=None, day=date(2026, 10, 22), pipeline=live)
    assert due(days) == {21: "transform failed", 22: "briefing: its run died"}
    with Leases(days.warehouse, "run", days.settings) as held:
        held.take(date(2026, 10, 22), "briefing")
        assert due(days) == {21: "transform failed"}


def test_days_whose_marts_are_being_built_together_are_not_due(days: Days) -> None:
    run(days, 20, 21, 22, 23)
    for number in (21, 22):
        days.note("transform", status=None, day=date(2026, 10, number), pipeline=days.made_from("live"))
    with Leases(days.warehouse, "run", days.settings) as held:
        held.take(ALL_DAYS, "transform")
        assert due(days) == {}
    assert due(days) == {21: "transform: its run died", 22: "transform: its run died"}


def test_what_is_being_run_is_told_by_the_clock_and_not_by_when_a_late_start_was_due(days: Days) -> None:
    run(days, 20, 21, 22, 23)
    days.note("briefing", status=None, day=date(2026, 10, 22), pipeline=days.made_from("live"))
    with Leases(days.warehouse, "run", days.settings) as held:
        held.take(date(2026, 10, 22), "briefing")
        days.sql("UPDATE ops.leases SET expires_at = heartbeat_at")  # over by now, though long after that Saturday
        assert due(days) == {22: "briefing: its run died"}


def test_a_day_that_was_read_only_while_it_was_going_on_is_due_as_soon_as_it_is_over(days: Days) -> None:
    run(days, 22)
    days.note(day=date(2026, 10, 23), at=datetime(2026, 10, 24, 3, 10), pipeline=days.made_from("live"))  # 23:10 there
    assert due(days) == {23: "read 2026-10-24 03:10 UTC, while the day was going on"}


def test_a_day_whose_run_died_between_two_stages_is_due(days: Days) -> None:
    run(days, 22)
    days.note("ingest", day=date(2026, 10, 23), at=datetime(2026, 10, 24, 6), pipeline=days.made_from("live"))
    begin = "INSERT INTO ops.runs (run_id, day, source, status, started_at) VALUES ('dead', ?, 'live', 'running', ?)"
    days.sql(begin, [date(2026, 10, 23), datetime(2026, 10, 24, 6)])
    assert due(days) == {23: "its run died between two stages"}
    with Leases(days.warehouse, "dead", days.settings) as held:
        held.take(date(2026, 10, 23), "run dead")
        assert due(days) == {}


def test_days_whose_backfill_was_killed_before_their_marts_are_due_for_these_alone(days: Days) -> None:
    run(days, 20, 21, 22, 23)
    days.sql(
        "DELETE FROM ops.partitions WHERE day BETWEEN '2026-10-21' AND '2026-10-22' "
        "AND stage IN ('transform', 'briefing', 'publish')"
    )
    found = found_due(days)
    assert [(one.day.day, one.why, one.stages) for one in found] == [
        (21, "transform: never run", ("transform+",)),
        (22, "transform: never run", ("transform+",)),
    ]


def test_days_that_a_backfill_has_yet_to_build_are_left_to_it_while_it_lives(days: Days) -> None:
    run(days, 20, 21, 22, 23)
    days.sql("DELETE FROM ops.partitions WHERE day >= '2026-10-21' AND stage = 'transform'")
    with Leases(days.warehouse, "run", days.settings) as held:
        held.take(ALL_DAYS, lease_of(Span(date(2026, 10, 21), date(2026, 10, 22)), "run"))
        assert list(due(days)) == [23]
    assert list(due(days)) == [21, 22, 23]


def test_a_day_whose_marts_are_of_other_rows_is_due_and_one_whose_models_alone_have_changed_is_not(days: Days) -> None:
    for number in (22, 23):
        days.load(number, day=date(2026, 10, number))
    run(days, 22, 23)
    days.load(23, day=date(2026, 10, 23), score=4711)
    assert due(days) == {23: "transform: what it is made of has changed"}
    days.sql("UPDATE ops.partitions SET fingerprint = 'older models' WHERE stage = 'transform'")
    assert due(days) == {}


def test_a_day_that_was_not_asked_about_is_not_left_behind_since_asking_costs(days: Days) -> None:
    run(days, 22, 23)
    days.sql("DELETE FROM ops.partitions WHERE day = '2026-10-23' AND stage NOT IN ('ingest', 'articles')")
    assert due(days) == {}


def test_a_reading_that_never_ended_is_tried_no_further_back_than_is_set(days: Days) -> None:
    run(days, 5, 22, 23)
    days.note("ingest", status="failed", day=date(2026, 10, 5), pipeline=days.made_from("live"))
    assert due(days, catch_up_days=3) == {21: "it was never run"}
    assert due(days, catch_up_days=30)[5] == "ingest failed"


def test_what_settles_before_the_first_day_wanted_is_left(days: Days) -> None:
    days.note(day=date(2026, 10, 20), at=datetime(2026, 10, 21, 6), pipeline=days.made_from("live"))
    assert 20 in due(days, catch_up_days=0)
    assert due(days, catch_up_days=0, first_day=date(2026, 10, 22)) == {}


def test_the_newest_page_is_fresh_for_so_many_hours_after_its_day(days: Days) -> None:
    run(days, 22)
    with days.warehouse.transaction(stage="enrich") as session:
        soon = freshness(session, days.settings, datetime(2026, 10, 23, 16))
        late = freshness(session, days.settings, datetime(2026, 10, 24, 16))
    assert (soon.day, soon.hours, soon.is_fresh) == (date(2026, 10, 22), 12.0, True)
    assert (late.hours, late.is_fresh) == (36.0, False)


def test_a_day_that_was_read_while_it_went_on_is_not_fresh_though_it_has_a_page(days: Days) -> None:
    run(days, 21)
    days.note(day=date(2026, 10, 22), at=datetime(2026, 10, 22, 18))
    with days.warehouse.transaction(stage="enrich") as session:
        assert freshness(session, days.settings, datetime(2026, 10, 22, 18)).day == date(2026, 10, 21)


def test_without_a_page_nothing_is_fresh(days: Days) -> None:
    with days.warehouse.transaction(stage="enrich") as session:
        assert freshness(session, days.settings, SATURDAY).is_fresh is False

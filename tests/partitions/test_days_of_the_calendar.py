"""Words for ranges of days, what is missing in the calendar, and how fresh the newest page is."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest

from hnintel.errors import UsageError
from hnintel.leases import Leases
from hnintel.partitions.calendar import Span, freshness, parse_range
from hnintel.reconcile import days_due
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
    ("first", "last"),
    [("2026-10-22", "2026-10-21"), ("2026-13", "2026-13"), ("2025-W53", "2025-W53"), ("yesterday", "2026"), ("", "")],
)
def test_what_is_no_range_is_refused(first: str, last: str) -> None:
    with pytest.raises(UsageError):
        parse_range(first, last)


def run(days: Days, *numbers: int, source: str = "live") -> None:
    """Note days of October as run in the morning after, and read again since."""
    for number in numbers:
        making = days.made_from(source)
        days.note(day=date(2026, 10, number), at=datetime(2026, 10, 24, 6), making=making)


def due(days: Days, source: str = "live", **settings: int) -> dict[int, str]:
    with days.warehouse.transaction() as session:
        found = days_due(session, days.settings.model_copy(update=settings), source, SATURDAY)
    return {one.day.day: one.why for one in found}


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


def test_a_day_that_failed_or_whose_run_died_is_due_and_one_that_is_being_run_is_not(days: Days) -> None:
    run(days, 20, 21, 22, 23)
    live = days.made_from("live")
    days.note("transform", status="failed", day=date(2026, 10, 21), making=live)
    days.note("briefing", status=None, day=date(2026, 10, 22), making=live)
    assert due(days) == {21: "transform failed", 22: "briefing: its run died"}
    with Leases(days.warehouse, "run", days.settings) as held:
        held.take(date(2026, 10, 22), "briefing")
        days.sql("UPDATE ops.leases SET expires_at = ?", [SATURDAY + timedelta(days=365)])
        assert due(days) == {21: "transform failed"}


def test_the_newest_page_is_fresh_for_so_many_hours_after_its_day(days: Days) -> None:
    run(days, 22)
    with days.warehouse.transaction() as session:
        soon = freshness(session, days.settings, datetime(2026, 10, 23, 16))
        late = freshness(session, days.settings, datetime(2026, 10, 24, 16))
    assert (soon.day, soon.hours, soon.is_fresh) == (date(2026, 10, 22), 12.0, True)
    assert (late.hours, late.is_fresh) == (36.0, False)


def test_without_a_page_nothing_is_fresh(days: Days) -> None:
    with days.warehouse.transaction() as session:
        assert freshness(session, days.settings, SATURDAY).is_fresh is False

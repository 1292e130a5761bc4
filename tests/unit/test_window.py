"""A business day as a half-open window of UTC instants, over daylight saving and the odd midnights of the world."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hnintel.errors import UsageError
from hnintel.models import LAST_SECOND
from hnintel.window import Window, day_of, parse_day, refuse_before, refuse_future, yesterday

NEW_YORK = "America/New_York"
ZONES = st.sampled_from([NEW_YORK, "UTC", "Europe/Berlin", "Asia/Tokyo", "America/Sao_Paulo", "Australia/Lord_Howe"])
DAYS = st.dates(date(2006, 10, 9), date(2040, 1, 1))


@pytest.mark.parametrize("zone", [NEW_YORK, "UTC", "Asia/Tokyo", "Pacific/Kiritimati"])
def test_the_last_second_that_an_item_may_have_is_in_the_calendar_of_every_zone(zone: str) -> None:
    assert day_of(LAST_SECOND, zone).year == 9999


@pytest.mark.parametrize(
    ("day", "start", "end", "hours"),
    [
        ("2026-01-15", "2026-01-15T05:00", "2026-01-16T05:00", 24),
        ("2026-07-15", "2026-07-15T04:00", "2026-07-16T04:00", 24),
        ("2026-03-08", "2026-03-08T05:00", "2026-03-09T04:00", 23),  # clocks go forward at 2:00
        ("2026-11-01", "2026-11-01T04:00", "2026-11-02T05:00", 25),  # clocks go back at 2:00
    ],
)
def test_a_day_is_as_long_as_the_clocks_of_its_zone_make_it(day: str, start: str, end: str, hours: int) -> None:
    window = Window.of(date.fromisoformat(day), NEW_YORK)
    assert window.start == datetime.fromisoformat(start).replace(tzinfo=UTC)
    assert window.end == datetime.fromisoformat(end).replace(tzinfo=UTC)
    assert window.end_epoch - window.start_epoch == hours * 3600


def test_epoch_seconds_are_exact() -> None:
    window = Window.of(date(2025, 4, 18), NEW_YORK)
    assert (window.start_epoch, window.end_epoch) == (1_744_948_800, 1_745_035_200)


def test_the_last_second_is_of_the_day_and_the_next_midnight_is_not() -> None:
    window = Window.of(date(2026, 10, 22), NEW_YORK)
    assert window.start in window
    assert window.end - timedelta(microseconds=1) in window
    assert window.end not in window


@pytest.mark.parametrize("day", [date(2026, 10, 22), date(2026, 11, 1)])
def test_a_day_is_over_at_its_next_midnight_and_not_a_moment_before(day: date) -> None:
    window = Window.of(day, NEW_YORK)
    end = window.end.replace(tzinfo=None)  # as the warehouse keeps times
    assert window.is_over(end)
    assert not window.is_over(end - timedelta(microseconds=1))


@pytest.mark.parametrize("day", [date(2026, 3, 8), date(2026, 11, 1)])
def test_both_hours_around_a_change_of_clocks_fall_into_their_day_once(day: date) -> None:
    window = Window.of(day, NEW_YORK)
    for minute in range(0, (window.end_epoch - window.start_epoch) // 60, 7):
        instant = window.start + timedelta(minutes=minute)
        assert day_of(instant, NEW_YORK) == day


@given(DAYS, ZONES)
def test_days_follow_on_one_another_without_gap_or_overlap(day: date, zone: str) -> None:
    window, following = Window.of(day, zone), Window.of(day + timedelta(days=1), zone)
    assert window.end == following.start
    assert 22 * 3600 < window.end_epoch - window.start_epoch < 26 * 3600


@given(st.integers(1_160_000_000, 2_200_000_000), ZONES)
def test_every_instant_is_in_the_window_of_its_day_and_in_no_neighbours(epoch: int, zone: str) -> None:
    day, instant = day_of(epoch, zone), datetime.fromtimestamp(epoch, UTC)
    inside = [offset for offset in (-1, 0, 1) if instant in Window.of(day + timedelta(days=offset), zone)]
    assert inside == [0]


def test_a_midnight_that_does_not_exist_begins_when_the_clocks_jump() -> None:
    """In Brazil clocks went from 24:00 to 1:00."""
    window = Window.of(date(2018, 11, 4), "America/Sao_Paulo")
    assert window.start == datetime(2018, 11, 4, 3, tzinfo=UTC)
    assert window.end_epoch - window.start_epoch == 23 * 3600


def test_yesterday_is_by_the_clock_of_the_zone() -> None:
    two_in_the_morning = datetime(2026, 11, 20, 7, tzinfo=UTC)
    late_in_the_evening = datetime(2026, 11, 20, 4, 59, tzinfo=UTC)
    assert yesterday(two_in_the_morning, NEW_YORK) == date(2026, 11, 19)
    assert yesterday(late_in_the_evening, NEW_YORK) == date(2026, 11, 18)


def test_a_day_is_written_in_one_way_only() -> None:
    assert parse_day("2026-10-22") == date(2026, 10, 22)


@pytest.mark.parametrize(
    "text", ["", "2026-2-3", "20261022", "22.10.2026", "2026-02-30", "2026-W43-4", "２０２６-10-22"]
)
def test_what_is_no_day_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(UsageError, match="is not a day: write it as YYYY-MM-DD, for example"):
        parse_day(text)


def test_a_day_that_has_not_begun_is_refused_by_the_clock_of_its_zone() -> None:
    now = datetime(2026, 11, 20, 3, tzinfo=UTC)  # the 19th still, in New York
    refuse_future(date(2026, 11, 19), now, NEW_YORK)
    with pytest.raises(UsageError, match="2026-11-20 has not begun in America/New_York, where it is 2026-11-19"):
        refuse_future(date(2026, 11, 20), now, NEW_YORK)


@pytest.mark.parametrize(("day", "zone"), [(date.max, NEW_YORK), (date.min, "Asia/Tokyo")])
def test_the_ends_of_the_calendar_are_refused_in_one_line(day: date, zone: str) -> None:
    with pytest.raises(UsageError, match="is at the end of the calendar"):
        Window.of(day, zone)


def test_the_first_day_wanted_may_be_run_and_the_day_before_may_not() -> None:
    first = date(2026, 10, 1)
    refuse_before(first, first)
    with pytest.raises(UsageError, match="2026-09-30 is before HNINTEL_FIRST_DAY=2026-10-01"):
        refuse_before(date(2026, 9, 30), first)


@pytest.mark.parametrize("text", ["22.10.2026", "2026/10/22", "20261022", "Oct 22, 2026", "22 October 2026"])
def test_a_day_in_another_form_is_refused_with_the_same_day_in_the_right_form(text: str) -> None:
    with pytest.raises(UsageError, match="for example 2026-10-22"):
        parse_day(text)


def test_the_form_of_a_refused_day_is_shown_by_that_day_where_it_can_be_known() -> None:
    with pytest.raises(UsageError, match="for example 2027-03-04"):
        parse_day("4.3.2027")


def test_today_and_yesterday_are_days_where_the_present_day_is_given() -> None:
    today = date(2026, 3, 1)
    assert (parse_day("today", today), parse_day("yesterday", today)) == (today, date(2026, 2, 28))
    with pytest.raises(UsageError, match="'today' is not a day"):
        parse_day("today")

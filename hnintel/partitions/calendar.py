"""The calendar of days: parse and print ranges of days, find the days in the ledger, and measure freshness."""

from __future__ import annotations

import calendar
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from hnintel.errors import UsageError
from hnintel.ledger.stage_names import INGEST, PUBLISH
from hnintel.ledger.statuses import IS_DONE
from hnintel.settings import Settings
from hnintel.sources.base import Source
from hnintel.warehouse.base import Session
from hnintel.warehouse.statements import statement
from hnintel.window import Window, parse_day, refuse_before, yesterday

#: How many ranges of days a line names at most.
_RANGES = 4


@dataclass(frozen=True, slots=True)
class Span:
    """Days from *first* to *last*, both included."""

    first: date
    last: date

    def refuse_before(self, first_day: date) -> None:
        """Raise UsageError where the span begins before *first_day*."""
        refuse_before(self.first, first_day)


def parse_span(text: str, today: date | None = None) -> Span:
    """Parse a day (2026-10-22), a week (2026-W43, Monday to Sunday) or a month (2026-10) as a span of days.

    Where *today* is given, ``today`` and ``yesterday`` are days too.

    Raises:
        UsageError: *text* is none of these.
    """
    try:
        if match := re.fullmatch(r"(\d{4})-W(\d{2})", text):
            monday = date.fromisocalendar(int(match[1]), int(match[2]), 1)
            return Span(monday, monday + timedelta(days=6))
        if match := re.fullmatch(r"(\d{4})-(\d{2})", text):
            year, month = int(match[1]), int(match[2])
            return Span(date(year, month, 1), date(year, month, calendar.monthrange(year, month)[1]))
    except (ValueError, OverflowError):
        raise UsageError(f"'{text}' is not in the calendar: give a day, a week as 2026-W43 or a month") from None
    day = parse_day(text, today)
    return Span(day, day)


def parse_range(first: str, last: str, over: date | None = None) -> Span:
    """Parse the span from the beginning of *first* to the end of *last*, each a day, a week or a month.

    Args:
        first: text, as :func:`parse_span` reads it.
        last: text; a week or month in progress ends with *over*.
        over: the last day that is over; None: do not cut a week or month in progress.

    Raises:
        UsageError: a text is none of these, or the last day comes before the first.
    """
    today = None if over is None else over + timedelta(days=1)
    span = Span(parse_span(first, today).first, parse_span(last, today).last)
    if span.last < span.first:
        raise UsageError(f"{span.last} comes before {span.first}: give the first day first")
    if over is not None and parse_span(last, today).first <= over < span.last and span.first <= over:
        return Span(span.first, over)
    return span


def newest_whole_day(source: Source, now: datetime, zone: str) -> date:
    """Return the last day that is over and that *source* can have."""
    over = yesterday(now if now.tzinfo else now.replace(tzinfo=UTC), zone)
    return min(source.newest_day(zone) or over, over)


def known_days(session: Session, spec: str | None = None) -> Span | None:
    """Return the first and last day in the ledger, of the source *spec* or of any source; None where it has no day."""
    first, last = session.execute(
        "SELECT min(day), max(day) FROM ops.partitions WHERE ? IS NULL OR source = ? OR source IS NULL", [spec, spec]
    )[0]
    return Span(first, last) if first else None


def in_words(days: Sequence[date]) -> str:
    """Write days, oldest first, with consecutive days as a range: ``2026-10-18, 2026-10-20 to 2026-10-24 (6 days)``."""
    after = timedelta(days=1)
    starts = [day for day in days if day - after not in days]
    ends = [day for day in days if day + after not in days]
    ranges = [f"{first} to {last}" if last > first else str(first) for first, last in zip(starts, ends, strict=True)]
    words = ", ".join(ranges[:_RANGES]) + (", …" if len(ranges) > _RANGES else "")
    return f"{words} ({len(days)} days)" if len(days) > 1 else words


@dataclass(frozen=True, slots=True)
class Freshness:
    """The newest whole day whose page is published, and for how many hours it has been over."""

    day: date | None
    hours: float | None
    is_fresh: bool


def freshness(session: Session, settings: Settings, now: datetime) -> Freshness:
    """Measure how fresh the newest page of a whole day is at *now* (UTC without a zone), by ``fresh_hours``.

    The page of a day that was read before it was over does not count: else a dead nightly run would stay unnoticed
    as long as the hourly run works.
    """
    for day, read_at in session.execute(statement("partitions/published_days", is_done=IS_DONE), [PUBLISH, INGEST]):
        window = Window.of(day, settings.time_zone)
        if window.is_over(read_at):
            hours = (now.replace(tzinfo=UTC) - window.end).total_seconds() / 3600
            return Freshness(day, max(0.0, hours), hours <= settings.fresh_hours)
    return Freshness(None, None, False)


def days_between(first: date, last: date) -> list[date]:
    """List every day from *first* to *last*, both included."""
    return [first + timedelta(days=number) for number in range((last - first).days + 1)]

"""A business day as a half-open window of UTC instants; only this module computes days."""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from hnintel.errors import UsageError


@dataclass(frozen=True, slots=True)
class Window:
    """One calendar day in a zone, as the UTC instants ``start <= t < end``.

    A day is 23 or 25 hours long when daylight saving changes; both ends are local midnights, so every instant is in
    exactly one window.
    """

    day: date
    start: datetime
    end: datetime

    @classmethod
    def of(cls, day: date, zone: str) -> Window:
        """The window of *day* in *zone* (an IANA name).

        Raises:
            UsageError: *day* is the last day of the calendar, which has no next midnight.
        """
        try:
            return cls(day, _midnight(day, zone), _midnight(day + timedelta(days=1), zone))
        except OverflowError:
            raise UsageError(f"{day} is at the end of the calendar: give a day of Hacker News, from 2006 on") from None

    def __contains__(self, instant: datetime) -> bool:
        return self.start <= instant < self.end

    def is_over(self, at: datetime) -> bool:
        """Whether the day was over at *at* (UTC without a zone, as the warehouse stores times)."""
        return at.replace(tzinfo=UTC) >= self.end

    @property
    def start_epoch(self) -> int:
        """The start in seconds since 1970, the format of Hacker News."""
        return int(self.start.timestamp())

    @property
    def end_epoch(self) -> int:
        """The end in seconds since 1970: the first second after the window."""
        return int(self.end.timestamp())


def _midnight(day: date, zone: str) -> datetime:
    """The instant at which *day* begins: where clocks skip midnight, the jump; where they repeat it, the first."""
    return datetime.combine(day, time(), ZoneInfo(zone)).astimezone(UTC)


def day_of(instant: datetime | int, zone: str) -> date:
    """The business day an instant (or epoch seconds) falls in."""
    if isinstance(instant, int):
        instant = datetime.fromtimestamp(instant, UTC)
    return instant.astimezone(ZoneInfo(zone)).date()


def yesterday(now: datetime, zone: str) -> date:
    """The last business day that is over at *now*."""
    return day_of(now, zone) - timedelta(days=1)


#: Other ways to write a date; the error names the day in the form that is accepted.
_OTHER_FORMS = ("%d.%m.%Y", "%Y/%m/%d", "%Y.%m.%d", "%Y%m%d", "%d %b %Y", "%d %B %Y", "%b %d %Y", "%B %d %Y")


def parse_day(text: str, today: date | None = None) -> date:
    """Parse *text* as YYYY-MM-DD, or as ``today`` or ``yesterday`` where *today* is given.

    Raises:
        UsageError: *text* is not a date in that format; the message has the right format where it can be known.
    """
    if today is not None and text in ("today", "yesterday"):
        return today if text == "today" else today - timedelta(days=1)
    try:
        if not re.fullmatch(r"\d{4}-\d{2}-\d{2}", text):
            raise ValueError
        return date.fromisoformat(text)
    except ValueError:
        meant = _in_another_form(text) or "2026-10-22"
        raise UsageError(f"'{text}' is not a day: write it as YYYY-MM-DD, for example {meant}") from None


def _in_another_form(text: str) -> date | None:
    """The day that *text* is in a form that is not accepted; None where it could be two days, or is none."""
    words = text.strip().replace(",", " ").split()
    for form in _OTHER_FORMS:
        with suppress(ValueError):
            return datetime.strptime(" ".join(words), form).replace(tzinfo=UTC).date()
    if found := re.fullmatch(r"(\d{4})-(\d{1,2})-(\d{1,2})", text):
        with suppress(ValueError):
            return date(int(found[1]), int(found[2]), int(found[3]))
    return None


def refuse_future(day: date, now: datetime, zone: str) -> None:
    """Raise UsageError if *day* has not begun in *zone* at *now*."""
    today = day_of(now, zone)
    if day > today:
        raise UsageError(f"{day} has not begun in {zone}, where it is {today}: give {today} or an earlier day")


def refuse_before(day: date, first_day: date) -> None:
    """Raise UsageError if *day* is before *first_day* of the settings."""
    if day < first_day:
        raise UsageError(f"{day} is before HNINTEL_FIRST_DAY={first_day}: give that day or a later one")


def utc_now() -> datetime:
    """The time now, UTC without a zone, as the warehouse stores times; for timestamps, never to choose a day."""
    return datetime.now(UTC).replace(tzinfo=None)

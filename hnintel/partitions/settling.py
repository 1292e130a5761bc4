"""Which days are due to be read again. A day settles: its scores and comments change for a while after it is over."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from hnintel.ledger.listings import Listed
from hnintel.ledger.stage_names import INGEST, beside
from hnintel.ledger.statuses import IS_DONE
from hnintel.settings import Settings
from hnintel.warehouse.base import Session
from hnintel.warehouse.statements import statement
from hnintel.window import Window


@dataclass(frozen=True, slots=True)
class DayRead:
    """One reading of a day in the ledger: when it began (UTC without a zone), and whether it finished."""

    day: date
    began_at: datetime
    finished: bool


@dataclass(frozen=True, slots=True)
class Due:
    """A day that is due to be run again, and why, in one line; ``stages``: which of them (empty: all)."""

    day: date
    why: str
    stages: tuple[str, ...] = ()


def due_days(readings: Iterable[DayRead], now: datetime, settle_days: Sequence[int], zone: str) -> list[Due]:
    """Return the days to be read again at *now*, oldest first. Pure: it depends on its arguments only.

    For each number n of *settle_days* a day is due once n whole days have passed since its own midnight end, and
    stays due until a reading that began after that has finished. So with (1, 7) the run of a morning reads
    yesterday for the first time, the day before that again (D+1), and the day a week before yesterday for the last
    time (D+7). One reading by the next run replaces all missed readings. A day that
    was never read is not due *again*: a backfill reads it.

    Args:
        readings: the ledger's readings (:func:`day_readings`); days with no reading are not due.
        now: a UTC instant, with or without its zone.
        settle_days: numbers of whole days after the day's end.
        zone: the time zone whose midnights end a day.
    """
    instant = now if now.tzinfo else now.replace(tzinfo=UTC)
    by_day: dict[date, list[DayRead]] = defaultdict(list)
    for reading in readings:
        by_day[reading.day].append(reading)
    due = ((day, _why(day, by_day[day], instant, settle_days, zone)) for day in sorted(by_day))
    return [Due(day, why) for day, why in due if why]


def _why(day: date, readings: Sequence[DayRead], now: datetime, settle_days: Sequence[int], zone: str) -> str | None:
    last = max(readings, key=lambda reading: reading.began_at)
    ended = [reading.began_at.replace(tzinfo=UTC) for reading in readings if reading.finished]
    if not ended:
        return f"its reading of {last.began_at:%Y-%m-%d %H:%M} UTC did not finish"
    read_last = max(ended)
    missed = [days for days in sorted(settle_days) if read_last < settled_at(day, days, zone) <= now]
    if not missed:
        return None
    return f"read last {read_last:%Y-%m-%d %H:%M} UTC, before {' and '.join(f'D+{days}' for days in missed)}"


def settled_at(day: date, days: int, zone: str) -> datetime:
    """Return the instant, in UTC, at which *day* has been over for *days* whole days of *zone*."""
    return Window.of(day + timedelta(days=days), zone).end


def is_listing_due(listed: Listed, settings: Settings, now: datetime) -> bool:
    """Whether the listing of a day is to be proven whole at *now* (UTC without a zone): at D+1, and it is not yet."""
    window = Window.of(listed.day, settings.time_zone)
    settled = settled_at(listed.day, 1, settings.time_zone)
    return settings.listing_whole and now.replace(tzinfo=UTC) >= settled and not listed.is_whole(window)


def day_readings(session: Session, source: str) -> list[DayRead]:
    """Return the ledger's last reading of each day from *source* (as the user gave it).

    For a day read before the ledger recorded sources, every run counts as a reading, as does the last ingest.
    """
    readings = statement("partitions/day_readings", is_done=IS_DONE)
    ingests = session.execute(readings, [INGEST, beside(INGEST, source), source])
    runs = session.execute(
        f"SELECT r.day, r.started_at, r.status {IS_DONE} FROM ops.runs AS r WHERE r.source = ? "
        "AND r.day NOT IN (SELECT day FROM ops.partitions WHERE stage = ? AND source IS NOT NULL)",
        [source, INGEST],
    )
    return [DayRead(day, began_at, bool(finished)) for day, began_at, finished in [*runs, *ingests]]

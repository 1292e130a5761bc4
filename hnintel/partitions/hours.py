"""Hours of a day as partitions of its ingest: each hour is read once it is over, while the day is in progress."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from hnintel.ledger import stage_rows
from hnintel.ledger.stage_names import INGEST
from hnintel.ledger.statuses import COMPLETE
from hnintel.warehouse.base import Session
from hnintel.window import Window

#: Items may be listed some minutes late: an hour read sooner than this after its end is read once more.
LATE = timedelta(minutes=30)


@dataclass(frozen=True, slots=True)
class Hour:
    """An hour of a day, by its number since midnight: from 0, up to 24 where clocks go back."""

    number: int
    window: Window

    @property
    def stage(self) -> str:
        """Its name in the ledger, beside the stages of the whole day."""
        return f"{INGEST}:{self.number:02}"


def hours_of(day: Window) -> list[Hour]:
    """Return the 23 to 25 hours of a day, half-open and in order."""
    count = round((day.end - day.start) / timedelta(hours=1))
    starts = [day.start + timedelta(hours=number) for number in range(count)]
    ends = [*starts[1:], day.end]
    return [Hour(number, Window(day.day, *ends)) for number, ends in enumerate(zip(starts, ends, strict=True))]


def hours_due(session: Session, day: Window, source: str, until: datetime) -> list[Hour]:
    """Return the hours of *day* over at *until* and not read from *source* since :data:`LATE` after their end.

    So the next run reads a missed hour, and a late run reads the same hours as a punctual run.

    Args:
        session: the transaction.
        day: the partition.
        source: as the user gave it.
        until: the scheduled start of the run.
    """
    begun = read_at(session, day.day, day.day, source).get(day.day, {})
    return [
        hour
        for hour in hours_of(day)
        if hour.window.end <= until and begun.get(hour.stage, datetime.min.replace(tzinfo=UTC)) < hour.window.end + LATE
    ]


def read_at(session: Session, first: date, last: date, source: str | None = None) -> dict[date, dict[str, datetime]]:
    """Return when each recorded hour of the days from *first* to *last* was read, from *source* or from any.

    By day, then by the hour's stage in order of hours; a day without a recorded hour is left out. For an hour read from
    several sources, the last reading counts.
    """
    rows = session.execute(
        "SELECT day, stage, started_at FROM ops.partitions WHERE day BETWEEN ? AND ? AND stage LIKE ? "
        "AND (? IS NULL OR source = ?) ORDER BY day, stage",
        [first, last, f"{INGEST}:%", source, source],
    )
    found: dict[date, dict[str, datetime]] = {}
    for day, stage, began in rows:  # rows parked for another source come after it
        found.setdefault(day, {}).setdefault(stage.partition("@")[0], began.replace(tzinfo=UTC))
    return found


def spans(hours: Sequence[Hour]) -> list[Window]:
    """Return the windows of *hours*, consecutive hours merged: each window is listed by one request."""
    found: list[Window] = []
    for hour in hours:
        if found and found[-1].end == hour.window.start:
            found[-1] = Window(hour.window.day, found[-1].start, hour.window.end)
        else:
            found.append(hour.window)
    return found


def in_words(hours: Sequence[Hour]) -> str:
    """Write the hours, consecutive hours as a range."""
    numbers = [hour.number for hour in hours]
    starts = [number for number in numbers if number - 1 not in numbers]
    ends = [number for number in numbers if number + 1 not in numbers]
    ranges = [
        f"{first:02}" if first == last else f"{first:02}-{last:02}" for first, last in zip(starts, ends, strict=True)
    ]
    return f"hours {', '.join(ranges)}" if ranges else "no hour that was not read"


def note_read(session: Session, hours: Iterable[Hour], source: str, run_id: str, began: datetime) -> None:
    """Record that *hours* were read; call it in the transaction that ends the reading.

    Args:
        session: the transaction.
        hours: of one day.
        source: as the user gave it.
        run_id: the run that read them.
        began: when the listing began, UTC without a zone.
    """
    for hour in hours:
        day, window = hour.window.day, hour.window
        posted = [day, window.start.replace(tzinfo=None), window.end.replace(tzinfo=None)]
        rows = session.execute(
            "SELECT count(*) FROM raw.items WHERE day = ? AND posted_at >= ? AND posted_at < ?", posted
        )[0][0]
        stage_rows.begin_stage(session, day, hour.stage, run_id, began, source=source, by_source=True)
        stage_rows.end_stage(session, day, hour.stage, COMPLETE, run_id, began, rows=int(rows))


def forget(session: Session, day: date, source: str) -> None:
    """Delete the hours of *day* from *source* from the ledger, once the whole day was read from there."""
    session.execute(
        "DELETE FROM ops.partitions WHERE day = ? AND stage LIKE ? AND source = ?", [day, f"{INGEST}:%", source]
    )

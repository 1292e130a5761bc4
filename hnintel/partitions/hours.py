"""Hours of a day as partitions of its reading: those that are over are read one by one while the day is going on."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from hnintel.ledger import stage_rows
from hnintel.ledger.stage_names import INGEST
from hnintel.ledger.statuses import COMPLETE
from hnintel.warehouse.base import Session
from hnintel.window import Window

#: What an hour has may be listed some minutes late: one that was read sooner after its end is read once more.
LATE = timedelta(minutes=30)


@dataclass(frozen=True, slots=True)
class Hour:
    """An hour of a day, by its number since midnight: from 0, up to 24 where clocks go back."""

    number: int
    window: Window

    @property
    def stage(self) -> str:
        """As the ledger names it, beside the stages of the whole day."""
        return f"{INGEST}:{self.number:02}"


def hours_of(day: Window) -> list[Hour]:
    """The hours of a day, half-open and in their order; there are 23 to 25 of them."""
    count = round((day.end - day.start) / timedelta(hours=1))
    starts = [day.start + timedelta(hours=number) for number in range(count)]
    ends = [*starts[1:], day.end]
    return [Hour(number, Window(day.day, *ends)) for number, ends in enumerate(zip(starts, ends, strict=True))]


def hours_due(session: Session, day: Window, source: str, until: datetime) -> list[Hour]:
    """The hours of *day* that are over at *until* and were not read from *source* since they and :data:`LATE` were.

    So an hour that was missed is made up for by the next run, and a late run does the same hours as one in time.

    Args:
        session: the transaction it is read in.
        day: the partition.
        source: as the user named it.
        until: when the run was to start.
    """
    begun = read_at(session, day.day, day.day, source).get(day.day, {})
    return [
        hour
        for hour in hours_of(day)
        if hour.window.end <= until and begun.get(hour.stage, datetime.min.replace(tzinfo=UTC)) < hour.window.end + LATE
    ]


def read_at(session: Session, first: date, last: date, source: str | None = None) -> dict[date, dict[str, datetime]]:
    """When the reading began of each hour that is noted of the days from *first* to *last*; of one source or of any.

    By day, and by the hour's stage in the order of hours; a day without an hour is not there. Of an hour that several
    sources were read for, the last reading counts.
    """
    rows = session.execute(
        "SELECT day, stage, started_at FROM ops.partitions WHERE day BETWEEN ? AND ? AND stage LIKE ? "
        "AND (? IS NULL OR source = ?) ORDER BY day, stage",
        [first, last, f"{INGEST}:%", source, source],
    )
    found: dict[date, dict[str, datetime]] = {}
    for day, stage, began in rows:  # what was set aside for another source comes behind it
        found.setdefault(day, {}).setdefault(stage.partition("@")[0], began.replace(tzinfo=UTC))
    return found


def spans(hours: Sequence[Hour]) -> list[Window]:
    """The windows of *hours*, those that follow each other as one: each is listed by one request."""
    found: list[Window] = []
    for hour in hours:
        if found and found[-1].end == hour.window.start:
            found[-1] = Window(hour.window.day, found[-1].start, hour.window.end)
        else:
            found.append(hour.window)
    return found


def in_words(hours: Sequence[Hour]) -> str:
    """Which hours these are, those that follow each other as one."""
    numbers = [hour.number for hour in hours]
    starts = [number for number in numbers if number - 1 not in numbers]
    ends = [number for number in numbers if number + 1 not in numbers]
    told = [
        f"{first:02}" if first == last else f"{first:02}-{last:02}" for first, last in zip(starts, ends, strict=True)
    ]
    return f"hours {', '.join(told)}" if told else "no hour that was not read"


def note_read(session: Session, hours: Iterable[Hour], source: str, run_id: str, began: datetime) -> None:
    """Note that *hours* were read to their end; call it in the transaction that ends the reading.

    Args:
        session: the transaction.
        hours: of one day.
        source: as the user named it.
        run_id: who read them.
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
    """Take the hours of *day* that were read from *source* out of the ledger: the whole of it was read from there."""
    session.execute(
        "DELETE FROM ops.partitions WHERE day = ? AND stage LIKE ? AND source = ?", [day, f"{INGEST}:%", source]
    )

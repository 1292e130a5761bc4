"""What is due again: gaps in the calendar, days that failed, days that settle, and dead letters that are due."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime, timedelta

from hnintel import dead_letters, leases, settle
from hnintel.partitions.calendar import Span, known_days, newest_whole_day
from hnintel.partitions.graph import INGEST
from hnintel.partitions.made_of import days_between
from hnintel.settings import Settings
from hnintel.settle import Due
from hnintel.sources import open_source
from hnintel.warehouse.base import Session
from hnintel.window import day_of


def days_due(session: Session, settings: Settings, source: str, now: datetime) -> list[Due]:
    """The days to be run again at *now* (UTC without a zone), oldest first.

    A day is due where it is missing or did not come to its end (:func:`gaps`), when it settles
    (:func:`hnintel.settle.due_days`), and when a dead letter of it is due: an article whose site was down, an item that
    was not read, a bad answer. A letter that was tried often enough is not. Nothing is due for a changed question:
    asking it of old days is for a person to plan, and a backfill to do.
    """
    readings = settle.day_readings(session, source)
    why: dict[date, list[str]] = {due.day: [due.why] for due in gaps(session, settings, source, now)}
    for due in settle.due_days(readings, now, settings.settle_days, settings.time_zone):
        why.setdefault(due.day, []).append(due.why)
    # Only days that are this source's: another's would be read from where they never were.
    own = {reading.day for reading in readings}
    letters = dead_letters.letters(session, settings, now)
    waiting = Counter(letter.day for letter in letters if letter.due and letter.day in own)
    for day, count in waiting.items():
        why.setdefault(day, []).append(f"{count} dead letter{'s are' if count > 1 else ' is'} due")
    at_work = {day for day, _ in leases.alive(session, now)}
    return [Due(day, "; ".join(reasons)) for day, reasons in sorted(why.items()) if day not in at_work]


def gaps(session: Session, settings: Settings, source: str, now: datetime) -> list[Due]:
    """The days, at most ``catch_up_days`` back, that the ledger has nothing of, or whose run did not come to its end.

    The calendar begins with the first day that was ever run from *source*: where nothing was, nothing is made up for.
    """
    known = known_days(session, source)
    if known is None or not settings.catch_up_days:
        return []
    last = newest_whole_day(open_source(source, settings), now, settings.time_zone)
    oldest = day_of(now.replace(tzinfo=UTC), settings.time_zone) - timedelta(days=settings.catch_up_days)
    first = max(known.first, settings.first_day, oldest)
    found = _stages(session, Span(first, last))
    named = [(day, _why(found.get(day, {}))) for day in days_between(first, last)]
    return [Due(day, why) for day, why in named if why]


def _why(statuses: dict[str, str]) -> str | None:
    if INGEST not in statuses:
        return "it was never run"
    for stage, status in statuses.items():
        if status == "running":
            return f"{stage}: its run died"
        if status in ("failed", "stopped"):
            return f"{stage} {status}"
    return None


def _stages(session: Session, span: Span) -> dict[date, dict[str, str]]:
    rows = session.execute(
        "SELECT day, stage, status FROM ops.partitions WHERE day BETWEEN ? AND ? ORDER BY day, started_at, stage",
        [span.first, span.last],
    )
    found: dict[date, dict[str, str]] = {}
    for day, stage, status in rows:
        found.setdefault(day, {})[stage] = status
    return found

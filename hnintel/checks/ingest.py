"""Checks of the items and comments read from Hacker News."""

from __future__ import annotations

from datetime import date, timedelta
from functools import partial
from statistics import median
from typing import get_args

from hnintel.checks.check import Check, Verdict, share_of
from hnintel.errors import counted
from hnintel.ledger.stage_names import COMMENTS, INGEST, ITEMS
from hnintel.models import ItemStatus
from hnintel.settings import Settings
from hnintel.warehouse.base import Session
from hnintel.warehouse.statements import statement
from hnintel.window import Window

#: The least number of earlier days to compare with: of two days, one could be a holiday.
_ENOUGH = 3


def ingest_checks() -> list[Check]:
    """The checks of a day after it was read."""
    return [
        Check(INGEST, "there are items", True, _not_empty),
        Check(INGEST, "as many items as usual", False, _as_many_as_usual),
        Check(INGEST, "no item twice", True, partial(_unique, "items")),
        Check(INGEST, "no comment twice", True, partial(_unique, "comments")),
        Check(INGEST, "statuses of items", False, partial(_known_statuses, "items")),
        Check(INGEST, "statuses of comments", False, partial(_known_statuses, "comments")),
        Check(INGEST, "items lost", False, partial(_lost, "items", ITEMS)),
        Check(INGEST, "comments lost", False, partial(_lost, "comments", COMMENTS)),
    ]


def _not_empty(session: Session, day: date, settings: Settings) -> Verdict:
    counts = _counts(session, day, settings)
    items, others = counts.pop(day, 0), list(counts.values())
    if items:
        return Verdict(True, counted(items, "item"))
    if len(others) < _ENOUGH:
        return Verdict(True, f"no items; not enough to judge: {len(others)} of the days before have some")
    usual = median(others)
    detail = f"no items; usually {usual:g} a day in the last {counted(settings.check_baseline_days, 'day')}"
    return Verdict(usual < settings.check_min_rows, detail)


def _as_many_as_usual(session: Session, day: date, settings: Settings) -> Verdict:
    counts = _counts(session, day, settings)
    items = counts.pop(day, 0)
    alike = [count for other, count in counts.items() if other.weekday() == day.weekday()]
    if _read_too_early(session, day, settings):
        return Verdict(True, f"{counted(items, 'item')}; not enough to judge: the day was not over when it was read")
    if len(alike) < _ENOUGH:
        return Verdict(
            True, f"{counted(items, 'item')}; not enough to judge: {len(alike)} of the last weeks have this weekday"
        )
    usual, factor = median(alike), settings.check_count_factor
    if usual < settings.check_min_rows:
        return Verdict(True, f"{counted(items, 'item')}; not enough to judge: usually {usual:g} on a {day:%A}")
    weeks = f"{min(alike)} to {max(alike)} in {counted(len(alike), 'week')}"
    detail = f"{counted(items, 'item')}; usually {usual:g} on a {day:%A} ({weeks})"
    return Verdict(usual / factor <= items <= usual * factor, detail)


def _counts(session: Session, day: date, settings: Settings) -> dict[date, int]:
    """The number of listed items of *day* and of earlier days with any, by day; poll options do not count."""
    first = day - timedelta(days=settings.check_baseline_days)
    return dict(session.execute(statement("checks/counts"), [first, day]))


def _read_too_early(session: Session, day: date, settings: Settings) -> bool:
    """Whether the day was read before it was over; False where no reading is recorded."""
    rows = session.execute("SELECT finished_at FROM ops.partitions WHERE day = ? AND stage = ?", [day, INGEST])
    end = Window.of(day, settings.time_zone).end.replace(tzinfo=None)
    return bool(rows) and rows[0][0] is not None and rows[0][0] < end


def _unique(table: str, session: Session, day: date, settings: Settings) -> Verdict:
    # DuckDB enforces primary keys; Snowflake only records them.
    ids, too_many = session.execute(statement("checks/keys", table=table), [day])[0]
    return share_of(int(too_many), int(ids), 0.0, f"{table} are copies")


def _known_statuses(table: str, session: Session, day: date, settings: Settings) -> Verdict:
    counts = dict(session.execute(statement("checks/statuses", table=table), [day]))
    unknown = sum(count for status, count in counts.items() if status not in get_args(ItemStatus))
    return share_of(unknown, sum(counts.values()), 0.0, f"have another status than {', '.join(get_args(ItemStatus))}")


def _lost(table: str, stage: str, session: Session, day: date, settings: Settings) -> Verdict:
    stored = int(session.execute(statement("checks/keys", table=table), [day])[0][0])
    lost = session.execute("SELECT count(*) FROM ops.dead_letters WHERE stage = ? AND day = ?", [stage, day])[0][0]
    return share_of(int(lost), stored + int(lost), settings.check_lost_share, "wait in the dead letters")

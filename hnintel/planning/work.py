"""A range of days to be made up for: which of their stages are to be done, and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal, get_args

from hnintel.ledger.stage_names import INGEST
from hnintel.ledger.statuses import FAILED, STOPPED
from hnintel.partitions.calendar import Span, days_between
from hnintel.partitions.pipeline import Pipeline
from hnintel.partitions.state import Partition, grid
from hnintel.warehouse.base import Session

#: Which partitions are chosen: due in any way, never run, stale, failed; or all, done or not.
Only = Literal["due", "missing", "stale", "failed", "all"]
ONLY: tuple[Only, ...] = get_args(Only)
_STATUSES: Mapping[Only, tuple[str, ...]] = {
    "missing": ("missing",),
    "stale": ("stale",),
    "failed": (FAILED, STOPPED),
}


#: Stands before the days and the run in the lease of a backfill.
_LEASE = "backfill"


def lease_of(span: Span, run_id: str) -> str:
    """What a backfill holds while it lasts, so that nobody begins what it has yet to do."""
    return f"{_LEASE} {span.first} {span.last} {run_id}"


def days_held(stage: str) -> list[date]:
    """The days of the backfill whose lease is so named; none where it is another's lease."""
    kind, *told = stage.split(" ")
    return days_between(*map(date.fromisoformat, told[:2])) if kind == _LEASE and len(told) == 3 else []


@dataclass(frozen=True, slots=True)
class Work:
    """What is to be done of one day: its stages in their order, and why each."""

    day: date
    stages: Mapping[str, str]
    #: How often the first of them was tried: another try is another request.
    attempts: int = 0

    @property
    def reads(self) -> bool:
        """Whether the day is read from its source."""
        return INGEST in self.stages


def choose_work(
    session: Session,
    pipeline: Pipeline,
    span: Span,
    stages: frozenset[str],
    only: Only,
    now: datetime,
    newest_first: bool = False,
) -> list[Work]:
    """The days of *span* that have something to be done, and what that is.

    A stage whose upstream is to be done is chosen with it: whether it is really to be done is known once that has run.

    Args:
        session: the transaction it is read in; nothing is written.
        pipeline: what partitions would be made of.
        span: days.
        stages: no others.
        only: which partitions.
        now: UTC without a zone.
        newest_first: the order of the days.
    """
    found = grid(session, pipeline, span.first, span.last, now)
    works = [_work(pipeline, day, found[day], stages, only) for day in sorted(found, reverse=newest_first)]
    return [work for work in works if work.stages]


def _work(
    pipeline: Pipeline, day: date, partitions: Mapping[str, Partition], stages: frozenset[str], only: Only
) -> Work:
    chosen: dict[str, str] = {}
    for stage, after in pipeline.stages.items():
        if stage not in stages:
            continue
        one, upstream = partitions[stage], [name for name in after if name in chosen]
        if _is_chosen(one, only):
            chosen[stage] = f"{one.status}: {one.why}" if one.why else one.status
        elif upstream:
            chosen[stage] = f"after {upstream[0]}"
    first = next(iter(chosen), None)
    noted = partitions[first].noted if first else None
    return Work(day, chosen, noted.attempts if noted else 0)


def _is_chosen(one: Partition, only: Only) -> bool:
    if only == "all":
        return True
    return one.due if only == "due" else one.status in _STATUSES[only]

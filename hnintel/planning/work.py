"""The work of a range of days: which stages of each day to run, and why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal, get_args

from hnintel.ledger.stage_names import INGEST
from hnintel.ledger.statuses import FAILED, STOPPED
from hnintel.partitions.calendar import Span, days_between
from hnintel.partitions.pipeline import Pipeline
from hnintel.partitions.state import Partition, grid
from hnintel.warehouse.base import Session

#: Which partitions are chosen: due for any reason, never run, stale, failed; or all, done or not.
Only = Literal["due", "missing", "stale", "failed", "all"]
ONLY: tuple[Only, ...] = get_args(Only)
_STATUSES: Mapping[Only, tuple[str, ...]] = {
    "missing": ("missing",),
    "stale": ("stale",),
    "failed": (FAILED, STOPPED),
}


#: The first word of a backfill's lease; the days and the run follow.
_LEASE = "backfill"


def lease_of(span: Span, run_id: str) -> str:
    """Name the lease that a backfill has while it runs, so that no other run starts its remaining days."""
    return f"{_LEASE} {span.first} {span.last} {run_id}"


def days_held(stage: str) -> list[date]:
    """Return the days of the backfill with the lease named *stage*; empty where it is no backfill's lease."""
    kind, *words = stage.split(" ")
    return days_between(*map(date.fromisoformat, words[:2])) if kind == _LEASE and len(words) == 3 else []


@dataclass(frozen=True, slots=True)
class Work:
    """The work of a day: the stages to run, in order, and the reason for each."""

    day: date
    stages: Mapping[str, str]
    #: How often the first stage was tried: each attempt is a request of its own.
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
    """Return the days of *span* with stages to run, and these stages.

    A stage downstream of a chosen stage is chosen too: whether it is due is known only after its upstream has run.

    Args:
        session: the transaction; nothing is written.
        pipeline: gives the current fingerprints and inputs.
        span: days.
        stages: choose among these stages.
        only: which partitions.
        now: UTC without a zone.
        newest_first: the order of the days.
    """
    states = grid(session, pipeline, span.first, span.last, now)
    works = [_work(pipeline, day, states[day], stages, only) for day in sorted(states, reverse=newest_first)]
    return [work for work in works if work.stages]


def not_ready(session: Session, pipeline: Pipeline, works: Sequence[Work], now: datetime) -> dict[date, str]:
    """The days of *works* of which nothing can be done, and why: what a stage is made of is not there, nor to be made.

    Args:
        session: the transaction it is read in; nothing is written.
        pipeline: what partitions would be made of.
        works: as :func:`choose_work` gives them.
        now: UTC without a zone.
    """
    if not works:
        return {}
    days = [work.day for work in works]
    found = grid(session, pipeline, min(days), max(days), now)
    missing = {}
    for work in works:
        first = next(iter(work.stages))
        lacks = [name for name in pipeline.stages[first] if not found[work.day][name].is_done]
        if lacks:
            missing[work.day] = f"{first} comes after {lacks[0]}, which is not done"
    return missing


def _work(
    pipeline: Pipeline, day: date, partitions: Mapping[str, Partition], stages: frozenset[str], only: Only
) -> Work:
    chosen: dict[str, str] = {}
    for stage, after in pipeline.stages.items():
        if stage not in stages:
            continue
        partition, upstream = partitions[stage], [name for name in after if name in chosen]
        if _is_chosen(partition, only):
            chosen[stage] = f"{partition.status}: {partition.why}" if partition.why else partition.status
        elif upstream:
            chosen[stage] = f"after {upstream[0]}"
    first = next(iter(chosen), None)
    noted = partitions[first].noted if first else None
    return Work(day, chosen, noted.attempts if noted else 0)


def _is_chosen(partition: Partition, only: Only) -> bool:
    if only == "all":
        return True
    return partition.due if only == "due" else partition.status in _STATUSES[only]

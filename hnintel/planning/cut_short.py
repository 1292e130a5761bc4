"""Days whose last run was cut short, by a kill or an interrupt: they are due, whatever their age."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from itertools import groupby, takewhile

from hnintel.ledger import leases, runs
from hnintel.ledger.leases import Lease
from hnintel.ledger.statuses import FAILED, RUNNING, STOPPED
from hnintel.partitions.pipeline import Pipeline
from hnintel.warehouse.base import Session
from hnintel.window import Window, utc_now

#: A day whose runs were cut short more often than this in a row may be what kills them: a person has to look.
MOST_TRIES = 5
_SIGNALS = ("CancelledError", "KeyboardInterrupt", "Stopped", "SystemExit", "TerminationSignal")
#: What the ledger says of a stage that a signal has ended.
_ERRORS = ("interrupted", *(f"ended by {name}" for name in _SIGNALS))


@dataclass(frozen=True, slots=True)
class CutShort:
    """A day, why it counts as cut short, and how many of its runs were so, one after the other."""

    day: date
    why: str
    tries: int

    @property
    def is_given_up(self) -> bool:
        """Whether it is left to a person."""
        return self.tries > MOST_TRIES


@dataclass(frozen=True, slots=True)
class _Run:
    day: date
    run_id: str
    status: str
    started_at: datetime
    summary: str | None

    def is_cut_short(self, alive: set[str]) -> bool:
        if self.status == RUNNING:
            return self.run_id not in alive
        if self.summary is None:
            return self.status == FAILED
        return self.status in (FAILED, STOPPED) and _error_of(self.summary) in _SIGNALS


def cut_short(session: Session, pipeline: Pipeline, now: datetime) -> list[CutShort]:
    """The days, oldest first, that a run from *pipeline*'s source has begun and not come to the end of.

    A day that is going on is left out: its next hour is read by the next run.

    Args:
        session: the transaction it is read in.
        pipeline: with the source and the settings.
        now: UTC without a zone.
    """
    held = leases.alive(session, utc_now())
    found = {one.day: one for one in [*_by_stages(session, pipeline, held), *_by_runs(session, pipeline, held)]}
    zone, first = pipeline.settings.time_zone, pipeline.settings.first_day
    return [found[day] for day in sorted(found) if day >= first and Window.of(day, zone).is_over(now)]


def close_dead(session: Session, now: datetime) -> set[str]:
    """Note in the ledger which runs died, and take their leases out; the ids of the runs that are alive.

    Args:
        session: the transaction.
        now: the time by the clock, UTC without a zone, by which leases end.
    """
    leases.delete_dead(session, now)
    alive = {one.run_id for one in leases.alive(session, now).values()}
    runs.close_dead_runs(session, alive, now)
    return alive


def _by_runs(session: Session, pipeline: Pipeline, held: dict[tuple[date, str], Lease]) -> Iterator[CutShort]:
    alive = {one.run_id for one in held.values()}
    rows = session.execute(
        "SELECT day, run_id, status, started_at, CASE WHEN status IN ('failed', 'stopped') THEN summary END "
        "FROM ops.runs WHERE source = ? ORDER BY day, started_at DESC, run_id",
        [pipeline.spec],
    )
    for day, of_day in groupby((_Run(*row) for row in rows), key=lambda run: run.day):
        cut = list(takewhile(lambda run: run.is_cut_short(alive), of_day))
        if cut:
            yield CutShort(day, f"its run of {cut[0].started_at:%Y-%m-%d %H:%M} UTC {_how(cut[0])}", len(cut))


def _by_stages(session: Session, pipeline: Pipeline, held: dict[tuple[date, str], Lease]) -> Iterator[CutShort]:
    """By what the ledger has of stages: a backfill builds the marts of many days, and is no run of any of them."""
    marks = ", ".join("?" for _ in _ERRORS)
    rows = session.execute(
        "SELECT day, stage, run_id, status FROM ops.partitions WHERE coalesce(source, ?) = ? "
        f"AND (status = 'running' OR (status = 'failed' AND error IN ({marks}))) ORDER BY day, stage",
        [pipeline.spec, pipeline.spec, *_ERRORS],
    )
    for day, stage, run_id, status in rows:
        holds = held.get((day, stage)) or held.get((leases.ALL_DAYS, stage))
        is_alive = holds is not None and holds.run_id == run_id
        if stage in pipeline.stages and not (status == RUNNING and is_alive):
            yield CutShort(day, f"{stage}: its run {'died' if status == RUNNING else 'was interrupted'}", 1)


def _how(run: _Run) -> str:
    return "died" if run.summary is None else "was interrupted"


def _error_of(summary: str) -> str:
    """The name of the error that a run ended with, as its summary has it."""
    try:
        told = json.loads(summary)
    except ValueError:
        return ""
    return str(told.get("error", "")).partition(":")[0] if isinstance(told, dict) else ""

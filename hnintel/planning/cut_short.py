"""Days whose last run was killed or interrupted: they are due, whatever their age."""

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

#: A day whose runs were cut short more often than this in a row may be the cause: a person has to look.
MOST_TRIES = 5
_SIGNALS = ("CancelledError", "KeyboardInterrupt", "Stopped", "SystemExit", "TerminationSignal")
#: The error in the ledger of a stage that a signal ended.
_ERRORS = ("interrupted", *(f"ended by {name}" for name in _SIGNALS))


@dataclass(frozen=True, slots=True)
class CutShort:
    """A day, why it counts as cut short, and how many of its last runs in a row were cut short."""

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
    """Return the days, oldest first, whose last run from *pipeline*'s source began and did not finish.

    A day in progress is left out: the next run reads its next hour.

    Args:
        session: the transaction.
        pipeline: with the source and the settings.
        now: UTC without a zone.
    """
    alive_leases = leases.alive(session, utc_now())
    by_day = {
        cut.day: cut
        for cut in [*_by_stages(session, pipeline, alive_leases), *_by_runs(session, pipeline, alive_leases)]
    }
    zone, first = pipeline.settings.time_zone, pipeline.settings.first_day
    return [by_day[day] for day in sorted(by_day) if day >= first and Window.of(day, zone).is_over(now)]


def close_dead(session: Session, now: datetime) -> set[str]:
    """Record in the ledger which runs died, delete their leases, and return the ids of live runs.

    Args:
        session: the transaction.
        now: the clock's time, UTC without a zone, by which leases end.
    """
    leases.delete_dead(session, now)
    alive = {lease.run_id for lease in leases.alive(session, now).values()}
    runs.close_dead_runs(session, alive, now)
    return alive


def _by_runs(session: Session, pipeline: Pipeline, alive_leases: dict[tuple[date, str], Lease]) -> Iterator[CutShort]:
    alive = {lease.run_id for lease in alive_leases.values()}
    rows = session.execute(
        "SELECT day, run_id, status, started_at, CASE WHEN status IN ('failed', 'stopped') THEN summary END "
        "FROM ops.runs WHERE source = ? ORDER BY day, started_at DESC, run_id",
        [pipeline.spec],
    )
    for day, of_day in groupby((_Run(*row) for row in rows), key=lambda run: run.day):
        cut = list(takewhile(lambda run: run.is_cut_short(alive), of_day))
        if cut:
            yield CutShort(day, f"its run of {cut[0].started_at:%Y-%m-%d %H:%M} UTC {_how(cut[0])}", len(cut))


def _by_stages(session: Session, pipeline: Pipeline, alive_leases: dict[tuple[date, str], Lease]) -> Iterator[CutShort]:
    """Find cut-short days by the ledger's stages: a backfill builds the marts of many days, and is no run of a day."""
    marks = ", ".join("?" for _ in _ERRORS)
    rows = session.execute(
        "SELECT day, stage, run_id, status FROM ops.partitions WHERE coalesce(source, ?) = ? "
        f"AND (status = 'running' OR (status = 'failed' AND error IN ({marks}))) ORDER BY day, stage",
        [pipeline.spec, pipeline.spec, *_ERRORS],
    )
    for day, stage, run_id, status in rows:
        holds = alive_leases.get((day, stage)) or alive_leases.get((leases.ALL_DAYS, stage))
        is_alive = holds is not None and holds.run_id == run_id
        if stage in pipeline.stages and not (status == RUNNING and is_alive):
            yield CutShort(day, f"{stage}: its run {'died' if status == RUNNING else 'was interrupted'}", 1)


def _how(run: _Run) -> str:
    return "died" if run.summary is None else "was interrupted"


def _error_of(summary: str) -> str:
    """Return the name of the error in a run's summary; "" where it has none."""
    try:
        parsed = json.loads(summary)
    except ValueError:
        return ""
    return str(parsed.get("error", "")).partition(":")[0] if isinstance(parsed, dict) else ""

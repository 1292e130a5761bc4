"""Run one stage of a day: lease it, skip it where it is done, record its beginning, end and failure."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import date, datetime

from hnintel.errors import BudgetReached, HnIntelError, UsageError
from hnintel.ledger import leases, stage_rows, statuses
from hnintel.ledger.leases import Leases
from hnintel.ledger.stage_names import INGEST
from hnintel.partitions.pipeline import Pipeline
from hnintel.partitions.state import Partition, grid, partition
from hnintel.process import progress
from hnintel.runs.summary import Summary
from hnintel.warehouse.base import Session
from hnintel.window import utc_now


@dataclass(frozen=True)
class Run:
    """A run of one day: its pipeline, its leases, and the requested stages.

    ``again``: run the requested stages even where they are done. ``hours_until``: read only the hours that are over by
    then; None: the whole day.
    """

    day: date
    run_id: str
    pipeline: Pipeline
    leases: Leases
    stages: frozenset[str]
    summary: Summary
    again: bool = False
    hours_until: datetime | None = None

    def wants_any(self, stages: Sequence[str]) -> bool:
        """Whether any of *stages* was requested."""
        return not self.stages.isdisjoint(stages)


@asynccontextmanager
async def stage(run: Run, name: str) -> AsyncIterator[Partition | None]:
    """Lease stage *name* for the block and yield its state from before; yield None where the stage is to be skipped.

    Raises:
        UsageError: an upstream stage was never done.
        WarehouseBusy: another run had the stage's lease for longer than the set wait.
    """
    if name not in run.stages:
        yield None
        return
    waiting = run.leases.waiting(run.day, name)
    while (seconds := await asyncio.to_thread(next, waiting, None)) is not None:
        await asyncio.sleep(seconds)
    try:
        state = await asyncio.to_thread(_begin, run, name)
        if not _is_to_be_done(run, state):
            _report_skipped(run, state)
            yield None
            return
        try:
            yield state
        except BaseException as error:
            _fail(run, name, error)
            raise
        await asyncio.to_thread(_end, run, name)
    finally:
        with suppress(HnIntelError):  # else the lease expires
            run.leases.give_back(run.day, name)


def _is_to_be_done(run: Run, state: Partition) -> bool:
    # The lease is ours: a stage that the ledger has as running was left by an attempt of this run that died.
    if run.again or state.due or state.status == statuses.RUNNING:
        return True
    # Reading a day again costs only time: lost items are retried whenever the day is requested.
    return state.stage == INGEST and state.status == statuses.PARTIAL


def _begin(run: Run, name: str) -> Partition:
    """Return the stage's state; where it is to be run, record its beginning."""
    with run.pipeline.warehouse.transaction(stage="enrich") as session:
        now = utc_now()
        for upstream in run.pipeline.stages[name]:
            if not partition(session, run.pipeline, run.day, upstream, now).is_done:
                raise UsageError(
                    f"{name} of {run.day} comes after {upstream}, which is not done: run {upstream}+ first"
                )
        state = partition(session, run.pipeline, run.day, name, now)
        if _is_to_be_done(run, state):
            begin(session, run.pipeline, [run.day], name, run.run_id, now)
        return state


def refuse_unready(session: Session, pipeline: Pipeline, day: date, name: str, now: datetime) -> None:
    """Raise UsageError where an upstream stage of *name* was never done."""
    upstream = pipeline.stages[name]
    states = grid(session, pipeline, day, day, now, upstream)[day] if upstream else {}
    for state in states.values():
        if not state.is_done:
            raise UsageError(
                f"{name} of {day} comes after {state.stage}, which is not done ({state.why}): run {state.stage} first"
            )


def begin(session: Session, pipeline: Pipeline, days: Sequence[date], name: str, run_id: str, now: datetime) -> None:
    """Record that a stage of *days* has begun, with its inputs and fingerprint.

    Raises:
        WarehouseBusy: another run took the stage over before this run began it.
    """
    leases.refuse_if_lost(session, min(days), name, run_id)
    inputs, fingerprint = pipeline.inputs(session, name, min(days), max(days)), pipeline.fingerprint(name)
    for day in days:
        stage_rows.begin_stage(
            session, day, name, run_id, now, fingerprint, inputs[day], pipeline.spec, pipeline.declared[name].by_source
        )


def _end(run: Run, name: str) -> None:
    """Record that the stage is done, unless its last task did so in its own transaction."""
    with run.pipeline.warehouse.transaction(stage="enrich") as session:
        if stage_rows.is_running(session, run.day, name, run.run_id):
            stage_rows.end_stage(session, run.day, name, statuses.COMPLETE, run.run_id, utc_now())


def _fail(run: Run, name: str, error: BaseException) -> None:
    status: statuses.Status = statuses.STOPPED if isinstance(error, BudgetReached) else statuses.FAILED
    message = str(error) if isinstance(error, HnIntelError) else f"ended by {type(error).__name__}"
    if isinstance(error, asyncio.CancelledError | KeyboardInterrupt):
        message = "interrupted"
    with suppress(HnIntelError), run.pipeline.warehouse.transaction(stage="enrich") as session:  # must not hide *error*
        if stage_rows.is_running(session, run.day, name, run.run_id):
            stage_rows.end_stage(session, run.day, name, status, run.run_id, utc_now(), error=message[:500])


def _report_skipped(run: Run, state: Partition) -> None:
    run.summary.skipped.append(state.stage)
    progress.finish(state.stage, f"{state.status}, skipped{f': {state.why}' if state.why else ''}")

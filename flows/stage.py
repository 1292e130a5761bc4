"""One stage of a day in a run: leased, skipped where it is done, begun, and noted as failed where it fails."""

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
    """A run of one day: what makes its partitions, its leases, and which stages were asked for.

    ``again`` does the stages that were asked for once more though they are done. ``hours_until``: only the hours that
    are over by then are read; None: the whole day.
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
        """Whether one of *stages* was asked for."""
        return not self.stages.isdisjoint(stages)


@asynccontextmanager
async def stage(run: Run, name: str) -> AsyncIterator[Partition | None]:
    """Hold stage *name* for the length of the block, which is given how it stood; None where nothing is to be done.

    Raises:
        UsageError: what the stage comes after was never done.
        WarehouseBusy: another run is at the stage for longer than the set wait.
    """
    if name not in run.stages:
        yield None
        return
    waiting = run.leases.waiting(run.day, name)
    while (seconds := await asyncio.to_thread(next, waiting, None)) is not None:
        await asyncio.sleep(seconds)
    try:
        found = await asyncio.to_thread(_begin, run, name)
        if not _is_to_be_done(run, found):
            _tell_skipped(run, found)
            yield None
            return
        try:
            yield found
        except BaseException as error:
            _fail(run, name, error)
            raise
        await asyncio.to_thread(_end, run, name)
    finally:
        with suppress(HnIntelError):  # else it ends by itself
            run.leases.give_back(run.day, name)


def _is_to_be_done(run: Run, found: Partition) -> bool:
    # The lease is ours: what the ledger has as running is what an attempt of this same run left behind as it died.
    if run.again or found.due or found.status == statuses.RUNNING:
        return True
    # Reading a day again costs nothing but time: what was lost is tried again whenever somebody asks for the day.
    return found.stage == INGEST and found.status == statuses.PARTIAL


def _begin(run: Run, name: str) -> Partition:
    """How the stage stands; where it is to be done, its beginning is noted."""
    with run.pipeline.warehouse.transaction(stage="enrich") as session:
        now = utc_now()
        for upstream in run.pipeline.stages[name]:
            if not partition(session, run.pipeline, run.day, upstream, now).is_done:
                raise UsageError(
                    f"{name} of {run.day} comes after {upstream}, which is not done: run {upstream}+ first"
                )
        found = partition(session, run.pipeline, run.day, name, now)
        if _is_to_be_done(run, found):
            begin(session, run.pipeline, [run.day], name, run.run_id, now)
        return found


def refuse_unready(session: Session, pipeline: Pipeline, day: date, name: str, now: datetime) -> None:
    """Raise UsageError where a stage that *name* comes after was never done: there is nothing to make it of."""
    upstream = pipeline.stages[name]
    found = grid(session, pipeline, day, day, now, upstream)[day] if upstream else {}
    for one in found.values():
        if not one.is_done:
            raise UsageError(
                f"{name} of {day} comes after {one.stage}, which is not done ({one.why}): run {one.stage} first"
            )


def begin(session: Session, pipeline: Pipeline, days: Sequence[date], name: str, run_id: str, now: datetime) -> None:
    """Note that a stage of *days* has begun, and what it is made of.

    Raises:
        WarehouseBusy: another run has taken it over, before this one came to begin it.
    """
    leases.refuse_if_lost(session, min(days), name, run_id)
    inputs, fingerprint = pipeline.inputs(session, name, min(days), max(days)), pipeline.fingerprint(name)
    for day in days:
        stage_rows.begin_stage(
            session, day, name, run_id, now, fingerprint, inputs[day], pipeline.spec, pipeline.declared[name].by_source
        )


def _end(run: Run, name: str) -> None:
    """Note that the stage is done, unless its last task did, in the transaction that made it so."""
    with run.pipeline.warehouse.transaction(stage="enrich") as session:
        if stage_rows.is_running(session, run.day, name, run.run_id):
            stage_rows.end_stage(session, run.day, name, statuses.COMPLETE, run.run_id, utc_now())


def _fail(run: Run, name: str, error: BaseException) -> None:
    status: statuses.Status = statuses.STOPPED if isinstance(error, BudgetReached) else statuses.FAILED
    told = str(error) if isinstance(error, HnIntelError) else f"ended by {type(error).__name__}"
    if isinstance(error, asyncio.CancelledError | KeyboardInterrupt):
        told = "interrupted"
    with suppress(HnIntelError), run.pipeline.warehouse.transaction(stage="enrich") as session:  # must not hide why
        if stage_rows.is_running(session, run.day, name, run.run_id):
            stage_rows.end_stage(session, run.day, name, status, run.run_id, utc_now(), error=told[:500])


def _tell_skipped(run: Run, found: Partition) -> None:
    run.summary.skipped.append(found.stage)
    progress.finish(found.stage, f"{found.status}, skipped{f': {found.why}' if found.why else ''}")

"""The child run of a day in a backfill: a subflow of this process, or a run of a deployment; the same partitions."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import date
from typing import Any

from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import FlowRun, State, StateType
from prefect.deployments import run_deployment
from prefect.exceptions import ObjectNotFound
from prefect.states import Cancelling, Crashed

from flows.main import hacker_news
from hnintel.errors import DayFailed, HnIntelError, UsageError, first_line
from hnintel.hashes import hash_of_values
from hnintel.ledger import leases
from hnintel.partitions.pipeline import Pipeline
from hnintel.planning.work import Work
from hnintel.window import utc_now

#: Reads and enriches one day: its stages, and whether they are to be done though they are; raises where it failed.
Child = Callable[[Work, Sequence[str], bool], Awaitable[None]]

_PAUSE = 2.0
_MOST_REQUESTS = 50
#: Lengths of a lease for which a run may have none, while it starts or cannot reach the warehouse.
_PATIENCE = 3
#: How often in a row it has to be seen without one, a lease's length apart, to be taken for gone.
_LOOKS = 2


def as_subflow(pipeline: Pipeline) -> Child:
    """Children that are subflows of the calling flow."""

    async def run(work: Work, stages: Sequence[str], again: bool) -> None:
        day: date = work.day
        try:
            await hacker_news.with_options(flow_run_name=str(day))(day, pipeline.spec, list(stages), again)
        except HnIntelError as error:
            error.announced = True  # by that run, as it ended
            raise

    return run


def through_deployment(pipeline: Pipeline, deployment: str) -> Child:
    """Children that are runs of *deployment*, wherever its worker runs them.

    A request that was made already makes no second run: its key is of the day, the stages, what makes them, and how
    often the ledger says they were tried.
    """

    async def run(work: Work, stages: Sequence[str], again: bool) -> None:
        parameters = {"day": str(work.day), "source": pipeline.spec, "stages": list(stages), "again": again}
        key = request_key(pipeline, work, stages)
        run = await _requested(deployment, work, parameters, key)
        try:
            run = await _ended(run, pipeline)
        except asyncio.CancelledError:
            async with get_client() as client:  # else it would go on by itself
                await client.set_flow_run_state(run.id, Cancelling())
            raise
        if run.state is None or run.state.type != StateType.COMPLETED:
            told = first_line(run.state.message or run.state.name or "no state") if run.state else "no state"
            error = DayFailed(f"run {run.name} ({run.id}): {told}")
            error.announced = run.state is not None and run.state.type == StateType.FAILED
            raise error

    return run


def request_key(pipeline: Pipeline, work: Work, stages: Sequence[str]) -> str:
    """Names one request: day, stages, fingerprint and attempt."""
    fingerprint = hash_of_values([pipeline.spec, [(stage, pipeline.fingerprint(stage)) for stage in stages]])
    return f"{work.day}:{next(iter(stages))}:{fingerprint}:{work.attempts + 1}"


async def _requested(deployment: str, work: Work, parameters: dict[str, Any], key: str) -> FlowRun:
    """The run of that request: the one there is, unless it died before the ledger had any of it."""
    for number in range(_MOST_REQUESTS):
        try:
            found: FlowRun = await run_deployment(  # type: ignore[misc]  # in a coroutine it gives one
                name=deployment,
                parameters=parameters,
                flow_run_name=str(work.day),
                timeout=0,
                idempotency_key=f"{key}:{number}" if number else key,
            )
        except ObjectNotFound:
            raise UsageError(f"there is no deployment {deployment}: run prefect deploy --all") from None
        if found.state is None or not found.state.is_final():
            return found
    raise DayFailed(f"{_MOST_REQUESTS} runs of {work.day} ended before they began: see the log of the worker")


async def _ended(run: FlowRun, pipeline: Pipeline) -> FlowRun:
    """Wait for the end of *run*; where its machine went, nobody would ever tell Prefect, so it is ended here."""
    alive_at, looks = time.monotonic(), 0
    patience = _PATIENCE * pipeline.settings.lease_seconds
    async with get_client() as client:
        while run.state is None or not run.state.is_final():
            await asyncio.sleep(_PAUSE)
            run = await client.read_flow_run(run.id)
            if run.state is None or not run.state.is_running():
                alive_at = time.monotonic()  # it waits for a worker, or for its turn
            elif time.monotonic() - alive_at > patience:
                if await asyncio.to_thread(_has_leases, pipeline, str(run.id)):
                    alive_at, looks = time.monotonic(), 0
                    continue
                looks += 1
                if looks < _LOOKS:  # it may have given them back just now, and be telling its end
                    alive_at += pipeline.settings.lease_seconds
                    continue
                gone: State[Any] = Crashed(message="its process gives no sign of life any more")
                await client.set_flow_run_state(run.id, gone, force=True)  # and its place is free
                run = await client.read_flow_run(run.id)
    return run


def _has_leases(pipeline: Pipeline, run_id: str) -> bool:
    """Whether a run holds leases that keep others off: from its beginning to its end it holds one at least."""
    with pipeline.warehouse.transaction(stage="enrich") as session:
        held = leases.alive(session, utc_now())
    return any(one.run_id == run_id for one in held.values())

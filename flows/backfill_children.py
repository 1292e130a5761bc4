"""The child run of a day in a backfill: a subflow of this process, or a run of a deployment."""

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
from hnintel.errors import DayFailed, HnIntelError, UsageError, did_you_mean, first_line
from hnintel.hashes import hash_of_values
from hnintel.ledger import leases
from hnintel.partitions.pipeline import Pipeline
from hnintel.planning.work import Work
from hnintel.window import utc_now

#: Reads and enriches one day, given its stages and whether to redo stages that are done; raises where it fails.
Child = Callable[[Work, Sequence[str], bool], Awaitable[None]]

_PAUSE = 2.0
_MOST_REQUESTS = 50
#: For how many lease lengths a run may be without a lease, while it starts or cannot reach the warehouse.
_PATIENCE = 3
#: After how many looks in a row without a lease, a lease length apart, a run counts as dead.
_LOOKS = 2


def as_subflow(pipeline: Pipeline) -> Child:
    """Return a child that is a subflow of the calling flow."""

    async def run(work: Work, stages: Sequence[str], again: bool) -> None:
        day: date = work.day
        try:
            await hacker_news.with_options(flow_run_name=str(day))(day, pipeline.spec, list(stages), again)
        except HnIntelError as error:
            error.announced = True  # the subflow announced it as it ended
            raise

    return run


def through_deployment(pipeline: Pipeline, deployment: str) -> Child:
    """Return a child that is a run of *deployment*, on whichever machine its worker runs.

    A repeated request starts no second run: its key names the day, the stages, their fingerprints, and how often the
    ledger says they were tried.
    """

    async def run(work: Work, stages: Sequence[str], again: bool) -> None:
        parameters = {"day": str(work.day), "source": pipeline.spec, "stages": list(stages), "again": again}
        key = request_key(pipeline, work, stages)
        run = await _request_run(deployment, work, parameters, key)
        try:
            run = await _wait_for_end(run, pipeline)
        except asyncio.CancelledError:
            async with get_client() as client:  # else the child would continue without its parent
                await client.set_flow_run_state(run.id, Cancelling())
            raise
        if run.state is None or run.state.type != StateType.COMPLETED:
            message = first_line(run.state.message or run.state.name or "no state") if run.state else "no state"
            error = DayFailed(f"run {run.name} ({run.id}): {message}")
            error.announced = run.state is not None and run.state.type == StateType.FAILED
            raise error

    return run


def request_key(pipeline: Pipeline, work: Work, stages: Sequence[str]) -> str:
    """Return the idempotency key of a request: day, first stage, fingerprint and attempt."""
    fingerprint = hash_of_values([pipeline.spec, [(stage, pipeline.fingerprint(stage)) for stage in stages]])
    return f"{work.day}:{next(iter(stages))}:{fingerprint}:{work.attempts + 1}"


async def _deployment_names() -> list[str]:
    """Return the deployments of the server as run_deployment names them: ``flow/deployment``."""
    async with get_client() as client:
        flows = {flow.id: flow.name for flow in await client.read_flows()}
        return [f"{flows.get(each.flow_id)}/{each.name}" for each in await client.read_deployments()]


async def _request_run(deployment: str, work: Work, parameters: dict[str, Any], key: str) -> FlowRun:
    """Start the run of a request, or return its live run; replace a run that ended before the ledger recorded it."""
    for number in range(_MOST_REQUESTS):
        try:
            run: FlowRun = await run_deployment(  # type: ignore[misc]  # returns a coroutine here
                name=deployment,
                parameters=parameters,
                flow_run_name=str(work.day),
                timeout=0,
                idempotency_key=f"{key}:{number}" if number else key,
            )
        except ObjectNotFound:
            known = await _deployment_names()
            flow, _, name = deployment.partition("/")
            others = [other.removeprefix(f"{flow}/") for other in known if other.startswith(f"{flow}/")]
            hint = did_you_mean(name, others) or ": run prefect deploy --all"
            raise UsageError(f"deployment {deployment} does not exist{hint}") from None
        if run.state is None or not run.state.is_final():
            return run
    raise DayFailed(f"{_MOST_REQUESTS} runs of {work.day} ended before they began: see the log of the worker")


async def _wait_for_end(run: FlowRun, pipeline: Pipeline) -> FlowRun:
    """Wait until *run* has ended; mark it as crashed where its machine is gone, since nothing else would."""
    alive_at, looks = time.monotonic(), 0
    patience = _PATIENCE * pipeline.settings.lease_seconds
    async with get_client() as client:
        while run.state is None or not run.state.is_final():
            await asyncio.sleep(_PAUSE)
            run = await client.read_flow_run(run.id)
            if run.state is None or not run.state.is_running():
                alive_at = time.monotonic()  # the run waits for a worker or a slot
            elif time.monotonic() - alive_at > patience:
                if await asyncio.to_thread(_has_leases, pipeline, str(run.id)):
                    alive_at, looks = time.monotonic(), 0
                    continue
                looks += 1
                if looks < _LOOKS:  # it may have released its leases and be reporting its end
                    alive_at += pipeline.settings.lease_seconds
                    continue
                gone: State[Any] = Crashed(message="its process shows no sign of life")
                await client.set_flow_run_state(run.id, gone, force=True)  # frees its slot
                run = await client.read_flow_run(run.id)
    return run


def _has_leases(pipeline: Pipeline, run_id: str) -> bool:
    """Whether the run has a live lease; a run has at least one from its beginning to its end."""
    with pipeline.warehouse.transaction(stage="enrich") as session:
        alive = leases.alive(session, utc_now())
    return any(lease.run_id == run_id for lease in alive.values())

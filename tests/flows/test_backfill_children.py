"""Days as runs of a deployment: a repeated request starts no second run, a new attempt does."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import pytest

from hnintel.errors import HnIntelError, UsageError
from hnintel.planning.work import Work
from tests.partitions.days import DAY, Days

STAGES = ("ingest", "enrich:topic")


@pytest.fixture
def days(home: Path, prefect_server: None) -> Days:
    return Days(home)


async def deployed() -> str:
    """Create a deployment of the main flow without a worker, and return its name."""
    from prefect.client.orchestration import get_client

    from flows.main import hacker_news

    async with get_client() as client:
        flow_id = await client.create_flow(hacker_news)
        await client.create_deployment(flow_id=flow_id, name="for-a-backfill")
    return "hacker-news/for-a-backfill"


async def end_runs(kind: str) -> list[str]:
    """Wait for a run of the deployment, end all its runs as a worker does, and return their names."""
    from prefect.client.orchestration import get_client
    from prefect.client.schemas.filters import DeploymentFilter, DeploymentFilterName
    from prefect.states import Completed, Crashed

    wanted = DeploymentFilter(name=DeploymentFilterName(any_=["for-a-backfill"]))
    async with get_client() as client:
        while True:
            found = await client.read_flow_runs(deployment_filter=wanted, limit=200)
            open_runs = [run for run in found if run.state and not run.state.is_final()]
            for run in open_runs:
                state = Completed() if kind == "completed" else Crashed(message="the machine went")
                await client.set_flow_run_state(run.id, state, force=True)
            if open_runs:
                return [run.name for run in open_runs]
            await asyncio.sleep(0.1)


def child_of(days: Days, work: Work, ends: str) -> list[str]:
    """Run *work* through the deployment, whose runs end as told; the names of the runs that there were."""
    from flows.backfill_children import through_deployment

    async def both() -> list[str]:
        name = await deployed()
        job: Coroutine[Any, Any, None] = through_deployment(days.pipeline, name)(work, STAGES, False)  # type: ignore[assignment]
        _, names = await asyncio.gather(job, end_runs(ends))
        return names

    return asyncio.run(both())


def test_a_day_is_a_run_of_its_own_named_by_its_day(days: Days) -> None:
    assert child_of(days, Work(DAY, dict.fromkeys(STAGES, "missing"), attempts=10), "completed") == [str(DAY)]


def test_a_failed_run_is_a_failed_day_with_its_reason(days: Days) -> None:
    with pytest.raises(HnIntelError, match=r"run 2026-10-21 \(.*\): the machine went") as failed:
        child_of(days, Work(DAY, dict.fromkeys(STAGES, "missing"), attempts=20), "crashed")
    assert not failed.value.announced, "a run that crashed could not"


def test_the_same_request_is_the_same_run_and_another_attempt_or_one_that_died_is_another(days: Days) -> None:
    from prefect.client.orchestration import get_client
    from prefect.states import Crashed

    from flows.backfill_children import _request_run, request_key

    work, again = (Work(DAY, dict.fromkeys(STAGES, "missing"), attempts=number) for number in (30, 31))
    parameters = {"day": str(DAY), "source": "sample", "stages": list(STAGES)}

    async def requested(one: Work) -> Any:
        key = request_key(days.pipeline, one, STAGES)
        return (await _request_run(await deployed(), one, parameters, key)).id

    async def kill(run_id: Any) -> None:
        async with get_client() as client:
            await client.set_flow_run_state(run_id, Crashed(), force=True)

    first, second, third = (asyncio.run(requested(one)) for one in (work, work, again))
    assert first == second != third
    asyncio.run(kill(first))
    assert asyncio.run(requested(work)) not in (first, third)


def test_a_changed_question_is_another_request(days: Days) -> None:
    from flows.backfill_children import request_key

    work = Work(DAY, dict.fromkeys(STAGES, "missing"))
    wider = days.made_from("sample", input_max_chars=900)
    assert request_key(days.pipeline, work, STAGES) == request_key(days.pipeline, work, STAGES)
    assert request_key(days.pipeline, work, STAGES) != request_key(wider, work, STAGES)


def test_a_missing_deployment_is_named(days: Days) -> None:
    from flows.backfill_children import through_deployment

    child = through_deployment(days.pipeline, "hacker-news/nowhere")
    with pytest.raises(UsageError, match="hacker-news/nowhere does not exist: run prefect deploy --all"):
        asyncio.run(child(Work(DAY, dict.fromkeys(STAGES, "missing")), STAGES, False))  # type: ignore[arg-type]


def test_a_mistyped_deployment_is_answered_with_the_close_name(days: Days) -> None:
    from flows.backfill_children import through_deployment

    async def request() -> None:
        name = await deployed()
        child = through_deployment(days.pipeline, name.removesuffix("l"))
        await child(Work(DAY, dict.fromkeys(STAGES, "missing")), STAGES, False)  # type: ignore[arg-type]

    with pytest.raises(UsageError, match=r"does not exist; did you mean for-a-backfill\?"):
        asyncio.run(request())


def test_a_run_whose_machine_is_lost_is_ended_and_its_day_fails(days: Days, monkeypatch: pytest.MonkeyPatch) -> None:
    from prefect.client.orchestration import get_client
    from prefect.states import Running

    from flows import backfill_children
    from flows.backfill_children import _wait_for_end
    from hnintel.ledger.leases import Leases

    monkeypatch.setattr(backfill_children, "_PAUSE", 0.1)
    pipeline = days.made_from("sample", lease_seconds=0.2)

    async def of_nobody() -> Any:
        run = await backfill_children._request_run(await deployed(), Work(DAY, {"ingest": "missing"}), {}, "of nobody")
        async with get_client() as client:
            await client.set_flow_run_state(run.id, Running(), force=True)
            return await client.read_flow_run(run.id)

    async def both() -> tuple[bool, str]:
        run = await of_nobody()
        with Leases(days.warehouse, str(run.id), days.settings) as held:
            held.take(DAY, f"run {run.id}")
            waiting = asyncio.ensure_future(_wait_for_end(run, pipeline))
            await asyncio.sleep(2)
            was_left = not waiting.done()
        return was_left, (await waiting).state.name

    assert asyncio.run(both()) == (True, "Crashed")


@pytest.mark.slow
def test_a_run_that_has_given_its_leases_back_has_time_to_tell_its_end(
    days: Days, monkeypatch: pytest.MonkeyPatch
) -> None:
    from prefect.client.orchestration import get_client
    from prefect.states import Completed, Running

    from flows import backfill_children

    monkeypatch.setattr(backfill_children, "_PAUSE", 0.1)
    looks = []

    def look(*_: object) -> bool:
        looks.append(True)
        return False

    monkeypatch.setattr(backfill_children, "_has_leases", look)
    pipeline = days.made_from("sample", lease_seconds=2)

    async def ends_late() -> str:
        run = await backfill_children._request_run(await deployed(), Work(DAY, {"ingest": "missing"}), {}, "ends late")
        async with get_client() as client:
            await client.set_flow_run_state(run.id, Running(), force=True)
            waiting = asyncio.ensure_future(
                backfill_children._wait_for_end(await client.read_flow_run(run.id), pipeline)
            )
            while not looks:
                await asyncio.sleep(0.1)
            await client.set_flow_run_state(run.id, Completed(), force=True)
        return str((await waiting).state.name)

    assert asyncio.run(ends_late()) == "Completed"


def test_an_unexpected_error_of_a_day_stops_no_other_day(days: Days) -> None:
    from datetime import timedelta

    from flows.backfill import Backfill, _days

    works = [Work(DAY + timedelta(days=number), {"ingest": "missing"}) for number in range(3)]
    ran = []

    async def child(work: Work, stages: Any, again: bool) -> None:
        ran.append(work.day)
        if work is works[0]:
            raise KeyError("what a page says")

    made = Backfill(days.pipeline, "parent", works, again=False)
    asyncio.run(_days(made, child, 1))

    assert ran == [work.day for work in works]
    assert list(made.failed) == [DAY]
    assert "unexpected KeyError" in made.failed[DAY]
    assert "page" not in made.failed[DAY]

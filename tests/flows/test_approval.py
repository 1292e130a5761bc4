"""A backfill that may cost more than the limit waits for approval, or is refused."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from prefect import flow, runtime
from prefect.client.orchestration import PrefectClient, get_client
from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterName
from prefect.client.schemas.objects import FlowRun
from prefect.exceptions import PrefectHTTPStatusError

from flows import approval
from hnintel.cost.budget import Estimate
from hnintel.errors import BudgetReached, UsageError
from hnintel.settings import Settings, load_settings

DEAR = Estimate(rows=10, input_tokens=1000, output_tokens=100, cost=7.5)


def settings(**given: Any) -> Settings:
    return load_settings(approve_above=5.0, **given)


def test_a_cheaper_backfill_needs_no_approval(prefect_server: None) -> None:
    asyncio.run(approval.approval(DEAR, load_settings(approve_above=8.0), "the plan"))
    asyncio.run(approval.approval(DEAR, load_settings(), "the plan"))


def test_without_a_deployment_it_is_refused_with_the_option_to_give() -> None:
    with pytest.raises(UsageError, match=r"may cost 7.5 credits, more than HNINTEL_APPROVE_ABOVE=5: .* --yes"):
        asyncio.run(approval.approval(DEAR, settings(), "the plan"))


@pytest.fixture
def deployed(prefect_server: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run with the environment of a deployment."""
    monkeypatch.setattr(approval, "_LOOKS", 1)
    monkeypatch.setattr(runtime.deployment, "id", "of-this-test", raising=False)


def waits(name: str, asked: Settings, answer: Callable[[Any], Any] | None) -> bool:
    """Run a flow that asks for approval, answer it once it is paused, and return whether it continued."""

    @flow(name=name, flow_run_name=name)
    async def asks() -> bool:
        await approval.approval(DEAR, asked, "the plan")
        return True

    async def both() -> bool:
        run = asyncio.ensure_future(asks())
        if answer is not None:
            await _resume(name, answer)
        return await run

    return asyncio.run(both())


async def _resume(name: str, answer: Callable[[Any], Any]) -> None:
    async with get_client() as client:
        for _ in range(600):
            for run in await client.read_flow_runs(flow_run_filter=FlowRunFilter(name=FlowRunFilterName(any_=[name]))):
                described = await _question(client, run)
                if described is not None:
                    assert "the plan" in described
                    assert "7.5 credits" in described
                    await client.resume_flow_run(run.id, run_input=answer(run))
                    return
            await asyncio.sleep(0.1)
    raise AssertionError("the run asked nothing within a minute")


async def _question(client: PrefectClient, run: FlowRun) -> str | None:
    """Return what a paused *run* asks; Prefect stores the reason after the pause, so it may be missing."""
    if run.state is None or not run.state.is_paused():
        return None
    asked = run.state.state_details.run_input_keyset
    assert asked is not None
    try:
        return str(await client.read_flow_run_input(run.id, asked["description"]))
    except PrefectHTTPStatusError as error:
        if error.response.status_code != 404:
            raise
        return None


def test_it_continues_once_approved(deployed: None) -> None:
    assert waits("says-yes", settings(), lambda _: {"go_on": True})


def test_it_stops_if_refused(deployed: None) -> None:
    with pytest.raises(BudgetReached, match="the answer was no: nothing was started"):
        waits("says-no", settings(), lambda _: {"go_on": False})


def test_it_stops_if_not_approved_in_time(deployed: None) -> None:
    with pytest.raises(BudgetReached, match=r"nobody answered within 0.05 minutes \(HNINTEL_APPROVE_MINUTES\)"):
        waits("nobody", settings(approve_minutes=0.05), None)

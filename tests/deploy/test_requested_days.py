"""Many days requested by events, and the nightly run, on a real server: which run waits for which."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.deploy.service import Service, eventually, running_service

pytestmark = pytest.mark.slow

_MANY = 12


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """All deployments without a worker: a test starts runs itself."""
    with running_service(tmp_path_factory.mktemp("service"), [["server", "start", "--no-ui"]]) as service:
        service.kill_the_worker()
        yield service


def ask_for(service: Service, day: str) -> None:
    """Emit the event, as the poller does."""
    resource = {"prefect.resource.id": f"hn.day.{day}"}
    event = {
        "id": str(uuid.uuid4()),
        "event": "hn.day.requested",
        "occurred": datetime.now(UTC).isoformat(),
        "resource": resource,
        "payload": {"day": day, "source": "sample"},
    }
    service.get("events", [event])  # type: ignore[arg-type]  # this one takes a list


def waiting(service: Service, name: str) -> list[dict[str, Any]]:
    """Return the pending runs of a deployment, the next first."""
    told = {"id": {"any_": [service.deployment(name)["id"]]}}
    sent = {"deployments": told, "flow_runs": {"state": {"type": {"any_": ["SCHEDULED"]}}}}
    runs: list[dict[str, Any]] = service.get("flow_runs/filter", sent | {"sort": "EXPECTED_START_TIME_ASC"})
    return [run for run in runs if not run["auto_scheduled"]]


def take_up(service: Service, run: str) -> str:
    """Propose to start a run, as a worker does, and return the server's answer."""
    answer: str = service.get(f"flow_runs/{run}/set_state", {"state": {"type": "PENDING"}})["status"]
    return answer


def test_the_nights_run_starts_however_many_days_are_asked_for(service: Service) -> None:
    for _ in range(_MANY):
        ask_for(service, "2026-10-21")
    asked = eventually(
        lambda: found if len(found := waiting(service, "hacker-news/requested")) >= _MANY else None,
        "a run for each event",
    )
    night = service.request("hacker-news/daily", day="2026-10-20", source="sample")

    before = (datetime.now(UTC) + timedelta(seconds=30)).isoformat()
    sent = {"scheduled_before": before, "limit": 1}
    (first,) = service.get("work_pools/hnintel/get_scheduled_flow_runs", sent)
    answers = [take_up(service, run["id"]) for run in asked]

    assert first["flow_run"]["id"] == night
    assert answers.count("ACCEPT") == 1
    assert take_up(service, night) == "ACCEPT"

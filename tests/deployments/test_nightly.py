"""prefect.yaml and the file for containers: runs that events start in any number do not delay scheduled runs."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from tests.conftest import ROOT


def deployments(file: str) -> dict[str, dict[str, Any]]:
    """Return the deployments of a file by name."""
    told = yaml.safe_load((ROOT / file).read_text(encoding="utf-8"))
    return {one["name"]: one for one in told["deployments"]}


@pytest.mark.parametrize("file", ["prefect.yaml", "deployments/prefect.cloud.yaml"])
def test_no_event_and_no_other_flow_starts_runs_of_what_the_clock_starts(file: str) -> None:
    found = deployments(file)
    by_clock = {name for name, one in found.items() if one.get("schedules")}
    assert {"daily", "reconcile"} <= by_clock
    assert [name for name in by_clock if found[name].get("triggers")] == []
    started = {str(one.get("parameters", {}).get("deployment", "")).rpartition("/")[2] for one in found.values()}
    assert started & by_clock == set()


@pytest.mark.parametrize("file", ["prefect.yaml", "deployments/prefect.cloud.yaml"])
def test_requested_days_wait_in_a_queue_and_at_a_limit_of_their_own(file: str) -> None:
    found = deployments(file)
    assert found["requested"]["concurrency_limit"] == {"limit": 1, "collision_strategy": "ENQUEUE"}
    queues = {name: (one.get("work_pool") or {}).get("work_queue_name") for name, one in found.items()}
    assert [name for name, queue in queues.items() if queue == "requested"] == ["requested"]


def test_the_children_of_a_backfill_are_by_default_no_runs_of_the_nights_deployment() -> None:
    from flows.backfill import backfill

    default = backfill.parameters.properties["deployment"]["default"]
    assert default.rpartition("/")[2] in deployments("prefect.yaml").keys() - {"daily", "hourly"}

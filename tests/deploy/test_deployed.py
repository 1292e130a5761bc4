"""A real Prefect server and a real worker: what ``prefect deploy --all`` makes, and that an event runs the flow."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import duckdb
import httpx
import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
_PATIENCE = 180.0


class Service:
    """A server, its deployments and a worker, all below one folder."""

    def __init__(self, folder: Path) -> None:
        self.home = folder / "home"
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        self.api = f"http://127.0.0.1:{port}/api"
        self._folder = folder
        self._processes: list[subprocess.Popen[bytes]] = []
        self.environ = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("PREFECT_", "HNINTEL_"))},
            "PREFECT_HOME": str(folder / "prefect"),
            "PREFECT_API_URL": self.api,
            "PREFECT_SERVER_API_PORT": str(port),
            "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
            "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_BATCH_SIZE": "200",
            "HNINTEL_HOME": str(self.home),
            "HNINTEL_SOURCE": "sample",
        }

    def start(self, *argv: str) -> None:
        """Start ``prefect ARGV`` in the background; it ends with the fixture."""
        with (self._folder / f"{argv[0]}.log").open("ab") as log:
            self._processes.append(
                subprocess.Popen(
                    [sys.executable, "-m", "prefect", *argv],
                    cwd=ROOT,
                    env=self.environ,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    start_new_session=True,
                )
            )

    def call(self, *argv: str) -> str:
        """Run a command to its end and give what it printed."""
        done = subprocess.run(
            argv, cwd=ROOT, env=self.environ, capture_output=True, text=True, timeout=120, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def get(self, path: str, body: dict[str, Any] | None = None) -> Any:
        """Ask the server's API."""
        answer = httpx.post(f"{self.api}/{path}", json=body) if body is not None else httpx.get(f"{self.api}/{path}")
        answer.raise_for_status()
        return answer.json()

    def stop(self) -> None:
        """End what was started, the last first."""
        for process in reversed(self._processes):
            os.killpg(process.pid, signal.SIGTERM)
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()


def eventually(found: Callable[[], Any], what: str) -> Any:
    deadline = time.monotonic() + _PATIENCE
    while time.monotonic() < deadline:
        value = found()
        if value:
            return value
        time.sleep(1)
    raise AssertionError(f"{what}: not within {_PATIENCE:g} s")


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    service = Service(tmp_path_factory.mktemp("service"))
    try:
        service.start("server", "start", "--host", "127.0.0.1", "--no-ui")
        eventually(lambda: _is_up(service), "the server")
        service.call(sys.executable, "deployments/provision.py")
        service.call(sys.executable, "-m", "prefect", "--no-prompt", "deploy", "--all")
        service.start("worker", "start", "--pool", "hnintel", "--name", "test")
        yield service
    finally:
        service.stop()


def _is_up(service: Service) -> bool:
    try:
        return httpx.get(f"{service.api}/health").status_code == 200
    except httpx.TransportError:
        return False


def _deployment(service: Service) -> dict[str, Any]:
    found: dict[str, Any] = service.get("deployments/name/hacker-news/daily")
    return found


def test_the_daily_deployment_is_on_the_default_pool_with_its_cron(service: Service) -> None:
    daily = _deployment(service)

    assert daily["work_pool_name"] == "hnintel"
    assert daily["entrypoint"] == "flows/main.py:hacker_news"
    assert [(one["schedule"]["cron"], one["schedule"]["timezone"]) for one in daily["schedules"]] == [
        ("0 2 * * *", "America/New_York")
    ]


def test_the_cron_plans_one_run_a_night_at_two_in_new_york(service: Service) -> None:
    wanted = {
        "deployments": {"id": {"any_": [_deployment(service)["id"]]}},  # reconcile has a schedule of its own
        "flow_runs": {"state": {"type": {"any_": ["SCHEDULED"]}}},
        "sort": "EXPECTED_START_TIME_ASC",
    }

    def planned() -> list[dict[str, Any]]:
        return [run for run in service.get("flow_runs/filter", wanted) if run["auto_scheduled"]]

    runs = eventually(planned, "planned runs")
    zone = ZoneInfo("America/New_York")
    starts = [_instant(run["expected_start_time"]).astimezone(zone) for run in runs]
    assert len({start.date() for start in starts}) == len(starts)
    assert {start.hour for start in starts} <= {1, 2, 3}  # 2 but for the night on which the clock goes forward


def test_an_event_with_a_day_runs_the_flow_for_that_day(service: Service) -> None:
    payload = json.dumps({"day": "2026-10-21"})
    prefect = (sys.executable, "-m", "prefect")
    service.call(
        *prefect, "event", "emit", "hn.day.requested", "--resource-id", "hn.day.2026-10-21", "--payload", payload
    )

    def ended() -> list[dict[str, Any]]:
        wanted = {"flow_runs": {"state": {"type": {"any_": ["COMPLETED", "FAILED", "CRASHED"]}}}}
        runs = service.get("flow_runs/filter", wanted)
        return [run for run in runs if run["parameters"].get("day") == "2026-10-21" and not run["parent_task_run_id"]]

    runs = eventually(ended, "the run that the event asked for")
    assert [(run["state"]["type"], run["name"]) for run in runs] == [("COMPLETED", "hacker news 2026-10-21")]
    with duckdb.connect(str(service.home / "hnintel.duckdb"), read_only=True) as connection:
        assert connection.execute("SELECT DISTINCT day, source FROM raw.items").fetchall() == [
            (_instant("2026-10-21T00:00:00").date(), "sample")
        ]
    assert (service.home / "site" / "2026-10-21.html").is_file()


def test_provisioning_and_deploying_again_changes_nothing(service: Service) -> None:
    before = _deployment(service)["id"]

    assert "there already" in service.call(sys.executable, "deployments/provision.py")
    service.call(sys.executable, "-m", "prefect", "--no-prompt", "deploy", "--all")

    assert _deployment(service)["id"] == before
    assert len(service.get("automations/filter", {})) == 1


def _instant(text: str) -> Any:
    from datetime import datetime

    return datetime.fromisoformat(text.replace("Z", "+00:00"))

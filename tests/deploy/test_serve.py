"""``make serve``: one command and all is up; ctrl-C and all of it is gone; a second start changes nothing."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import uuid
from pathlib import Path

import httpx
import psutil
import pytest

from deployments.serve import declared
from tests.conftest import ROOT
from tests.deploy.service import eventually
from tests.flows.own_prefect import free_port

pytestmark = pytest.mark.slow


class Serving:
    """``deployments/serve.py``, running below a folder of the test's."""

    def __init__(self, folder: Path, port: int) -> None:
        self.log = folder / f"serve-{uuid.uuid4().hex}.log"
        self.api = f"http://127.0.0.1:{port}/api"
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("PREFECT_", "HNINTEL_"))}
        environ = {
            **kept,
            "HNINTEL_HOME": str(folder / "home"),
            "HNINTEL_SOURCE": "sample",
            "PREFECT_SERVER_API_PORT": str(port),
        }
        with self.log.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, "deployments/serve.py"],
                cwd=ROOT,
                env=environ,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )

    def up(self) -> str:
        """What it printed until it was up."""

        def told() -> str | None:
            assert self.process.poll() is None, self.log.read_text()
            text = self.log.read_text()
            return text if "ctrl-C ends it" in text else None

        return str(eventually(told, "make serve"))

    def started(self, deployment: str, parameters: dict[str, str]) -> str:
        """Run a deployment; the run's id, once one of its subflows runs."""
        given = {"parameters": parameters, "state": {"type": "SCHEDULED"}}
        made = httpx.post(f"{self.api}/deployments/{deployment}/create_flow_run", json=given).raise_for_status()
        run_id = str(made.json()["id"])
        below = {"flow_runs": {"state": {"type": {"any_": ["RUNNING"]}}, "parent_flow_run_id": {"any_": [run_id]}}}
        eventually(lambda: httpx.post(f"{self.api}/flow_runs/filter", json=below).json(), "a subflow")
        return run_id

    def interrupt(self, then: signal.Signals | None = None) -> int:
        """Ctrl-C, and another signal while it ends; the exit code, once nothing that it started is left."""
        started = psutil.Process(self.process.pid).children(recursive=True)
        assert len(started) >= 2
        self.process.send_signal(signal.SIGINT)
        if then is not None:
            eventually(lambda: "ending the worker" in self.log.read_text(), "the beginning of the end")
            self.process.send_signal(then)
        code = self.process.wait(90)
        assert psutil.wait_procs(started, timeout=5)[1] == []
        return code

    def kill(self) -> None:
        """Kill it, and it alone; returns once nothing that it started is left."""
        started = psutil.Process(self.process.pid).children(recursive=True)
        assert len(started) >= 5  # who keeps them, the server, the worker and a run
        self.process.kill()
        self.process.wait()
        assert psutil.wait_procs(started, timeout=60)[1] == []

    def end(self) -> None:
        """Leave nothing running, however the test ended."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            self.process.wait(90)


def test_it_starts_ends_and_starts_again_as_it_was(tmp_path: Path) -> None:
    port = free_port()
    first = Serving(tmp_path, port)
    try:
        told = first.up()
        assert "work pool hnintel: create (process)" in told
        assert f"\n{len(declared())} deployments made\n" in told
        assert "separate terminal" not in told  # to start a worker there is Prefect's advice, and serve starts one
        names = {one["name"]: one["id"] for one in httpx.post(f"{first.api}/deployments/filter", json={}).json()}
        assert names.keys() == declared()

        beside = Serving(tmp_path / "home", port)  # another, at the same port
        assert beside.process.wait(60) == 2
        assert f"port {port} is taken" in beside.log.read_text()

        second = Serving(tmp_path, free_port())  # at another port, on the database of the first
        assert second.process.wait(60) == 2
        (line,) = second.log.read_text().splitlines()
        assert line.startswith(f"error: {tmp_path / 'home'} is served already, by process {first.process.pid} ")

        run_id = first.started(names["daily"], {"day": "2026-10-21", "source": "sample"})
        assert first.interrupt() == 0
    finally:
        first.end()
    again = Serving(tmp_path, port)
    try:
        told = again.up()
        assert "everything is there already, for work pool hnintel" in told
        assert f"{len(names)} deployments are there already" in told
        after = {one["name"]: one["id"] for one in httpx.post(f"{again.api}/deployments/filter", json={}).json()}
        assert after == names
        # Its process was ended with the worker: nobody else would say so of its record, nor of those of its subflows.
        assert httpx.get(f"{again.api}/flow_runs/{run_id}").json()["state_name"] == "Cancelled"
        going_on = {"flow_runs": {"state": {"type": {"any_": ["RUNNING"]}}, "parent_flow_run_id": {"any_": [run_id]}}}
        assert httpx.post(f"{again.api}/flow_runs/filter", json=going_on).json() == []
        run_id = again.started(names["daily"], {"day": "2026-10-21", "source": "sample"})
        again.kill()
    finally:
        again.end()
    after_the_kill = Serving(tmp_path, port)
    try:
        after_the_kill.up()
        state = httpx.get(f"{after_the_kill.api}/flow_runs/{run_id}").json()["state_type"]
        assert state in ("CANCELLED", "CRASHED")  # whether the worker could still say so hangs on the server's end
        assert after_the_kill.interrupt(then=signal.SIGTERM) == 0
    finally:
        after_the_kill.end()


def test_a_home_that_cannot_be_made_is_told_in_one_line(tmp_path: Path) -> None:
    home = tmp_path / "a file"
    home.touch()
    command = [sys.executable, "deployments/serve.py"]
    ended = subprocess.run(command, cwd=ROOT, env={**os.environ, "HNINTEL_HOME": str(home)}, capture_output=True)
    assert ended.returncode == 4
    assert (
        ended.stderr.decode() == f"error: {home}/prefect cannot be made (Not a directory): give another HNINTEL_HOME\n"
    )

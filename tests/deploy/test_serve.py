"""``make serve``: a command starts everything, Ctrl-C ends everything, and a second start changes nothing."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from deployments.serve import declared
from tests.conftest import ROOT
from tests.deploy.serving import Serving
from tests.flows.own_prefect import free_port

pytestmark = pytest.mark.slow


def test_it_starts_stops_and_starts_again_unchanged(tmp_path: Path) -> None:
    port = free_port()
    first = Serving(tmp_path, port)
    try:
        told = first.up()
        assert "work pool hnintel: create (process)" in told
        assert f"\n{len(declared())} deployments created\n" in told
        assert "separate terminal" not in told  # to start a worker there is Prefect's advice, and serve starts one
        names = {one["name"]: one["id"] for one in first.post("/deployments/filter", {})}
        assert names.keys() == declared()

        beside = Serving(tmp_path / "home", port)  # another, at the same port
        assert beside.process.wait(60) == 2
        assert f"port {port} is in use" in beside.log.read_text()

        second = Serving(tmp_path, free_port())  # at another port, on the database of the first
        assert second.process.wait(60) == 2
        (line,) = second.log.read_text().splitlines()
        assert line.startswith(f"error: {tmp_path / 'home'} is served already, by process {first.process.pid} ")

        run_id = first.started(names["daily"], {"day": "2026-10-21", "source": "sample"})
        assert first.interrupt() == 0
    finally:
        first.end()
    again = Serving(tmp_path, port, PREFECT_SERVER_API_AUTH_STRING="admin:of the user")  # the other one follows
    try:
        told = again.up()
        assert "log in once with the value of PREFECT_SERVER_API_AUTH_STRING" in told
        assert "daily" in again.shell("deployment", "ls")
        assert "nothing to change for work pool hnintel" in told
        assert f"{len(names)} deployments are up to date" in told
        after = {one["name"]: one["id"] for one in again.post("/deployments/filter", {})}
        assert after == names
        # Its process was ended with the worker: nobody else would say so of its record, nor of those of its subflows.
        assert again.get(f"/flow_runs/{run_id}")["state_name"] == "Cancelled"
        going_on = {"flow_runs": {"state": {"type": {"any_": ["RUNNING"]}}, "parent_flow_run_id": {"any_": [run_id]}}}
        assert again.post("/flow_runs/filter", going_on) == []
        run_id = again.started(names["daily"], {"day": "2026-10-21", "source": "sample"})
        again.kill()
    finally:
        again.end()
    after_the_kill = Serving(tmp_path, port, PREFECT_API_AUTH_STRING="no colon in it")
    try:
        after_the_kill.up()
        state = after_the_kill.get(f"/flow_runs/{run_id}")["state_type"]
        assert state in ("CANCELLED", "CRASHED")  # whether the worker could still say so hangs on the server's end
        assert after_the_kill.interrupt(then=signal.SIGTERM) == 0
    finally:
        after_the_kill.end()


def test_a_home_that_cannot_be_created_is_reported_in_a_line(tmp_path: Path) -> None:
    home = tmp_path / "a file"
    home.touch()
    command = [sys.executable, "deployments/serve.py"]
    ended = subprocess.run(command, cwd=ROOT, env={**os.environ, "HNINTEL_HOME": str(home)}, capture_output=True)
    assert ended.returncode == 4
    refused = f"error: {home}/prefect cannot be created (Not a directory): set another HNINTEL_HOME\n"
    assert ended.stderr.decode() == refused

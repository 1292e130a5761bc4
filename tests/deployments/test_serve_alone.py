"""``make serve`` before it starts processes, and its report of a failed command."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from deployments.serve import Processes
from hnintel.errors import UsageError
from hnintel.warehouse.duckdb.lock import Hold
from tests.conftest import ROOT
from tests.flows.own_prefect import bare_environ


def serving(home: Path, port: int, log: Path) -> subprocess.Popen[bytes]:
    """Start ``make serve``."""
    (home / "prefect").mkdir(parents=True, exist_ok=True)
    environ = {**bare_environ(home), "HNINTEL_HOME": str(home), "PREFECT_SERVER_API_PORT": str(port)}
    with log.open("wb") as output:
        command = [sys.executable, "deployments/serve.py"]
        return subprocess.Popen(command, cwd=ROOT, env=environ, stdin=subprocess.DEVNULL, stdout=output, stderr=output)


def test_a_home_that_is_served_is_refused_before_anything_is_started(tmp_path: Path) -> None:
    home, log = tmp_path / "home", tmp_path / "log"
    (home / "prefect").mkdir(parents=True)
    first = Hold(home / "prefect" / "serve")
    first.take(0)
    with socket.socket() as taken:  # were it not refused, it would end here and not go on to start a server
        taken.bind(("127.0.0.1", 0))
        assert serving(home, taken.getsockname()[1], log).wait(60) == 2
    first.give_back()
    assert log.read_text() == (
        f"error: {home} is served already, by process {os.getpid()} ({Path(sys.executable).name}): "
        "end that process, or set another HNINTEL_HOME\n"
    )
    assert [one.name for one in (home / "prefect").iterdir()] == ["serve.lock"]


def test_the_processes_of_a_killed_serve_are_waited_for(tmp_path: Path) -> None:
    home, log = tmp_path / "home", tmp_path / "log"
    (home / "prefect").mkdir(parents=True)
    left = Hold(home / "prefect" / "server")
    left.take(0)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        process = serving(home, taken.getsockname()[1], log)
        deadline = time.monotonic() + 60
        while "waiting" not in log.read_text():
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < deadline
            time.sleep(0.1)
        left.give_back()
        assert process.wait(60) == 2
    waited, refused = log.read_text().splitlines()
    assert waited == "waiting for an earlier, killed server to end, at most 75 s"
    assert refused.startswith("error: port ")


def test_a_failed_command_is_reported_by_the_end_of_its_output_and_its_log(tmp_path: Path) -> None:
    says = "print('\\n'.join(['much'] * 50)); print('│ no such pool │'); raise SystemExit(3)"
    processes = Processes(os.environ, tmp_path)
    with pytest.raises(UsageError) as told:
        processes.call("deploy", "-c", says, quiet=True)
    assert str(told.value) == f"deploy ended with code 3: much much no such pool (full log: {tmp_path}/deploy.log)"
    processes.call("deploy", "-c", "print('fine')", quiet=True)
    assert (tmp_path / "deploy.log").read_text() == "fine\n"

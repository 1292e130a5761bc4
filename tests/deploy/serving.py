"""``make serve`` as a process of a test, and what a user of it does."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import psutil

from deployments.serving.server_client import server_client
from tests.conftest import ROOT
from tests.deploy.service import eventually


class Serving:
    """``deployments/serve.py``, running below a folder of the test's."""

    def __init__(self, folder: Path, port: int, **settings: str) -> None:
        self.log = folder / f"serve-{uuid.uuid4().hex}.log"
        self.url = f"http://127.0.0.1:{port}"
        self.api = f"{self.url}/api"
        self.prefect_home = folder / "home" / "prefect"
        self._own = next((value for name, value in settings.items() if name.endswith("API_AUTH_STRING")), None)
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("PREFECT_", "HNINTEL_"))}
        self.environ = {
            **kept,
            "HOME": str(folder),
            "HNINTEL_HOME": str(folder / "home"),
            "HNINTEL_SOURCE": "sample",
            "PREFECT_SERVER_API_PORT": str(port),
            **settings,
        }
        with self.log.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, "deployments/serve.py"],
                cwd=ROOT,
                env=self.environ,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )

    @property
    def auth(self) -> str:
        """Return the authentication string of the server."""
        return self._own or (self.prefect_home / "auth-string").read_text().strip()

    def up(self) -> str:
        """Return the output until it was ready."""

        def told() -> str | None:
            assert self.process.poll() is None, self.log.read_text()
            text = self.log.read_text()
            return text if "ctrl-C ends it" in text else None

        return str(eventually(told, "make serve"))

    def post(self, path: str, body: dict[str, Any]) -> Any:
        """Send a request that may be repeated, and return the answer once the server is not busy."""

        def answer() -> httpx.Response | None:
            try:
                with server_client(self.api, self.auth) as client:
                    answer = client.post(path, json=body)
            except httpx.TimeoutException:
                return None
            return None if answer.status_code == 503 else answer

        answered: httpx.Response = eventually(answer, path)
        return answered.raise_for_status().json()

    def get(self, path: str) -> Any:
        """Send a GET request to the server."""
        with server_client(self.api, self.auth) as client:
            return client.get(path).raise_for_status().json()

    def shell(self, *argv: str) -> str:
        """Run ``prefect ARGV`` with the printed profile, and return the output."""
        (line,) = [line for line in self.log.read_text().splitlines() if "export PREFECT_PROFILES_PATH=" in line]
        environ = {"PATH": os.environ["PATH"], "HOME": self.environ["HOME"]}
        environ["PREFECT_PROFILES_PATH"] = line.partition("PREFECT_PROFILES_PATH=")[2]
        command = [sys.executable, "-m", "prefect", *argv]
        done = subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, timeout=200, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def started(self, deployment: str, parameters: dict[str, str]) -> str:
        """Run a deployment; the run's id, once one of its subflows runs."""
        given = {"parameters": parameters, "state": {"type": "SCHEDULED"}, "idempotency_key": str(uuid.uuid4())}
        run_id = str(self.post(f"/deployments/{deployment}/create_flow_run", given)["id"])
        below = {"flow_runs": {"state": {"type": {"any_": ["RUNNING"]}}, "parent_flow_run_id": {"any_": [run_id]}}}
        eventually(lambda: self.post("/flow_runs/filter", below), "a subflow")
        return run_id

    def interrupt(self, then: signal.Signals | None = None) -> int:
        """Send Ctrl-C, and another signal while it ends; return the exit code once all its processes have ended."""
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
        """Kill this process only; return once all processes that it started have ended."""
        started = psutil.Process(self.process.pid).children(recursive=True)
        assert len(started) >= 5  # who keeps them, the server, the worker and a run
        self.process.kill()
        self.process.wait()
        assert psutil.wait_procs(started, timeout=60)[1] == []

    def end(self) -> None:
        """End all processes, however the test ended."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            self.process.wait(90)

    def refused(self, path: str, **headers: str) -> int:
        """Return the status of a changing request without the string."""
        return httpx.post(f"{self.api}{path}", json={}, headers=headers, timeout=30).status_code


@contextmanager
def served(folder: Path, port: int, **settings: str) -> Iterator[Serving]:
    """``make serve``, up, for the block."""
    serving = Serving(folder, port, **settings)
    try:
        serving.up()
        yield serving
    finally:
        serving.end()

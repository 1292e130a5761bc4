"""All of it on one machine, in the foreground: ``make serve``. A server, its work pool, the deployments, a worker.

Ctrl-C ends all of it; a second start finds everything in place and changes nothing.
"""

from __future__ import annotations

import hashlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from types import FrameType

if __package__ in (None, ""):  # run as a script: the folder of this file gives way to the root of the checkout
    sys.path[0] = str(Path(__file__).resolve().parent.parent)

import httpx
import yaml

from deployments import ended_runs
from flows._command import Parser
from flows._server import plain_http
from hnintel.errors import HnIntelError, UsageError, WarehouseError
from hnintel.settings import load_settings

ROOT = Path(__file__).resolve().parent.parent
_POOL = "hnintel"
_READY_WITHIN = 120.0
#: Seconds that each has to end by itself, before it is killed.
_END_WITHIN = 30.0


class Stopped(BaseException):
    """Somebody wants it to end."""


class Processes:
    """What was started, each the head of a process group of its own."""

    def __init__(self, environ: Mapping[str, str], logs: Path) -> None:
        self._environ, self._logs = dict(environ), logs
        self._started: list[tuple[str, subprocess.Popen[bytes]]] = []

    def start(self, name: str, *argv: str) -> None:
        """Start ``prefect ARGV``; what it prints goes to ``<name>.log``."""
        with (self._logs / f"{name}.log").open("ab") as log:
            process = subprocess.Popen(  # noqa: S603 - our own interpreter
                [sys.executable, "-m", "prefect", *argv],
                cwd=ROOT,
                env=self._environ,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # a ctrl-C is ours to pass on: first to the worker, then to the server
            )
        self._started.append((name, process))

    def call(self, *argv: str) -> None:
        """Run a command to its end.

        Raises:
            UsageError: it failed; it has said why.
        """
        done = subprocess.run(  # noqa: S603 - our own interpreter
            [sys.executable, *argv], cwd=ROOT, env=self._environ, stdin=subprocess.DEVNULL, check=False
        )
        if done.returncode:
            raise UsageError(f"{' '.join(argv[:3])} ended with code {done.returncode}")

    def refuse_if_ended(self) -> None:
        """Raise UsageError where one of them is gone."""
        for name, process in self._started:
            if process.poll() is not None:
                raise UsageError(f"the {name} ended with code {process.returncode}: see {self._logs / name}.log")

    def end(self, name: str) -> None:
        """End the one of that name, if it was started, with all that it has started itself."""
        for process in [process for there, process in self._started if there == name]:
            print(f"ending the {name}", flush=True)
            _signal(process.pid, signal.SIGTERM)
            deadline = time.monotonic() + _END_WITHIN
            while _is_there(process) and time.monotonic() < deadline:
                time.sleep(0.1)
            _signal(process.pid, signal.SIGKILL)
            process.wait()


def _signal(group: int, number: int) -> None:
    try:
        os.killpg(group, number)
    except ProcessLookupError:
        return


def _is_there(process: subprocess.Popen[bytes]) -> bool:
    """Whether the process, or one that it started, is still running."""
    process.poll()
    try:
        os.killpg(process.pid, 0)
    except ProcessLookupError:
        return False
    return True


def main(argv: list[str]) -> int:
    """Serve until it is interrupted; the exit code."""
    try:
        Parser(prog="python deployments/serve.py", description=__doc__.splitlines()[0]).parse_args(argv)
        signal.signal(signal.SIGTERM, _stop)
        signal.signal(signal.SIGINT, _stop)
        _serve()
    except Stopped:
        return 0
    except HnIntelError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    return 0


def _serve() -> None:
    home = load_settings().folder / "prefect"
    try:
        home.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise WarehouseError(f"{home} cannot be made ({error.strerror}): give another HNINTEL_HOME") from None
    port = port_of(os.environ)
    _refuse_taken(port)
    url = f"http://127.0.0.1:{port}"
    processes = Processes(environment(os.environ, home, port), home)
    try:
        processes.start("server", "server", "start", "--host", "127.0.0.1", "--port", str(port))
        _wait(f"{url}/api", processes)
        processes.call("deployments/provision.py")
        _deploy(f"{url}/api", home, processes)
        processes.start("worker", "worker", "start", "--pool", _POOL, "--type", "process", "--name", "serve")
        print(f"serving at {url}, logs in {home}; ctrl-C ends it", flush=True)
        while True:
            processes.refuse_if_ended()
            time.sleep(1)
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):  # a second one must not leave half of it running
            signal.signal(number, signal.SIG_IGN)
        processes.end("worker")
        _close_records(f"{url}/api")
        processes.end("server")


def _close_records(api: str) -> None:
    """Cancel the runs that were ended with the worker; where the server is gone as well, an automation ends them."""
    try:
        closed = ended_runs.close(api, _POOL, "`make serve` was ended, and this run with it; reconcile makes it good.")
    except httpx.HTTPError:
        return
    if closed:
        print(f"{closed} runs were cancelled: what was read and answered is kept, reconcile does the rest", flush=True)


def environment(environ: Mapping[str, str], home: Path, port: int) -> dict[str, str]:
    """Of all that is started: our server, with its database below our home, and the settings of the caller."""
    return {
        **environ,
        **plain_http(home),
        "PREFECT_HOME": str(home),
        "PREFECT_API_URL": f"http://127.0.0.1:{port}/api",
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_BATCH_SIZE": "200",
        "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_FLUSH_INTERVAL": "1",
    }


def port_of(environ: Mapping[str, str]) -> int:
    """Where the server listens.

    Raises:
        UsageError: what is set is no port.
    """
    given = environ.get("PREFECT_SERVER_API_PORT") or "4200"
    if not given.isdecimal() or not 0 < int(given) < 65536:
        raise UsageError(f"PREFECT_SERVER_API_PORT={given[:80]} is no port: give a number from 1 to 65535")
    return int(given)


def _refuse_taken(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            raise UsageError(f"port {port} is taken, by another `make serve`? Set PREFECT_SERVER_API_PORT") from None


def _wait(api: str, processes: Processes) -> None:
    deadline = time.monotonic() + _READY_WITHIN
    while time.monotonic() < deadline:
        processes.refuse_if_ended()
        try:
            if httpx.get(f"{api}/health", timeout=5, trust_env=False).status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.2)
    raise UsageError(f"the server did not come up within {_READY_WITHIN:g} s")


def _deploy(api: str, home: Path, processes: Processes) -> None:
    """Deploy what is not there as it is now: deploying makes triggers anew, so it is not done for nothing."""
    mark, state = home / "deployed", deployed_state()
    answer = httpx.post(f"{api}/deployments/filter", json={}, timeout=30, trust_env=False).json()
    there = {one["name"] for one in answer}
    if mark.is_file() and mark.read_text(encoding="utf-8") == state and there >= declared():
        print(f"{len(there)} deployments are there already", flush=True)
        return
    processes.call("-m", "prefect", "--no-prompt", "deploy", "--all")
    mark.write_text(state, encoding="utf-8")


def declared() -> set[str]:
    """The names of the deployments of prefect.yaml."""
    told = yaml.safe_load((ROOT / "prefect.yaml").read_text(encoding="utf-8"))
    return {one["name"] for one in told["deployments"]}


def deployed_state() -> str:
    """Changes with what deploying would send: prefect.yaml, and the flows with their parameters."""
    told = hashlib.md5(str(ROOT).encode(), usedforsecurity=False)
    for path in [ROOT / "prefect.yaml", ROOT / "pyproject.toml", *sorted((ROOT / "flows").glob("*.py"))]:
        told.update(path.read_bytes())
    return told.hexdigest()


def _stop(number: int, frame: FrameType | None) -> None:
    raise Stopped


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))

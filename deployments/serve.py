"""Serve on one machine, in the foreground: ``make serve``. A server, its work pool, the deployments, a worker.

Ctrl-C ends all of them, and so does any other end of this process (keeper.py); a second start changes nothing.
"""

from __future__ import annotations

import contextlib
import os
import shlex
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import FrameType
from typing import IO

if __package__ in (None, ""):  # run as a script: the folder of this file gives way to the root of the checkout
    sys.path[0] = str(Path(__file__).resolve().parent.parent)

import httpx
import yaml

from deployments.serving import keeper, orphaned_runs
from deployments.serving.server_client import server_client
from flows.local.auth import CLIENT, FILE, SERVER, private_folder, server_settings, shared_string, write_profile
from flows.local.command import Parser
from flows.local.guarded_server import START_WITHIN
from flows.local.pruning import retention
from flows.local.server import plain_http
from flows.local.spoken_wait import aloud
from hnintel.errors import HnIntelError, UsageError, WarehouseError, counted
from hnintel.hashes import hash_of_bytes
from hnintel.settings import load_settings, private_files
from hnintel.warehouse.duckdb.lock import HeldElsewhere, Hold

ROOT = Path(__file__).resolve().parent.parent
_POOL = "hnintel"
#: Seconds until the server answers: the first start of a home creates its database, and the machine may be busy.
_READY_WITHIN = START_WITHIN
#: The most seconds that provisioning, and that deploying, may take.
_CALLED_WITHIN = 600.0
#: The file from which a user's `prefect` reads its settings. Prefect does not look for this name in a home by itself:
#: otherwise a run with this home as its PREFECT_HOME would need this server, even while the server is down.
PROFILE = "serve-profile.toml"
#: How to continue a run that ended with its server (hnintel/planning/cut_short.py).
_WHAT_NOW = "reconcile runs the days that were begun; start a backfill again yourself"
#: The started processes, by the names of their logs and of the locks that they hold while they run.
_STARTED = ("server", "provision", "deploy", "worker")


class Stopped(BaseException):
    """A signal asked this process to end."""


class Processes:
    """The started processes; each ends when its pipe to this process is closed (keeper.py)."""

    def __init__(self, environ: Mapping[str, str], logs: Path) -> None:
        self._environ, self._logs = dict(environ), logs
        self._started: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, name: str, *argv: str) -> None:
        """Start ``python ARGV``; append its output to ``<name>.log``."""
        with (self._logs / f"{name}.log").open("ab") as log:
            self._start(name, argv, log)

    def call(self, name: str, *argv: str, quiet: bool = False) -> None:
        """Run ``python ARGV`` to its end; with *quiet*, replace ``<name>.log`` by its output.

        Raises:
            UsageError: the command failed, after printing why, or took too long.
        """
        path = self._logs / f"{name}.log"
        waits = aloud(f"waiting for {name}, at most {_CALLED_WITHIN:g} s", _print)
        with path.open("wb") if quiet else contextlib.nullcontext() as log, waits:
            process = self._start(name, argv, log)
            try:
                code = process.wait(_CALLED_WITHIN)
            except subprocess.TimeoutExpired:
                self.end(name)
                raise UsageError(f"{name} took longer than {_CALLED_WITHIN:g} s: start it again") from None
        if code and quiet:
            raise UsageError(f"{name} ended with code {code}: {_gist(path)} (full log: {path})")
        if code:
            raise UsageError(f"{name} ended with code {code}")

    def _start(self, name: str, argv: Sequence[str], log: IO[bytes] | None) -> subprocess.Popen[bytes]:
        lines = [process.stdin.fileno() for process in self._started.values() if process.stdin]
        self._started[name] = process = subprocess.Popen(  # noqa: S603 - our own interpreter
            [sys.executable, "-m", "deployments.serving.keeper", str(self._logs / name), sys.executable, *argv],
            cwd=ROOT,
            env=self._environ,
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
            start_new_session=True,  # this process passes a ctrl-C on: first to the worker, then to the server
            pass_fds=lines,  # processes started earlier end later, also when this process is killed
        )
        return process

    def is_running(self, name: str) -> bool:
        """Return whether the process was started and has not ended."""
        process = self._started.get(name)
        return process is not None and process.poll() is None

    def refuse_if_ended(self) -> None:
        """Raise UsageError if the server or the worker has ended."""
        for name in ("server", "worker"):
            process = self._started.get(name)
            if process is not None and process.poll() is not None:
                raise UsageError(f"the {name} ended with code {process.returncode}: see {self._logs / name}.log")

    def end(self, name: str) -> None:
        """End the process of that name, if it is running, with all processes that it has started."""
        if not self.is_running(name):
            return
        process = self._started[name]
        print(f"ending the {name}", flush=True)
        if process.stdin is not None:
            process.stdin.close()
        try:
            with aloud(f"waiting for the {name} to end, at most {keeper.GONE_WITHIN:g} s", _print):
                process.wait(keeper.GONE_WITHIN)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)  # it leads a process group with its command
            process.wait()


def _gist(log: Path) -> str:
    """Return the end of a command's output as a line."""
    printed = log.read_text(encoding="utf-8", errors="replace").split("\n")
    words = [line.strip(" │╭╰╮╯─\t\r") for line in printed]
    return " ".join([line for line in words if line][-3:])[-300:] or "it printed nothing"


def main(argv: list[str]) -> int:
    """Serve until interrupted; return the exit code."""
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
    settings = load_settings()
    private_files.protect(settings)
    home = settings.folder / "prefect"
    try:
        private_folder(home)
    except OSError as error:
        raise WarehouseError(f"{home} cannot be created ({error.strerror}): set another HNINTEL_HOME") from None
    port = port_of(os.environ)
    _mine = _hold(home)  # released by the system when this process ends
    _refuse_taken(port)
    auth = shared_string(os.environ, home)
    api = f"http://127.0.0.1:{port}/api"
    try:
        write_profile(home / PROFILE, api, auth)
    except OSError as error:
        raise _unwritable(home, error) from None
    processes = Processes(environment(os.environ, home, port, auth), home)
    try:
        processes.start("server", "-m", "flows.local.guarded_server", "--host", "127.0.0.1", "--port", str(port))
        _wait(api, processes)
        processes.call("provision", "deployments/provision.py")
        with server_client(api, auth) as client:
            _deploy(client, home, processes)
        _close_records(api, auth, f"Its `make serve` was killed, and this run with it; {_WHAT_NOW}.")
        worker = ("worker", "start", "--pool", _POOL, "--type", "process", "--name", "serve")
        processes.start("worker", "-m", "prefect", *worker)
        print(_serving(port, home, os.environ), flush=True)
        while True:
            processes.refuse_if_ended()
            time.sleep(1)
    except httpx.HTTPError as error:
        raise UsageError(f"the server at {api} failed ({_gist_of(error)}): see {home}/server.log") from None
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):  # a second signal must not leave processes running
            signal.signal(number, signal.SIG_IGN)
        for name in reversed(_STARTED):
            if name == "server" and processes.is_running(name):
                _close_records(api, auth, f"`make serve` was ended, and this run with it; {_WHAT_NOW}.")
            processes.end(name)


def _serving(port: int, home: Path, environ: Mapping[str, str]) -> str:
    """Return the lines to print once all is up: the address, and how to log in, without the secret string."""
    own = next((name for name in (SERVER, CLIENT) if environ.get(name)), None)
    log_in = f"the value of {own}" if own else f"the content of {home / FILE}"
    return (
        f"serving at http://127.0.0.1:{port}: log in once with {log_in}; logs in {home}\n"
        f"for prefect in a shell: export PREFECT_PROFILES_PATH={shlex.quote(str(home / PROFILE))}\n"
        "ctrl-C ends it"
    )


def _gist_of(error: httpx.HTTPError) -> str:
    if isinstance(error, httpx.HTTPStatusError):
        return f"HTTP {error.response.status_code} to {error.request.url.path}"
    return type(error).__name__


def _hold(home: Path) -> Hold:
    """Lock *home* while this process lives, once the processes of an earlier start have ended.

    Raises:
        UsageError: another process holds the lock.
        WarehouseError: the folder cannot be written.
    """
    mine = Hold(home / "serve")
    try:
        mine.take(0)
    except HeldElsewhere as elsewhere:
        message = f"{home.parent} is served already, by {elsewhere}: end that process, or set another HNINTEL_HOME"
        raise UsageError(message) from None
    except OSError as error:
        raise _unwritable(home, error) from None
    for name in _STARTED:
        _wait_for_the_end(home, name)
    return mine


def _unwritable(home: Path, error: OSError) -> WarehouseError:
    return WarehouseError(f"{home} cannot be written ({error.strerror}): set another HNINTEL_HOME")


def _wait_for_the_end(home: Path, name: str) -> None:
    """Wait for a process that a killed `make serve` left behind, which ends by itself."""
    left = Hold(home / name)
    try:
        left.take(0)
    except HeldElsewhere:
        print(f"waiting for an earlier, killed {name} to end, at most {keeper.GONE_WITHIN:g} s", flush=True)
        try:
            left.take(keeper.GONE_WITHIN)
        except HeldElsewhere as elsewhere:
            raise UsageError(f"an earlier {name} is still running, {elsewhere}: end that process") from None
    left.give_back()


def _close_records(api: str, auth: str, why: str) -> None:
    """Cancel the runs that ended with their worker; if the server is gone as well, the next start cancels them."""
    try:
        with server_client(api, auth) as client, aloud("cancelling the records of runs that were ended", _print):
            closed = orphaned_runs.close(client, _POOL, why)
    except httpx.HTTPError:
        return
    if closed:
        print(f"{counted(closed, 'run')} cancelled: items and answers so far are stored; {_WHAT_NOW}", flush=True)


def environment(environ: Mapping[str, str], home: Path, port: int, auth: str) -> dict[str, str]:
    """Return the environment of all started processes: this server, its database in *home*, the caller's settings."""
    return {
        **server_settings(auth, port),
        **retention(load_settings().prefect_keep_days),
        **environ,  # the caller's origins and CSRF settings override these
        SERVER: auth,
        CLIENT: auth,
        **plain_http(home),
        "PREFECT_HOME": str(home),
        "PREFECT_API_URL": f"http://127.0.0.1:{port}/api",
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "PREFECT_RESULTS_DEFAULT_SERIALIZER": "json",  # never pickle, should further results be stored
        "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_BATCH_SIZE": "200",
        "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_FLUSH_INTERVAL": "1",
    }


def port_of(environ: Mapping[str, str]) -> int:
    """Return the port of the server.

    Raises:
        UsageError: the setting is not a port.
    """
    given = environ.get("PREFECT_SERVER_API_PORT") or "4200"
    if not given.isdecimal() or not 0 < int(given) < 65536:
        raise UsageError(f"PREFECT_SERVER_API_PORT={given[:80]} is not a port: set a number from 1 to 65535")
    return int(given)


def _refuse_taken(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            raise UsageError(f"port {port} is in use, by another `make serve`? Set PREFECT_SERVER_API_PORT") from None


def _wait(api: str, processes: Processes) -> None:
    deadline = time.monotonic() + _READY_WITHIN
    with aloud(f"waiting for the server to come up, at most {_READY_WITHIN:g} s", _print):
        while time.monotonic() < deadline:
            processes.refuse_if_ended()
            try:
                if httpx.get(f"{api}/health", timeout=5, trust_env=False).status_code == 200:
                    return
            except httpx.TransportError:
                pass
            time.sleep(0.2)
    raise UsageError(f"the server did not come up within {_READY_WITHIN:g} s")


def _deploy(client: httpx.Client, home: Path, processes: Processes) -> None:
    """Deploy if anything changed since the last deployment: deploying creates all triggers anew."""
    mark, state = home / "deployed", deployed_state()
    answer = client.post("/deployments/filter", json={}).raise_for_status().json()
    existing = {deployment["name"] for deployment in answer}
    if mark.is_file() and mark.read_text(encoding="utf-8") == state and existing >= declared():
        print(f"{len(existing)} deployments are up to date", flush=True)
        return
    processes.call("deploy", "-m", "prefect", "--no-prompt", "deploy", "--all", quiet=True)
    print(f"{len(declared())} deployments created", flush=True)
    mark.write_text(state, encoding="utf-8")


def declared() -> set[str]:
    """Return the names of the deployments of prefect.yaml."""
    data = yaml.safe_load((ROOT / "prefect.yaml").read_text(encoding="utf-8"))
    return {deployment["name"] for deployment in data["deployments"]}


def deployed_state() -> str:
    """Return a hash of the files that decide what is deployed: prefect.yaml, and the flows with their parameters."""
    files = [ROOT / "prefect.yaml", ROOT / "pyproject.toml", *sorted((ROOT / "flows").glob("*.py"))]
    return hash_of_bytes(str(ROOT).encode(), *(path.read_bytes() for path in files))


def _print(line: str) -> None:
    print(line, flush=True)


def _stop(number: int, frame: FrameType | None) -> None:
    raise Stopped


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))

"""A real Prefect server, provisioned and deployed to, with a real worker; Hacker News and a webhook on loopback."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import httpx
import psutil

from tests.conftest import ROOT
from tests.flows.own_prefect import free_port, seed
from tests.servers import LoopbackServer, World

if TYPE_CHECKING:
    from prefect.client.orchestration import SyncPrefectClient

_PATIENCE = 480.0
#: A story that trends as soon as it is looked at; nothing is linked, so nothing is fetched from the web.
STORY = 990_300_500


class Webhook:
    """Takes what is posted to it, or refuses it; ``received`` has the messages, in order."""

    def __init__(self) -> None:
        self.received: list[dict[str, str]] = []
        self.refuse = False
        webhook = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                told = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                if not webhook.refuse:
                    webhook.received.append(told)
                self.send_response(500 if webhook.refuse else 204)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                return

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/alerts"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        """Stop the server."""
        self._server.shutdown()

    def about(self, words: str) -> list[dict[str, str]]:
        """Return the messages with *words* in their subject."""
        return [one for one in self.received if words in one["subject"]]


class Service:
    """A server, its deployments and a worker, all below one folder."""

    def __init__(
        self, folder: Path, news: LoopbackServer, webhook: Webhook, stores: Mapping[str, str] | None = None
    ) -> None:
        self.home, self.news, self.webhook = folder / "home", news, webhook
        port = free_port()
        self.api = f"http://127.0.0.1:{port}/api"
        self._folder = folder
        seed(folder / "prefect")
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("PREFECT_", "HNINTEL_"))}
        self.environ = {
            **kept,
            "PREFECT_HOME": str(folder / "prefect"),
            "PREFECT_API_URL": self.api,
            "PREFECT_SERVER_API_HOST": "127.0.0.1",
            "PREFECT_SERVER_API_PORT": str(port),
            "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
            "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_BATCH_SIZE": "200",
            "HNINTEL_HOME": str(self.home),
            "HNINTEL_LEASE_SECONDS": "30",
            "HNINTEL_CATCH_UP_DAYS": "365",  # the sample's days are some time ago
            "HNINTEL_FIREBASE_URL": news.firebase_url,
            "HNINTEL_ALGOLIA_URL": news.algolia_url,
            "HN_ALERTS_WEBHOOK_URL": webhook.url,
            "PREFECT_FLOWS_HEARTBEAT_FREQUENCY": "30",  # the least there is
            **(stores or {}),
        }
        #: What the server's API asks for, where it asks: ``user:password``.
        self.auth = self.environ.get("PREFECT_SERVER_API_AUTH_STRING")
        if self.auth:
            self.environ["PREFECT_API_AUTH_STRING"] = self.auth

    @contextmanager
    def client(self) -> Iterator[SyncPrefectClient]:
        """Return Prefect's client of the server, authenticated if the server requires it."""
        from prefect.client.orchestration import get_client
        from prefect.settings import PREFECT_API_AUTH_STRING, PREFECT_API_URL, temporary_settings

        told: dict[Any, Any] = {PREFECT_API_URL: self.api, PREFECT_API_AUTH_STRING: self.auth}
        with temporary_settings(told), get_client(sync_client=True) as client:
            yield client

    def start(self, *argv: str) -> None:
        """Start ``prefect ARGV`` in the background; it ends with the fixture."""
        name = " ".join(argv[:2])
        with (self._folder / f"{name}.log").open("ab") as log:
            self._processes[name] = subprocess.Popen(
                [sys.executable, "-m", "prefect", *argv],
                cwd=ROOT,
                env=self.environ,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def start_worker(self) -> None:
        """Start a worker for the pool of all deployments."""
        self.start("worker", "start", "--pool", "hnintel", "--name", "test")

    def children_of_the_worker(self) -> list[psutil.Process]:
        """The processes that run flows, and theirs."""
        return psutil.Process(self._processes["worker start"].pid).children(recursive=True)

    def kill_the_worker(self) -> None:
        """Kill the worker and its processes, as a crash of its machine does."""
        worker = self._processes.pop("worker start")
        gone = [*psutil.Process(worker.pid).children(recursive=True), psutil.Process(worker.pid)]
        for process in gone:
            process.kill()
        psutil.wait_procs(gone)
        worker.wait()

    def call(self, *argv: str) -> str:
        """Run a command to its end and return its output."""
        done = subprocess.run(
            [sys.executable, *argv],
            cwd=ROOT,
            env=self.environ,
            capture_output=True,
            text=True,
            timeout=_PATIENCE,
            check=False,
            stdin=subprocess.DEVNULL,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def get(self, path: str, body: dict[str, Any] | None = None) -> Any:
        """Ask the server's API."""
        url = f"{self.api}/{path}"
        user, _, password = (self.auth or "").partition(":")
        auth = (user, password) if self.auth else None

        def ask() -> httpx.Response | None:
            """Return an answer, or None while the server is busy, as Prefect's clients retry then."""
            try:
                answer = (
                    httpx.post(url, json=body, timeout=60, auth=auth)
                    if body is not None
                    else httpx.get(url, timeout=60, auth=auth)
                )
            except httpx.TimeoutException:
                return None
            return None if answer.status_code == 503 else answer

        answer: httpx.Response = eventually(ask, url)
        answer.raise_for_status()
        return answer.json() if answer.content else None

    def deployment(self, name: str) -> dict[str, Any]:
        """A deployment by ``flow/name``."""
        found: dict[str, Any] = self.get(f"deployments/name/{name}")
        return found

    def request(self, name: str, **parameters: Any) -> str:
        """Start a run of a deployment and return its id."""
        wanted = self.deployment(name)["id"]
        told = {"parameters": parameters, "idempotency_key": str(uuid.uuid4())}  # asked twice, it is one run
        run: str = self.get(f"deployments/{wanted}/create_flow_run", told)["id"]
        return run

    def ended(self, run: str, *states: str) -> dict[str, Any]:
        """Wait until the run is in a state of these types, and return it."""

        def read() -> dict[str, Any] | None:
            found: dict[str, Any] = self.get(f"flow_runs/{run}")
            return found if found["state"]["type"] in states else None

        found: dict[str, Any] = eventually(read, f"{' or '.join(states)} of run {run}")
        return found

    def emit(self, event: str, resource: str, **payload: Any) -> None:
        """Announce an event, as a person would."""
        told = json.dumps(payload)
        self.call("-m", "prefect", "event", "emit", event, "--resource-id", resource, "--payload", told)

    def runs(self, name: str, *states: str) -> list[dict[str, Any]]:
        """Return the runs of a deployment, without scheduled runs; of all states, or of these types."""
        wanted = {"deployments": {"id": {"any_": [self.deployment(name)["id"]]}}, "sort": "START_TIME_ASC"}
        found = self.get("flow_runs/filter", wanted)
        begun = [run for run in found if run["state"]["type"] not in ("SCHEDULED", "PENDING")]
        return [run for run in begun if not states or run["state"]["type"] in states]

    def stop(self) -> None:
        """End what was started, the last first."""
        for process in reversed(self._processes.values()):
            os.killpg(process.pid, signal.SIGTERM)
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """Return rows of the warehouse, waiting while a run has it."""

        def read() -> list[tuple[Any, ...]] | None:
            try:
                with duckdb.connect(str(self.home / "hnintel.duckdb"), read_only=True) as connection:
                    return [*connection.execute(sql).fetchall(), ()]
            except duckdb.IOException:
                return None

        return list(eventually(read, "the warehouse")[:-1])


def eventually(found: Callable[[], Any], what: str) -> Any:
    """Call *found* until it returns a true value, and return that value."""
    deadline = time.monotonic() + _PATIENCE
    while time.monotonic() < deadline:
        value = found()
        if value:
            return value
        time.sleep(1)
    raise AssertionError(f"{what}: not within {_PATIENCE:g} s")


@contextmanager
def running_service(
    folder: Path, servers: Sequence[Sequence[str]], stores: Mapping[str, str] | None = None
) -> Iterator[Service]:
    """A server of these processes with all that is deployed to it, and a worker, until the block ends."""
    posted = int((datetime.now(UTC) - timedelta(hours=1)).timestamp())
    story = {"id": STORY, "type": "story", "by": "a", "score": 300, "time": posted, "title": "Ask HN: Which pump?"}
    webhook = Webhook()
    with LoopbackServer(World.of([story | {"text": "It leaks.", "descendants": 0}])) as news:
        service = Service(folder, news, webhook, stores)
        try:
            for argv in servers:
                service.start(*argv)
                eventually(lambda: _is_up(service), "the server")
            service.call("deployments/provision.py")
            service.call("-m", "prefect", "--no-prompt", "deploy", "--all")
            service.start_worker()
            yield service
        finally:
            service.stop()
            webhook.close()


def _is_up(service: Service) -> bool:
    try:
        return httpx.get(f"{service.api}/health").status_code == 200
    except httpx.TransportError:
        return False

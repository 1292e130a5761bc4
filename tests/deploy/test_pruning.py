"""Old runs are deleted from a real Prefect server's database, by its own service or by a starting run."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from deployments.serve import environment
from flows.local.pruning import prune, retention
from hnintel.window import utc_now
from tests.conftest import ROOT
from tests.flows.own_prefect import bare_environ, free_port, seed

pytestmark = pytest.mark.slow

_PATIENCE = 240.0


@contextmanager
def serving(folder: Path, settings: Mapping[str, str]) -> Iterator[str]:
    """Start a server with *settings* and a database in *folder*, and return the URL of its API."""
    seed(folder)
    port = free_port()
    environ = {**bare_environ(folder), "PREFECT_HOME": str(folder), **settings}
    with (folder / "log").open("wb") as log:
        command = [sys.executable, "-m", "prefect", "server", "start", "--no-ui", "--port", str(port)]
        server = subprocess.Popen(command, cwd=ROOT, env=environ, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    try:
        url = f"http://127.0.0.1:{port}/api"
        until(lambda: _is_up(url))
        yield url
    finally:
        server.terminate()
        server.wait(60)


def _is_up(url: str) -> bool:
    try:
        return httpx.get(f"{url}/health", timeout=5).status_code == 200
    except httpx.TransportError:
        return False


def until(done: Callable[[], object]) -> None:
    """Wait until *done* returns true."""
    deadline = time.monotonic() + _PATIENCE
    while not done():
        assert time.monotonic() < deadline
        time.sleep(0.5)


def asked(url: str, body: dict[str, Any]) -> Any:
    """Return the API's answer, retried while it is busy, as Prefect's clients do."""
    answers: list[httpx.Response] = []

    def ask() -> bool:
        answers.append(httpx.post(url, json=body, timeout=60))
        return answers[-1].status_code != 503

    until(ask)
    return answers[-1].raise_for_status().json()


def make_run(url: str, folder: Path, state: str, ended: timedelta | None) -> str:
    """Create a run that ended some time ago, and return its id."""
    flow = asked(f"{url}/flows/", {"name": "hacker-news"})["id"]
    run: str = asked(f"{url}/flow_runs/", {"flow_id": flow, "state": {"type": state}})["id"]
    when = str(utc_now() - ended) if ended else None
    with closing(sqlite3.connect(folder / "prefect.db", timeout=60)) as database, database:
        database.execute("UPDATE flow_run SET end_time = ? WHERE id = ?", [when, run])
    return run


def kept(url: str) -> set[str]:
    """Return the ids of all runs."""
    return {run["id"] for run in asked(f"{url}/flow_runs/filter", {})}


def test_a_served_home_has_its_server_delete_old_runs(tmp_path: Path) -> None:
    served = environment(os.environ, tmp_path, free_port(), "hn:x")
    settings = {name: served[name] for name in retention(30)}
    with serving(tmp_path, settings | {"PREFECT_SERVER_SERVICES_DB_VACUUM_LOOP_SECONDS": "2"}) as url:
        old = make_run(url, tmp_path, "COMPLETED", timedelta(days=31))
        recent = make_run(url, tmp_path, "COMPLETED", timedelta(days=29))
        going_on = make_run(url, tmp_path, "RUNNING", None)
        until(lambda: old not in kept(url))
        assert kept(url) == {recent, going_on}


def test_a_run_deletes_a_bounded_number_of_old_runs_and_none_that_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("flows.local.pruning._PAGE", 2)
    monkeypatch.setattr("flows.local.pruning._PAGES", 2)
    from prefect.settings import PREFECT_API_URL, temporary_settings

    with serving(tmp_path, {}) as url, temporary_settings({PREFECT_API_URL: url}):
        old = {make_run(url, tmp_path, state, timedelta(days=8)) for state in ("COMPLETED", "FAILED", "CRASHED") * 2}
        new = {make_run(url, tmp_path, "COMPLETED", timedelta(days=6)), make_run(url, tmp_path, "RUNNING", None)}
        assert prune(7) == 4
        assert len(kept(url) & old) == 2
        assert prune(7) == 2
        assert prune(7) == 0
        assert kept(url) == new


def test_a_server_that_does_not_answer_is_no_reason_to_fail() -> None:
    from prefect.settings import PREFECT_API_URL, temporary_settings

    with temporary_settings({PREFECT_API_URL: f"http://127.0.0.1:{free_port()}/api"}):
        assert prune(7) == 0

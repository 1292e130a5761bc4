"""What a run needs is not to be had: a clear end, nothing half written, and the next run completes."""

from __future__ import annotations

import os
import resource
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
import httpx
import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    """An environment without settings of a developer, with a home of the test's own."""
    own = {name: value for name, value in os.environ.items() if not name.startswith(("PREFECT_", "HNINTEL_"))}
    return {**own, "HOME": str(tmp_path), "HNINTEL_HOME": str(tmp_path / "home")}


@contextmanager
def api(folder: Path) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """A Prefect server of its own process, up and with nothing in it."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    own = {name: value for name, value in os.environ.items() if not name.startswith(("PREFECT_", "HNINTEL_"))}
    quiet = {"PREFECT_SERVER_ANALYTICS_ENABLED": "false", "PREFECT_UI_ENABLED": "0"}
    server = subprocess.Popen(
        [sys.executable, "-m", "flows._server", str(port)],
        cwd=ROOT,
        env={**own, **quiet, "HOME": str(folder), "PREFECT_HOME": str(folder / "server")},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        url, deadline = f"http://127.0.0.1:{port}/api", time.monotonic() + 180
        while not _is_up(url):
            assert time.monotonic() < deadline
            time.sleep(0.2)
        yield url, server
    finally:
        server.kill()
        server.wait()


def _is_up(url: str) -> bool:
    try:
        return httpx.get(f"{url}/health", timeout=5).status_code == 200
    except httpx.TransportError:
        return False


def start(environ: dict[str, str], dump: Path, most: int = resource.RLIM_INFINITY) -> subprocess.Popen[str]:
    """Start a run that may make no file longer than *most* bytes: what a full disk is to it."""
    return subprocess.Popen(
        [sys.executable, str(ROOT / "flows" / "main.py"), "--source", f"replay:{dump}"],
        env=environ,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (most, most)),
    )


def ended(process: subprocess.Popen[str]) -> tuple[int, str]:
    """The exit code, and the last line that it said."""
    _, err = process.communicate(timeout=600)
    assert "Traceback" not in err
    return process.returncode, [line for line in err.splitlines() if line.startswith("error")][-1]


def completes(environ: dict[str, str], dump: Path) -> None:
    process = start(environ, dump)
    _, err = process.communicate(timeout=600)
    assert process.returncode == 0, err
    with duckdb.connect(str(Path(environ["HNINTEL_HOME"]) / "hnintel.duckdb"), read_only=True) as connection:
        assert connection.execute("SELECT DISTINCT status FROM ops.partitions").fetchall() == [("complete",)]
        assert connection.execute("SELECT count(*) FROM marts.stories").fetchall() == [(12,)]
        assert connection.execute("SELECT count(*) FROM ops.leases").fetchall() == [(0,)]


def test_an_api_that_is_not_there_is_named_with_what_to_do(environ: dict[str, str], small_dump: Path) -> None:
    code, line = ended(start({**environ, "PREFECT_API_URL": "http://127.0.0.1:9/api"}, small_dump))

    assert code == 9
    assert line.startswith("error: Prefect's API at http://127.0.0.1:9/api does not answer: start it")
    completes(environ, small_dump)


@pytest.mark.parametrize("stage", ["scrape", "enrich", "transform"])
def test_an_api_that_goes_in_the_middle_of_a_run_ends_it_in_one_line_and_the_next_completes(
    environ: dict[str, str], small_dump: Path, tmp_path: Path, stage: str
) -> None:
    with api(tmp_path) as (url, server):
        process = start({**environ, "PREFECT_API_URL": url, "PREFECT_CLIENT_MAX_RETRIES": "1"}, small_dump)
        assert process.stderr is not None
        assert any(line.startswith(stage) for line in process.stderr)
        server.kill()
        code, line = ended(process)

    assert code == 9
    assert line.startswith(f"error: Prefect's API at {url} does not answer: start it")
    completes(environ, small_dump)


def test_a_full_disk_is_named_where_prefect_s_server_meets_it_first(environ: dict[str, str], small_dump: Path) -> None:
    code, line = ended(start(environ, small_dump, most=200_000))

    assert code == 4
    assert line.startswith(f"error: {environ['HNINTEL_HOME']} cannot be written (File too large): make room there")
    completes(environ, small_dump)


def test_a_full_disk_that_the_warehouse_meets_is_named_and_the_next_run_completes(
    environ: dict[str, str], small_dump: Path, tmp_path: Path
) -> None:
    with api(tmp_path) as (url, _):
        code, line = ended(start({**environ, "PREFECT_API_URL": url}, small_dump, most=60_000))
        assert code == 4
        assert "hnintel.duckdb" in line
        assert f"make room in {environ['HNINTEL_HOME']}" in line
        completes({**environ, "PREFECT_API_URL": url}, small_dump)

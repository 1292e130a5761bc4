"""A run without Prefect's API or disk space ends clearly, writes nothing in part, and the next run completes."""

from __future__ import annotations

import resource
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from tests.conftest import ROOT
from tests.flows.own_prefect import api

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def lasting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a Prefect server that keeps running."""
    with api(tmp_path_factory.mktemp("lasting")) as (url, _):
        yield url


def start(environ: dict[str, str], dump: Path, most: int = resource.RLIM_INFINITY) -> subprocess.Popen[str]:
    """Start a run that can write no file longer than *most* bytes, as on a full disk."""
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
    """Return the exit code and the last line."""
    _, err = process.communicate(timeout=600)
    assert "Traceback" not in err
    return process.returncode, [line for line in err.splitlines() if line.startswith("error")][-1]


def completes(environ: dict[str, str], dump: Path, url: str) -> None:
    process = start({**environ, "PREFECT_API_URL": url}, dump)
    _, err = process.communicate(timeout=600)
    assert process.returncode == 0, err
    with duckdb.connect(str(Path(environ["HNINTEL_HOME"]) / "hnintel.duckdb"), read_only=True) as connection:
        assert connection.execute("SELECT DISTINCT status FROM ops.partitions").fetchall() == [("complete",)]
        assert connection.execute("SELECT count(*) FROM marts.stories").fetchall() == [(12,)]
        assert connection.execute("SELECT count(*) FROM ops.leases").fetchall() == [(0,)]


def test_a_missing_api_is_named_with_a_remedy(environ: dict[str, str], small_dump: Path, lasting: str) -> None:
    code, line = ended(start({**environ, "PREFECT_API_URL": "http://127.0.0.1:9/api"}, small_dump))

    assert code == 9
    assert line.startswith("error: Prefect's API at http://127.0.0.1:9/api does not answer: start it")
    completes(environ, small_dump, lasting)


@pytest.mark.parametrize(
    "stage", ["enrich", *(pytest.param(stage, marks=pytest.mark.long) for stage in ("scrape", "transform"))]
)
def test_an_api_lost_during_a_run_ends_it_with_a_line_and_the_next_run_completes(
    environ: dict[str, str], small_dump: Path, tmp_path: Path, lasting: str, stage: str
) -> None:
    with api(tmp_path) as (url, server):
        # One retry makes the end quick; one thing at a time keeps an API on SQLite from refusing before it is gone.
        told = {"PREFECT_CLIENT_MAX_RETRIES": "1", "HNINTEL_ENRICH_CONCURRENCY": "1"}
        process = start({**environ, "PREFECT_API_URL": url, **told}, small_dump)
        assert process.stderr is not None
        assert any(line.startswith(stage) for line in process.stderr)
        server.kill()
        code, line = ended(process)

    assert code == 9
    assert line.startswith(f"error: Prefect's API at {url} does not answer: start it")
    completes(environ, small_dump, lasting)


def test_a_full_disk_is_named_if_the_prefect_server_meets_it_first(
    environ: dict[str, str], small_dump: Path, lasting: str
) -> None:
    shutil.rmtree(Path(environ["HNINTEL_HOME"]))  # of a first start

    code, line = ended(start(environ, small_dump, most=200_000))

    assert code == 4
    assert line.startswith(f"error: {environ['HNINTEL_HOME']} cannot be written (File too large): free space there")
    completes(environ, small_dump, lasting)


def test_a_full_disk_that_the_warehouse_meets_is_named_and_the_next_run_completes(
    environ: dict[str, str], small_dump: Path, lasting: str
) -> None:
    code, line = ended(start({**environ, "PREFECT_API_URL": lasting}, small_dump, most=60_000))

    assert code == 4
    assert "hnintel.duckdb" in line
    assert f"make room in {environ['HNINTEL_HOME']}" in line
    completes(environ, small_dump, lasting)

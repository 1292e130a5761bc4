"""What a run needs is not to be had: a clear end, nothing half written, and the next run completes."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    """An environment without settings of a developer, with a home of the test's own."""
    own = {name: value for name, value in os.environ.items() if not name.startswith(("PREFECT_", "HNINTEL_"))}
    return {**own, "HOME": str(tmp_path), "HNINTEL_HOME": str(tmp_path / "home")}


def start(environ: dict[str, str], dump: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, str(ROOT / "flows" / "main.py"), "--source", f"replay:{dump}"],
        env=environ,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )


def ended(process: subprocess.Popen[str]) -> tuple[int, str]:
    """The exit code, and the last line that it said."""
    _, err = process.communicate(timeout=400)
    assert "Traceback" not in err
    return process.returncode, [line for line in err.splitlines() if line.startswith("error")][-1]


def completes(environ: dict[str, str], dump: Path) -> None:
    process = start(environ, dump)
    _, err = process.communicate(timeout=400)
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

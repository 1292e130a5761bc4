"""``python flows/backfill.py`` interrupted between two days: it says so, nothing left running, only the rest done."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from tests.conftest import ROOT

pytestmark = pytest.mark.slow

FIRST, LAST = "2026-10-21", "2026-10-22"


@pytest.fixture
def dump(small_dump: Path) -> Path:
    """The twelve stories of the last day, and two on the day before it."""
    lines = small_dump.read_text(encoding="utf-8").splitlines()
    for line in lines[:2]:
        story = json.loads(line)
        lines.append(json.dumps(story | {"id": story["id"] + 1000, "time": story["time"] - 86_400}))
    small_dump.write_text("\n".join(lines), encoding="utf-8")
    return small_dump


def start(environ: dict[str, str], dump: Path) -> subprocess.Popen[str]:
    words = ["--source", f"replay:{dump}", "--from", FIRST, "--to", LAST, "--concurrency", "1", "--yes"]
    return subprocess.Popen(
        [sys.executable, str(ROOT / "flows" / "backfill.py"), *words],
        env=environ,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def left_behind(environ: dict[str, str]) -> list[str]:
    """Return the commands of processes with this test's home in their environment."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if environ["HNINTEL_HOME"].encode() in (process / "environ").read_bytes():
                found.append((process / "cmdline").read_bytes().replace(b"\0", b" ").decode())
        except OSError:
            continue
    return found


def attempts(environ: dict[str, str]) -> list[tuple[str, int]]:
    """Count the readings of each day."""
    with duckdb.connect(str(Path(environ["HNINTEL_HOME"]) / "hnintel.duckdb"), read_only=True) as connection:
        found = connection.execute("SELECT day, attempts FROM ops.partitions WHERE stage = 'ingest' ORDER BY day")
        return [(str(day), number) for day, number in found.fetchall()]


def test_it_prints_a_line_leaves_nothing_running_and_the_next_run_completes_the_rest(
    environ: dict[str, str], dump: Path
) -> None:
    process = start(environ, dump)
    assert process.stderr is not None
    assert any(line.startswith(f"{FIRST}: read and enriched") for line in process.stderr)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=600)

    assert process.returncode == 130
    *before, last = [line for line in err.splitlines() if line]
    assert last == "error: interrupted: items and answers so far are stored; run it again to continue"
    assert all(line.startswith("stopping: ") for line in before), "at once, while statements end"
    assert left_behind(environ) == []
    assert (FIRST, 1) in attempts(environ)

    again = start(environ, dump)
    _, err = again.communicate(timeout=600)

    assert again.returncode == 0, err
    assert left_behind(environ) == []
    assert attempts(environ)[0] == (FIRST, 1)
    with duckdb.connect(str(Path(environ["HNINTEL_HOME"]) / "hnintel.duckdb"), read_only=True) as connection:
        assert connection.execute("SELECT DISTINCT status FROM ops.partitions").fetchall() == [("complete",)]
        assert connection.execute("SELECT count(*) FROM marts.stories").fetchall() == [(14,)]
        assert connection.execute("SELECT count(*) FROM ops.leases").fetchall() == [(0,)]

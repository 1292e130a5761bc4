"""``python flows/main.py`` as a separate process: from any folder, interrupted, killed, and started again."""

from __future__ import annotations

import json
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import duckdb
import pytest

from tests.conftest import ROOT

pytestmark = pytest.mark.slow


def start(environ: dict[str, str], cwd: Path, *argv: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, str(ROOT / "flows" / "main.py"), "--source", "sample", *argv],
        cwd=cwd,
        env=environ,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def servers_of(environ: dict[str, str]) -> list[int]:
    """Return the Prefect servers with this test's home in their environment."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            command = (process / "cmdline").read_bytes()
            own = (process / "environ").read_bytes()
        except OSError:
            continue
        if b"flows.local.server" in command and environ["HNINTEL_HOME"].encode() in own:
            found.append(int(process.name))
    return found


def until_stage(process: subprocess.Popen[str], stage: str) -> None:
    """Read the output until it reaches *stage*."""
    assert process.stderr is not None
    for line in process.stderr:
        if line.startswith(stage):
            return
    raise AssertionError(f"it ended before {stage}")


def test_it_runs_from_any_folder_and_ends_with_one_json_object(environ: dict[str, str], tmp_path: Path) -> None:
    shutil.rmtree(Path(environ["HNINTEL_HOME"]))  # of a first start
    process = start(environ, tmp_path, "--json")
    out, err = process.communicate(timeout=600)

    assert process.returncode == 0, err
    told = json.loads(out)
    assert len(out.splitlines()) == 1
    assert {
        "day",
        "run_id",
        "items",
        "articles",
        "enrichments",
        "ai_calls",
        "tokens",
        "cost",
        "dbt",
        "seconds",
        "page",
    } <= set(told)
    assert Path(told["page"]).is_file()
    assert "Traceback" not in err
    assert servers_of(environ) == []
    assert sorted(path.name for path in tmp_path.iterdir()) == ["home"]  # nothing is written anywhere else


@pytest.mark.parametrize(
    "stage", ["enrich", *(pytest.param(stage, marks=pytest.mark.long) for stage in ("scrape", "transform"))]
)
def test_an_interrupted_run_says_so_leaves_no_process_behind_and_is_completed_by_the_next(
    environ: dict[str, str], tmp_path: Path, stage: str
) -> None:
    process = start(environ, tmp_path)
    until_stage(process, stage)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=600)

    assert process.returncode == 130
    assert "interrupted: items and answers so far are stored" in err
    assert err.count("stopping: running statements are finished first") == 1
    assert "Traceback" not in err
    assert servers_of(environ) == []
    assert _completed(environ, tmp_path)


def test_a_killed_run_takes_its_server_with_it_and_frees_its_day(environ: dict[str, str], tmp_path: Path) -> None:
    process = start(environ, tmp_path)
    until_stage(process, "enrich")
    assert servers_of(environ)
    process.kill()
    process.communicate()

    deadline = time.monotonic() + 20
    while servers_of(environ) and time.monotonic() < deadline:
        time.sleep(0.2)
    assert servers_of(environ) == []
    assert _completed(environ, tmp_path)


def test_a_home_of_prefect_that_is_set_has_the_runs_and_no_server_is_left_behind(
    environ: dict[str, str], tmp_path: Path
) -> None:
    other = tmp_path / "other"
    (Path(environ["HNINTEL_HOME"]) / "prefect").rename(other)
    process = start({**environ, "PREFECT_HOME": str(other)}, tmp_path)
    until_stage(process, "scrape")
    assert len(servers_of(environ)) == 1
    _, err = process.communicate(timeout=600)

    assert process.returncode == 0, err
    assert servers_of(environ) == []
    with sqlite3.connect(other / "prefect.db") as database:
        assert database.execute("SELECT count(*) FROM flow_run").fetchone() > (0,)


def test_the_poller_as_a_script_polls_once_and_says_what_it_left_out(environ: dict[str, str], tmp_path: Path) -> None:
    folder = tmp_path / "dumps"
    folder.mkdir()
    own = {**environ, "HNINTEL_SOURCE": "sample", "HNINTEL_WATCH_DUMPS": str(folder)}
    command = [sys.executable, str(ROOT / "flows" / "watch.py"), "--json"]
    done = subprocess.run(command, cwd=tmp_path, env=own, capture_output=True, text=True, timeout=600, check=False)

    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["told"] == []
    assert told["skipped"][-1] == done.stderr.splitlines()[-1] == f"no dump is new in {folder}"
    assert servers_of(environ) == []


def _completed(environ: dict[str, str], cwd: Path) -> bool:
    process = start(environ, cwd, "--json")
    out, err = process.communicate(timeout=600)
    assert process.returncode == 0, err
    told = json.loads(out)
    with duckdb.connect(str(Path(environ["HNINTEL_HOME"]) / "hnintel.duckdb"), read_only=True) as connection:
        for name in told["enrichments"]:
            ((rows, items),) = connection.execute(
                f"SELECT count(*), count(DISTINCT item_id) FROM enriched.{name}"
            ).fetchall()
            due = told["outcomes"]["ok"] if name != "discussion" else rows  # not under every story is anything said
            assert (rows, items) == (due, due)
            assert rows > 0
    return bool(told["briefing"]["claims"]) and Path(told["page"]).is_file()

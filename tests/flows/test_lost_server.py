"""A run's own Prefect server: concurrent first starts, and the end of a run whose server is lost."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from pathlib import Path

import duckdb
import psutil
import pytest

from flows.local import lost_server
from flows.local.lost_server import LostServer
from hnintel.errors import PrefectAway
from tests.conftest import ROOT
from tests.flows.own_prefect import bare_environ


def start(folder: Path, *argv: str) -> subprocess.Popen[str]:
    """Start a run in a home below *folder*."""
    environ = {**bare_environ(folder), "HNINTEL_HOME": str(folder / "home")}
    return subprocess.Popen(
        [sys.executable, "flows/main.py", "--source", "sample", *argv],
        cwd=ROOT,
        env=environ,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.slow
@pytest.mark.parametrize("number", [3, pytest.param(5, marks=pytest.mark.long)])
def test_any_number_of_concurrent_first_starts_of_a_home_work(tmp_path: Path, number: int) -> None:
    days = ("2026-10-20", "2026-10-21", "2026-10-20", "2026-10-22", "2026-10-21")[:number]
    runs = [start(tmp_path, "--day", day, "--stage", "ingest", "--again") for day in days]
    said = [run.communicate(timeout=500)[1] for run in runs]
    # A day that another run has at this moment is refused; that is the ledger's doing, once Prefect is up.
    failed = [told for run, told in zip(runs, said, strict=True) if run.returncode and "is held by" not in told]
    assert failed == []
    assert sum(run.returncode == 0 for run in runs) >= len(set(days))
    with duckdb.connect(str(tmp_path / "home" / "hnintel.duckdb"), read_only=True) as connection:
        assert connection.execute("SELECT count(DISTINCT day) FROM raw.items").fetchall() == [(len(set(days)),)]


@pytest.mark.slow
def test_a_killed_server_ends_its_run_with_a_line_and_the_next_run_continues(tmp_path: Path) -> None:
    run = start(tmp_path, "--day", "2026-10-22")
    assert run.stderr is not None
    assert any(line.startswith("enrich") for line in run.stderr)
    (server,) = [
        child for child in psutil.Process(run.pid).children() if "flows.local.server" in " ".join(child.cmdline())
    ]
    server.kill()
    killed = time.monotonic()
    said = run.stderr.read()
    ended_after = time.monotonic() - killed
    errors = [line for line in said.splitlines() if line.startswith("error")]
    assert run.wait(60) == 9, said
    assert "Traceback" not in said
    assert len(errors) == 1, errors
    (line,) = errors
    assert line.startswith("error: the run's own Prefect server was ended by signal 9: see ")
    assert "items and answers so far are stored; run it again to continue" in line
    # The promise is five seconds; that it was not Prefect's four minutes is what a busy machine can still show.
    assert ended_after < 60
    database = tmp_path / "home" / "hnintel.duckdb"
    with duckdb.connect(str(database), read_only=True) as connection:
        assert connection.execute("SELECT count(*) > 0 FROM raw.items").fetchall() == [(True,)]

    again = start(tmp_path, "--day", "2026-10-22")
    assert again.stderr is not None
    again.stderr.read()
    assert again.wait(60) == 0
    with duckdb.connect(str(database), read_only=True) as connection:
        assert connection.execute("SELECT count(*) > 0 FROM marts.stories").fetchall() == [(True,)]
        assert connection.execute("SELECT count(*) FROM ops.leases").fetchall() == [(0,)]


def test_an_interrupted_block_ends_with_the_reason(tmp_path: Path) -> None:
    lost = LostServer(tmp_path / "server.log", None)
    lost.begin(lambda: None)
    threading.Timer(0.1, lost.interrupt, [-9]).start()
    with pytest.raises(PrefectAway, match=r"was ended by signal 9: see .*server\.log; what was read"), lost.told():
        threading.Event().wait(60)


def test_a_run_that_does_not_end_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lost_server, "ENDS_WITHIN", 0.1)
    monkeypatch.setattr(lost_server, "_LEFT_WITHIN", 300.0)
    given_up: list[PrefectAway] = []
    done = threading.Event()

    def give_up(away: PrefectAway) -> None:
        given_up.append(away)
        done.set()

    lost = LostServer(tmp_path / "server.log", give_up)
    lost.begin(lambda: None)

    def go_on_all_the_same() -> None:
        for _ in range(2):
            try:
                done.wait(60)
            except KeyboardInterrupt:
                continue
        raise ValueError("ended at last")

    threading.Timer(0.1, lost.interrupt, [3]).start()
    with pytest.raises(PrefectAway), lost.told():
        go_on_all_the_same()
    assert [str(away).partition(":")[0] for away in given_up] == ["the run's own Prefect server ended with code 3"]


def test_a_run_that_is_over_is_not_interrupted(tmp_path: Path) -> None:
    lost = LostServer(tmp_path / "server.log", None)
    lost.begin(lambda: None)
    with lost.told():
        pass
    lost.interrupt(1)
    with lost.told():
        time.sleep(0.05)


def test_a_server_that_ends_as_soon_as_it_is_up_is_told_before_the_run_begins(tmp_path: Path) -> None:
    lost = LostServer(tmp_path / "server.log", None)
    with pytest.raises(PrefectAway, match="ended with code 3"), lost.told():
        lost.begin(lambda: lost.interrupt(3))


def test_the_waiting_command_reports_why_the_server_did_not_start(tmp_path: Path) -> None:
    lost = LostServer(tmp_path / "server.log", None)

    def ends_while_it_starts() -> None:
        lost.interrupt(3)
        raise PrefectAway("while it started")

    with pytest.raises(PrefectAway, match="while it started"), lost.told():
        lost.begin(ends_while_it_starts)


def test_another_error_of_a_run_stays_what_it_is_where_its_server_is_there(tmp_path: Path) -> None:
    lost = LostServer(tmp_path / "server.log", None)
    lost.begin(lambda: None)
    with pytest.raises(KeyboardInterrupt), lost.told():
        raise KeyboardInterrupt

"""What another process holds is waited for once, aloud, and not after an interrupt."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hnintel.errors import WarehouseBusy
from hnintel.ledger import leases
from hnintel.ledger.leases import Leases
from hnintel.warehouse import open_warehouse, waiting
from hnintel.warehouse.duckdb.lock import hold_on
from hnintel.warehouse.duckdb.turns import only_here
from hnintel.warehouse.waiting import Patience
from tests.conftest import ROOT
from tests.warehouse.other import HAS_THE_LOCK, other_process
from tests.warehouse.world import fetch, fresh_duckdb, open_duckdb, settings_in

HOLDS_THE_FILE = "import duckdb; held = duckdb.connect(sys.argv[1])"
BOTH_LOCKS = pytest.mark.parametrize("script", [HAS_THE_LOCK, HOLDS_THE_FILE], ids=["ours", "DuckDB's"])
DAY = date(2026, 10, 22)


@pytest.fixture
def slept(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Every pause that was made between two tries, in seconds."""
    pauses: list[float] = []

    def pause(seconds: float, grace: float = 0) -> None:
        pauses.append(seconds)
        time.sleep(seconds)

    for module in ("warehouse.duckdb.lock", "warehouse.duckdb.adapter", "ledger.leases"):
        monkeypatch.setattr(f"hnintel.{module}.pause", pause)
    return pauses


@given(st.lists(st.floats(0, 100), min_size=1))
def test_what_is_waited_in_vain_is_the_greatest_bound_and_no_sum(bounds: list[float]) -> None:
    one = Patience()
    waited = 0.0
    for bound in bounds:
        waited += one.left(bound)
        one.in_vain(bound)
    assert waited == pytest.approx(max(bounds))


def test_a_bound_is_whole_again_once_the_thing_was_had() -> None:
    one = Patience()
    one.in_vain(60)
    assert (one.left(60), one.left(600)) == (0, 540)
    one.got_it()
    assert one.left(60) == 60


@BOTH_LOCKS
def test_who_tries_again_after_a_wait_in_vain_does_not_wait_again(
    tmp_path: Path, script: str, slept: list[float]
) -> None:
    path = open_duckdb(tmp_path).path
    with other_process(script, path):
        for attempt in range(4):
            slept_before = len(slept)
            with pytest.raises(WarehouseBusy, match=r"waited 0\.4 s"):
                fetch(open_duckdb(tmp_path, lock_wait=0.4), "SELECT 1")
            assert bool(len(slept) - slept_before) is (attempt == 0)
        assert sum(slept) <= 0.4 * 1.01


def test_dbt_does_not_wait_again_for_what_was_waited_for_in_vain(tmp_path: Path, slept: list[float]) -> None:
    path = open_duckdb(tmp_path).path
    with other_process(HAS_THE_LOCK, path):
        with pytest.raises(WarehouseBusy):
            fetch(open_duckdb(tmp_path, lock_wait=0.4), "SELECT 1")
        slept.clear()
        with pytest.raises(WarehouseBusy), only_here(path, 0.4):
            pytest.fail("it is held")
    assert slept == []


def test_threads_that_wait_side_by_side_wait_once_together(tmp_path: Path, slept: list[float]) -> None:
    warehouse = open_duckdb(tmp_path, lock_wait=0.4)

    def asks(_: int) -> str:
        with pytest.raises(WarehouseBusy) as told:
            fetch(warehouse, "SELECT 1")
        return str(told.value)

    with other_process(HAS_THE_LOCK, warehouse.path), ThreadPoolExecutor(4) as pool:
        said = list(pool.map(asks, range(4)))
    assert len(set(said)) == 1
    assert sum(slept) <= 0.4 * 1.01


@BOTH_LOCKS
def test_a_wait_is_said_once_with_who_has_the_file(
    tmp_path: Path, script: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(waiting, "REPORTED_AFTER", 0.1)
    path = open_duckdb(tmp_path).path
    with other_process(script, path) as other:
        with pytest.raises(WarehouseBusy):
            fetch(open_duckdb(tmp_path, lock_wait=0.6), "SELECT 1")
        said = capsys.readouterr().err.splitlines()
    assert len(said) == 1
    assert said[0].startswith(f"waiting for {path}, held by process {other.pid} (")
    assert said[0].endswith("s more at most (HNINTEL_LOCK_WAIT)")


def test_a_wait_for_another_run_is_said_with_who_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(waiting, "REPORTED_AFTER", 0.1)
    warehouse, settings = fresh_duckdb(tmp_path), settings_in(tmp_path, lock_wait=0.6)
    with Leases(warehouse, "other", settings) as other:
        assert other.take(DAY, "ingest") is None
        with pytest.raises(WarehouseBusy), leases.lease(warehouse, DAY, "ingest", "run", settings):
            pytest.fail("it is held")
    said = capsys.readouterr().err.splitlines()
    assert len(said) == 1
    assert said[0].startswith(f"ingest of {DAY} is being run by process {os.getpid()} on ")
    assert "(run other): waiting for" in said[0]


def test_a_short_wait_is_not_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with other_process(HAS_THE_LOCK, open_duckdb(tmp_path).path), pytest.raises(WarehouseBusy):
        fetch(open_duckdb(tmp_path, lock_wait=0.3), "SELECT 1")
    assert capsys.readouterr().err == ""


@pytest.mark.slow  # it waits until the sentence comes
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, -signal.SIGTERM)])
def test_a_command_that_waits_says_for_whom_and_ends_on_a_signal(home: Path, number: signal.Signals, code: int) -> None:
    path = settings_in(home).warehouse_file
    with open_warehouse(settings_in(home)).transaction(stage="ingest"):
        pass  # a command that only looks waits for no file that is not there
    with other_process(HAS_THE_LOCK, path) as other:
        waits = subprocess.Popen(
            [sys.executable, "-m", "hnintel", "status"], cwd=ROOT, stderr=subprocess.PIPE, text=True
        )
        assert waits.stderr is not None
        assert f"held by process {other.pid}" in waits.stderr.readline()
        waits.send_signal(number)
        assert waits.wait(timeout=20) == code
    with hold_on(path).taken(0):
        pass  # it left nothing held

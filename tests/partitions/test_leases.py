"""Leases: who holds one keeps others off, whoever dies is taken over, and two processes take turns."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from flows.stage import begin
from hnintel.errors import WarehouseBusy
from hnintel.ingest.rows import item as as_row
from hnintel.ingest.scraping import Scraped
from hnintel.ledger import leases, stage_rows, statuses
from hnintel.ledger.leases import Leases
from hnintel.models import FirebaseItem
from hnintel.window import utc_now
from tasks import articles as article_tasks
from tasks import enrich as enrich_tasks
from tasks import ingest as ingest_tasks
from tests.partitions.days import DAY, Days

ROOT = Path(__file__).resolve().parents[2]
_HOLDER = """
import datetime, sys
from hnintel.ledger.leases import Leases
from hnintel.settings import Settings
from hnintel.warehouse import open_warehouse
settings = Settings(home=sys.argv[1], lease_seconds=float(sys.argv[2]))
with Leases(open_warehouse(settings), "other", settings) as held:
    assert held.take(datetime.date(2026, 10, 21), "ingest") is None
    print("held", flush=True)
    for line in sys.stdin:
        held.give_back(datetime.date(2026, 10, 21), "ingest")
        print("released", flush=True)
"""


@pytest.fixture
def days(tmp_path: Path) -> Days:
    """An empty warehouse whose file is left to other processes between transactions."""
    return Days(tmp_path)


@contextmanager
def other_process(days: Days, lease_seconds: float = 120) -> Iterator[subprocess.Popen[str]]:
    """A process that holds the ingest of the day, and lets it go when it is sent a line."""
    argv = [sys.executable, "-c", _HOLDER, str(days.settings.folder), str(lease_seconds)]
    with subprocess.Popen(argv, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        try:
            yield process
        finally:
            process.kill()


def test_two_processes_take_turns_at_a_stage(days: Days) -> None:
    with other_process(days) as other, Leases(days.warehouse, "mine", days.settings) as held:
        busy = held.take(DAY, "ingest")
        assert busy is not None
        assert busy.run_id == "other"
        assert f"process {other.pid} on " in str(busy)
        assert held.take(DAY, "articles") is None  # another stage is free
        assert held.take(DAY + timedelta(days=1), "ingest") is None  # and another day

        assert other.stdin is not None
        assert other.stdout is not None
        other.stdin.write("let go\n")
        other.stdin.flush()
        assert other.stdout.readline() == "released\n"

        assert held.take(DAY, "ingest") is None


def test_who_waits_for_longer_than_is_set_is_told_which_process_holds_it(days: Days) -> None:
    settings = days.settings.model_copy(update={"lock_wait": 0.2})
    with (
        other_process(days) as other,
        pytest.raises(
            WarehouseBusy,
            match=rf"ingest of {DAY} is being run by process {other.pid} on .* \(run other\); waited 0.2 s",
        ),
        leases.lease(days.warehouse, DAY, "ingest", "mine", settings),
    ):
        pass


def test_a_process_that_was_killed_is_taken_over_at_once_on_its_own_machine(days: Days) -> None:
    with other_process(days) as other, Leases(days.warehouse, "mine", days.settings) as held:
        assert held.take(DAY, "ingest") is not None
        other.kill()
        other.wait()
        assert held.take(DAY, "ingest") is None


def test_a_process_of_another_machine_is_taken_over_when_its_lease_has_ended_and_not_before(days: Days) -> None:
    with other_process(days) as other:
        other.kill()
        other.wait()
        days.sql("UPDATE ops.leases SET holder = 'far-away|pid:[1]|1|1'")
        with Leases(days.warehouse, "mine", days.settings) as held:
            busy = held.take(DAY, "ingest")
            assert str(busy) == "process 1 on far-away (run other)"
            days.sql("UPDATE ops.leases SET expires_at = heartbeat_at")
            assert held.take(DAY, "ingest") is None


def test_a_process_of_another_container_is_not_judged_dead_by_its_number(days: Days) -> None:
    """Containers may share a host's name; what a number means in another one is not known here."""
    with other_process(days) as other:
        other.kill()
        other.wait()
        ((holder,),) = days.sql("SELECT holder FROM ops.leases")
        host, _, number, started = holder.split("|")
        days.sql("UPDATE ops.leases SET holder = ?", [f"{host}|pid:[1]|{number}|{started}"])
        with Leases(days.warehouse, "mine", days.settings) as held:
            busy = held.take(DAY, "ingest")
            assert busy is not None
            assert busy.run_id == "other"


def test_a_number_that_another_process_has_by_now_does_not_keep_a_dead_one_alive(days: Days) -> None:
    with Leases(days.warehouse, "mine", days.settings) as held:
        held.take(DAY, "ingest")
        ((holder,),) = days.sql("SELECT holder FROM ops.leases")
        days.sql("UPDATE ops.leases SET run_id = 'other', holder = ?", [f"{holder.rpartition('|')[0]}|1"])
        assert held.take(DAY, "ingest") is None


def test_a_lease_is_renewed_while_its_holder_lives(days: Days) -> None:
    settings = days.settings.model_copy(update={"lease_seconds": 1.0})
    with Leases(days.warehouse, "mine", settings) as held:
        held.take(DAY, "ingest")
        ((first,),) = days.sql("SELECT expires_at FROM ops.leases")
        deadline = time.monotonic() + 30
        while days.sql("SELECT expires_at FROM ops.leases") == [(first,)]:
            assert time.monotonic() < deadline
            time.sleep(0.05)


def test_a_renewed_lease_keeps_others_off_for_its_whole_length_again(
    days: Days, monkeypatch: pytest.MonkeyPatch
) -> None:
    length, ahead = timedelta(seconds=60), timedelta(0)
    monkeypatch.setattr(leases, "_BEATS", 600)  # ten a second
    monkeypatch.setattr(leases, "utc_now", lambda: utc_now() + ahead)
    settings = days.settings.model_copy(update={"lease_seconds": length.total_seconds()})

    def renewed_after(moment: datetime) -> None:
        deadline = time.monotonic() + 30
        while days.sql("SELECT heartbeat_at FROM ops.leases WHERE heartbeat_at > ?", [moment]) == []:
            assert time.monotonic() < deadline
            time.sleep(0.05)

    with Leases(days.warehouse, "mine", settings) as held, Leases(days.warehouse, "other", settings) as other:
        held.take(DAY, "ingest")
        taken = leases.utc_now()
        renewed_after(taken)
        ((heartbeat, expires),) = days.sql("SELECT heartbeat_at, expires_at FROM ops.leases")
        assert expires == heartbeat + length
        assert expires > leases.utc_now() + length / 2

        ahead = 1.5 * length  # the lease as it was taken is over by then
        renewed_after(taken + length)
        busy = other.take(DAY, "ingest")
        assert busy is not None
        assert busy.run_id == "mine"


def test_leases_end_with_their_block_and_those_of_the_same_run_elsewhere_do_not(days: Days) -> None:
    with Leases(days.warehouse, "mine", days.settings) as outer:
        outer.take(DAY, "ingest")
        with leases.lease(days.warehouse, leases.ALL_DAYS, "transform", "mine", days.settings):
            assert len(days.sql("SELECT * FROM ops.leases")) == 2
        assert days.sql("SELECT stage FROM ops.leases") == [("ingest",)]
    assert days.sql("SELECT * FROM ops.leases") == []


def test_the_dead_are_forgotten_and_the_living_are_not(days: Days) -> None:
    with Leases(days.warehouse, "mine", days.settings) as held:
        held.take(DAY, "ingest")
        held.take(DAY, "articles")
        days.sql("UPDATE ops.leases SET expires_at = heartbeat_at WHERE stage = 'articles'")
        with days.warehouse.transaction(stage="enrich") as session:
            leases.delete_dead(session, utc_now())
        assert days.sql("SELECT stage FROM ops.leases") == [("ingest",)]


@pytest.mark.parametrize("stage", ["ingest", "transform"])
def test_a_run_that_was_taken_over_does_not_say_how_the_stage_ended(days: Days, stage: str) -> None:
    days.note(stage, status=None, run_id="mine")
    held_as = leases.ALL_DAYS if stage == "transform" else DAY
    with Leases(days.warehouse, "other", days.settings) as other:
        assert other.take(held_as, stage) is None
        with (
            pytest.raises(WarehouseBusy, match=rf"{stage} of {DAY} was taken over by process .* \(run other\)"),
            days.warehouse.transaction(stage="enrich") as session,
        ):
            stage_rows.end_stage(session, DAY, stage, "complete", "mine", utc_now())
    assert days.sql("SELECT status FROM ops.partitions") == [("running",)]


@pytest.mark.parametrize(("status", "told"), [(None, "did not end it"), ("complete", "has ended it")])
def test_what_a_run_began_that_took_over_is_not_ended_by_the_one_before_it(
    days: Days, status: statuses.Status | None, told: str
) -> None:
    days.note("transform", status=None, run_id="mine")
    days.load(1)
    days.note("transform", status=status, run_id="other")  # made of more than the first one had
    with (
        pytest.raises(WarehouseBusy, match=f"taken over by run other.* {told}"),
        days.warehouse.transaction(stage="enrich") as session,
    ):
        stage_rows.end_stage(session, DAY, "transform", "complete", "mine", utc_now())
    assert days.sql("SELECT run_id, status FROM ops.partitions") == [("other", status or "running")]


def write_late(stage: str) -> None:
    """Write what the run "mine" has read for *stage*, as its task does."""
    old = as_row(FirebaseItem(id=1, type="story", time=1_792_600_000, title="As it was"), DAY, "sample")
    writes: dict[str, Callable[[], object]] = {
        "ingest": lambda: ingest_tasks.load.fn(Scraped(items=[old]), DAY, "mine"),
        "articles": lambda: article_tasks.load.fn([], DAY, "mine"),
        "enrich:topic": lambda: enrich_tasks.ask.fn("topic", DAY, "mine", 0),
    }
    writes[stage]()


@pytest.mark.parametrize("stage", ["ingest", "articles", "enrich:topic"])
def test_a_run_whose_lease_another_has_by_now_writes_nothing_though_that_one_has_not_begun(
    days: Days, stage: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    days.load(1, title="As it is")
    days.note(stage, status=None, run_id="mine")
    monkeypatch.setenv("HNINTEL_HOME", str(days.settings.folder))
    with Leases(days.warehouse, "other", days.settings) as other:
        assert other.take(DAY, stage) is None
        with pytest.raises(WarehouseBusy, match=rf"{stage} of {DAY} was taken over by process .* \(run other\)"):
            write_late(stage)
    assert days.sql("SELECT title FROM raw.items") == [("As it is",)]


@pytest.mark.parametrize("stage", ["ingest", "articles", "enrich:topic"])
def test_a_run_that_stood_still_while_another_ended_its_stage_writes_nothing_of_what_it_had_read(
    days: Days, stage: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    days.load(1, title="As it was")
    days.note(stage, status=None, run_id="mine")
    days.load(1, title="As it is")
    days.note(stage, status="complete", run_id="other")
    assert days.sql("SELECT * FROM ops.leases") == []  # the other one is gone again: no lease tells of it
    monkeypatch.setenv("HNINTEL_HOME", str(days.settings.folder))
    with pytest.raises(WarehouseBusy, match=f"{stage} of {DAY} was taken over by run other"):
        write_late(stage)
    assert days.sql("SELECT title FROM raw.items") == [("As it is",)]


def test_a_stage_that_another_holds_by_now_is_not_begun(days: Days) -> None:
    with Leases(days.warehouse, "other", days.settings) as other:
        assert other.take(DAY, "ingest") is None
        with (
            pytest.raises(WarehouseBusy, match="taken over by process"),
            days.warehouse.transaction(stage="enrich") as session,
        ):
            begin(session, days.pipeline, [DAY], "ingest", "mine", utc_now())

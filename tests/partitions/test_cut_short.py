"""Runs that were killed or interrupted: ``reconcile`` and ``status`` say the same of them, and it is done."""

from __future__ import annotations

import json
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest

from flows.local.reconcile import main_reconcile
from hnintel.cli.app import main
from hnintel.ledger import runs, statuses
from hnintel.ledger.leases import Leases
from hnintel.planning.cut_short import MOST_TRIES, close_dead, cut_short
from hnintel.planning.due import days_due
from hnintel.window import utc_now
from tests.partitions.days import DAY, NOW, READ, Days, copied

BY_ITSELF = "; python flows/reconcile.py --source sample does it"
Capture = pytest.CaptureFixture[str]


@pytest.fixture
def days(home: Path) -> Days:
    """A warehouse where the commands look for it, with a day that was done a month ago."""
    return copied(home, _done)


def _done(days: Days) -> None:
    days.load(1)
    days.note()


def run(
    days: Days, run_id: str, status: statuses.Status | None = None, error: str | None = None, at: datetime = READ
) -> None:
    """A run of ``DAY`` that has begun; with *status*, it ended so, with an error if one is given."""
    with days.warehouse.transaction(stage="enrich") as session:
        runs.begin_run(session, run_id, DAY, "sample", at, alive={"none"})
        if status is not None:
            runs.end_run(session, run_id, status, {"error": error} if error else {}, at)


def due(days: Days) -> dict[date, str]:
    with days.warehouse.transaction(stage="enrich") as session:
        return {one.day: one.why for one in days_due(session, days.pipeline, NOW)}


def told(capsys: Capture, *argv: str) -> str:
    assert main(["status", "--source", "sample", *argv]) == 0
    return capsys.readouterr().out


def reconciled(capsys: Capture, *argv: str) -> str:
    assert main_reconcile(["--source", "sample", *argv]) == 0
    return capsys.readouterr().err


@pytest.mark.parametrize(
    ("status", "error", "why"),
    [
        (None, None, "its run of 2026-11-20 06:00 UTC died"),
        ("failed", "CancelledError: ", "its run of 2026-11-20 06:00 UTC was interrupted"),
        ("failed", "TerminationSignal: signal 15", "its run of 2026-11-20 06:00 UTC was interrupted"),
        ("failed", "KeyboardInterrupt: ", "its run of 2026-11-20 06:00 UTC was interrupted"),
        ("failed", "SourceError: the dump is broken", None),
        ("stopped", "BudgetReached: it may cost too much", None),
        ("complete", None, None),
    ],
)
def test_a_day_whose_run_was_cut_short_is_due_however_old(
    days: Days, status: statuses.Status | None, error: str | None, why: str | None
) -> None:
    run(days, "r", status, error)
    assert due(days) == ({DAY: why} if why else {})


def test_status_and_reconcile_say_the_same_of_a_run_that_died(days: Days, capsys: Capture) -> None:
    run(days, "r")
    why = "2026-10-21: its run of 2026-11-20 06:00 UTC died"
    assert f"due: {why}{BY_ITSELF}" in told(capsys)
    assert json.loads(told(capsys, "--json"))["reconcile"] == {"2026-10-21": why.partition(": ")[2]}
    assert reconciled(capsys, "--plan").splitlines() == [why]


def test_a_stage_that_died_is_due_and_status_says_who_does_it(days: Days, capsys: Capture) -> None:
    days.note("transform", status=None, run_id="a-backfill")
    assert due(days) == {DAY: "transform: its run died"}
    assert f"due: 2026-10-21 transform: failed: run a-backfill, since 2026-11-20 06:00 UTC, died{BY_ITSELF}" in told(
        capsys
    )


def test_a_run_that_is_alive_is_not_taken_for_dead(days: Days) -> None:
    run(days, "r")
    with Leases(days.warehouse, "r", days.settings) as leases:
        assert leases.take(DAY, "run r") is None
        with days.warehouse.transaction(stage="enrich") as session:
            assert cut_short(session, days.pipeline, NOW) == []
            close_dead(session, utc_now())
            assert session.execute("SELECT status FROM ops.runs") == [("running",)]
    assert due(days) == {DAY: "its run of 2026-11-20 06:00 UTC died"}


def test_a_run_that_ended_well_since_makes_the_day_good(days: Days) -> None:
    run(days, "r")
    run(days, "s", "complete", at=READ + timedelta(minutes=1))
    assert due(days) == {}


def test_no_run_that_died_is_left_running(days: Days) -> None:
    run(days, "r")
    with days.warehouse.transaction(stage="enrich") as session:
        close_dead(session, NOW)
    assert days.sql("SELECT status, summary FROM ops.runs") == [("failed", None)]
    assert due(days) == {DAY: "its run of 2026-11-20 06:00 UTC died"}  # that is still known of it


def test_a_plan_closes_nothing(days: Days, capsys: Capture) -> None:
    run(days, "r")
    reconciled(capsys, "--plan")
    assert days.sql("SELECT status FROM ops.runs") == [("running",)]


def test_reconcile_closes_a_dead_run_of_another_source_too(days: Days, capsys: Capture) -> None:
    with days.warehouse.transaction(stage="enrich") as session:
        runs.begin_run(session, "r", DAY, "live", READ)
    assert reconciled(capsys).startswith("nothing is due")
    assert days.sql("SELECT status FROM ops.runs") == [("failed",)]


def test_a_day_that_kills_its_runs_is_left_to_a_person(days: Days, capsys: Capture) -> None:
    for number in range(MOST_TRIES):
        run(days, str(number), at=READ + timedelta(minutes=number))
    assert list(due(days)) == [DAY]
    run(days, "last", at=NOW)
    days.note("transform", status="failed")
    assert due(days) == {}
    assert "python flows/main.py --day 2026-10-21 --source sample does" in reconciled(capsys, "--plan")


def test_of_what_failed_long_ago_both_name_the_command_that_does_it(days: Days, capsys: Capture) -> None:
    days.load(2, day=DAY + timedelta(days=1))
    days.note(day=DAY + timedelta(days=1))
    for day in (DAY, DAY + timedelta(days=1)):
        days.note("transform", status="failed", day=day)
    command = "python flows/backfill.py --from 2026-10-21 --to 2026-10-22 --source sample does"
    assert f"transform: failed: it broke; {command} it" in told(capsys)
    said = reconciled(capsys, "--plan")
    assert said.startswith("nothing is due\n")
    assert command in said


def test_a_day_that_is_going_on_is_left_to_its_next_hour(days: Days) -> None:
    with days.warehouse.transaction(stage="enrich") as session:
        runs.begin_run(session, "r", NOW.date(), "sample", NOW)
        assert cut_short(session, days.pipeline, NOW) == []

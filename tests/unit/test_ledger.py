"""The ledger: what was begun, what is done, what could not be taken."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from hnintel.ledger import dead_letters, runs, stage_rows, statuses
from hnintel.warehouse.base import Warehouse
from tests.warehouse.world import DAY, NOW, fresh_duckdb


@pytest.fixture
def warehouse(tmp_path: Path) -> Warehouse:
    return fresh_duckdb(tmp_path)


def rows(warehouse: Warehouse, table: str) -> list[dict[str, Any]]:
    with warehouse.transaction(stage="enrich") as session:
        return session.rows(f"SELECT * FROM ops.{table} ORDER BY 1, 2")


def settle(
    warehouse: Warehouse,
    failed: dict[str, str],
    *taken: tuple[str, str],
    now: datetime = NOW,
    run_id: str = "run",
) -> None:
    """Keep what a reading of items came to."""
    with warehouse.transaction(stage="enrich") as session:
        letters = {("items", key): reason for key, reason in failed.items()}
        dead_letters.settle_letters(session, dead_letters.stage_letters(session, DAY, letters, taken, run_id, now))


def test_a_run_is_noted_when_it_begins_and_when_it_ends(warehouse: Warehouse) -> None:
    with warehouse.transaction(stage="enrich") as session:
        runs.begin_run(session, "run", DAY, "sample", NOW)
    (begun,) = rows(warehouse, "runs")
    assert (begun["status"], begun["finished_at"]) == ("running", None)
    with warehouse.transaction(stage="enrich") as session:
        runs.end_run(session, "run", "complete", {"day": DAY, "listed": 3}, NOW + timedelta(minutes=1))
    (ended,) = rows(warehouse, "runs")
    assert (ended["status"], ended["finished_at"]) == ("complete", NOW + timedelta(minutes=1))
    assert ended["summary"] == '{"day": "2026-10-21", "listed": 3}'


def test_a_run_that_begins_closes_the_dead_ones_of_its_day_and_leaves_the_live_ones(warehouse: Warehouse) -> None:
    with warehouse.transaction(stage="enrich") as session:
        for run_id, day in (("live", DAY), ("dead", DAY), ("of another day", DAY + timedelta(days=1))):
            runs.begin_run(session, run_id, day, "sample", NOW, alive={"live", "dead"})
        runs.begin_run(session, "new", DAY, "sample", NOW + timedelta(hours=1), alive={"live"})
    assert {row["run_id"]: (row["status"], row["finished_at"]) for row in rows(warehouse, "runs")} == {
        "live": ("running", None),
        "dead": ("failed", NOW + timedelta(hours=1)),
        "of another day": ("running", None),
        "new": ("running", None),
    }


def test_a_stage_that_its_own_run_begins_again_has_no_other_attempt(warehouse: Warehouse) -> None:
    for minutes, (run_id, attempts, begun) in enumerate([("run", 1, 0), ("run", 1, 0), ("next", 2, 2), ("next", 2, 2)]):
        with warehouse.transaction(stage="enrich") as session:
            stage_rows.begin_stage(session, DAY, "transform", run_id, NOW + timedelta(minutes=minutes))
        (row,) = rows(warehouse, "partitions")
        assert (row["attempts"], row["started_at"]) == (attempts, NOW + timedelta(minutes=begun))


def test_a_stage_counts_its_attempts_and_forgets_its_last_error(warehouse: Warehouse) -> None:
    for error in ("dbt failed", None):
        with warehouse.transaction(stage="enrich") as session:
            stage_rows.begin_stage(session, DAY, "transform", "run", NOW)
        (begun,) = rows(warehouse, "partitions")
        assert (begun["status"], begun["finished_at"], begun["error"]) == ("running", None, None)
        with warehouse.transaction(stage="enrich") as session:
            stage_rows.end_stage(session, DAY, "transform", "failed" if error else "complete", "run", NOW, error=error)
    (ended,) = rows(warehouse, "partitions")
    assert (ended["status"], ended["attempts"], ended["error"]) == ("complete", 2, None)


@pytest.mark.parametrize(
    ("status", "done"), [("running", False), ("failed", False), ("partial", True), ("complete", True)]
)
def test_a_stage_is_done_when_it_ended_well(warehouse: Warehouse, status: statuses.Status, done: bool) -> None:
    with warehouse.transaction(stage="enrich") as session:
        assert not stage_rows.was_complete(session, DAY, "publish")
        stage_rows.end_stage(session, DAY, "publish", status, "run", NOW)
        assert stage_rows.was_complete(session, DAY, "publish") is done
        assert not stage_rows.was_complete(session, DAY, "ingest")


def test_what_is_lost_again_counts_its_attempts_and_keeps_its_first_day(warehouse: Warehouse) -> None:
    settle(warehouse, {"1": "not read", "2": "malformed"})
    settle(warehouse, {"1": "timed out"}, now=NOW + timedelta(hours=1), run_id="next")
    first, second = rows(warehouse, "dead_letters")
    assert (first["key"], first["reason"], first["attempts"], first["run_id"]) == ("1", "timed out", 2, "next")
    assert (first["first_seen"], first["last_seen"]) == (NOW, NOW + timedelta(hours=1))
    assert (second["key"], second["attempts"]) == ("2", 1)


def test_what_was_taken_after_all_is_taken_out_in_its_own_stage(warehouse: Warehouse) -> None:
    settle(warehouse, {"1": "not read", "2": "not read"})
    settle(warehouse, {}, ("articles", "1"), ("articles", "2"))
    settle(warehouse, {})
    assert [letter["key"] for letter in rows(warehouse, "dead_letters")] == ["1", "2"]
    settle(warehouse, {}, ("items", "1"), ("items", "7"))
    assert [letter["key"] for letter in rows(warehouse, "dead_letters")] == ["2"]
    with warehouse.transaction(stage="enrich") as session:
        assert dead_letters.dead_letters_of(session, DAY) == 1
        assert dead_letters.dead_letters_of(session, DAY.replace(day=1)) == 0


def test_what_failed_at_one_place_and_was_taken_at_another_is_no_letter(warehouse: Warehouse) -> None:
    settle(warehouse, {"1": "not read"}, ("items", "1"))
    assert rows(warehouse, "dead_letters") == []
    settle(warehouse, {"1": "not read"})
    settle(warehouse, {"1": "not read again"}, ("items", "1"))
    assert rows(warehouse, "dead_letters") == []

"""Which days are due to be read again: D+1, D+7, what was missed, what did not come to its end."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from hnintel.ledger import runs, stage_rows, statuses
from hnintel.partitions.settling import DayRead, Due, day_readings, due_days, settled_at
from hnintel.settings import Settings
from hnintel.warehouse import open_warehouse

ZONE = "America/New_York"
DAY = date(2026, 10, 20)


def _at(day: int, hour: int = 6, month: int = 10) -> datetime:
    return datetime(2026, month, day, hour)


def _due(readings: list[DayRead], now: datetime, settle_days: tuple[int, ...] = (1, 7)) -> list[date]:
    return [due.day for due in due_days(readings, now, settle_days, ZONE)]


def test_a_day_is_read_the_morning_after_then_at_d_plus_1_and_at_d_plus_7() -> None:
    """A run every morning at 2:00 in New York, 6:00 UTC, that reads what is due and nothing else."""
    readings, read_on = [DayRead(DAY, _at(21), True)], []
    for morning in range(22, 32):
        if _due(readings, _at(morning)):
            readings.append(DayRead(DAY, _at(morning), True))
            read_on.append(morning)
    assert read_on == [22, 28]


def test_it_is_due_from_the_very_midnight_and_not_before() -> None:
    midnight = settled_at(DAY, 1, ZONE)
    assert midnight == datetime(2026, 10, 22, 4, tzinfo=UTC)
    readings = [DayRead(DAY, _at(21), True)]
    assert _due(readings, midnight - timedelta(seconds=1)) == []
    assert due_days(readings, midnight, (1, 7), ZONE) == [Due(DAY, "read last 2026-10-21 06:00 UTC, before D+1")]


def test_a_reading_that_began_at_that_midnight_is_the_one_that_was_due() -> None:
    midnight = settled_at(DAY, 1, ZONE).replace(tzinfo=None)
    assert _due([DayRead(DAY, midnight, True)], midnight) == []


def test_midnights_are_those_of_the_zone_also_where_clocks_change() -> None:
    assert settled_at(date(2026, 10, 31), 1, ZONE) == datetime(2026, 11, 2, 5, tzinfo=UTC)


def test_one_reading_makes_up_for_all_that_were_missed() -> None:
    [due] = due_days([DayRead(DAY, _at(21), True)], _at(30), (1, 7), ZONE)
    assert due.why == "read last 2026-10-21 06:00 UTC, before D+1 and D+7"
    assert _due([DayRead(DAY, _at(21), True), DayRead(DAY, _at(30), True)], _at(31)) == []


def test_a_day_first_read_long_after_it_was_is_settled() -> None:
    assert _due([DayRead(DAY, _at(1, month=11), True)], _at(20, month=11)) == []


def test_a_reading_that_did_not_end_does_not_count() -> None:
    readings = [DayRead(DAY, _at(21), True), DayRead(DAY, _at(22), False)]
    assert _due(readings, _at(22, hour=7)) == [DAY]


def test_a_day_whose_only_reading_did_not_end_is_due_at_once_and_says_so() -> None:
    [due] = due_days([DayRead(DAY, _at(21), False)], _at(21, hour=7), (1, 7), ZONE)
    assert due == Due(DAY, "its reading of 2026-10-21 06:00 UTC did not finish")


def test_days_come_the_oldest_first_and_one_never_read_is_none_of_them() -> None:
    readings = [DayRead(date(2026, 10, day), _at(day + 1), True) for day in (19, 13, 16)]
    assert _due(readings, _at(22)) == [date(2026, 10, 13), date(2026, 10, 16), date(2026, 10, 19)]
    assert _due([], _at(22)) == []


def test_without_settle_days_nothing_is_read_again() -> None:
    assert _due([DayRead(DAY, _at(21), True)], _at(30), ()) == []


@pytest.mark.parametrize(("status", "due"), [("complete", []), ("partial", []), ("failed", [DAY])])
def test_the_ledger_says_which_readings_came_to_their_end(
    tmp_path: Path, status: statuses.Status, due: list[date]
) -> None:
    with open_warehouse(Settings(home=tmp_path)).transaction(stage="enrich") as session:
        runs.begin_run(session, "run", DAY, "live", _at(21))
        runs.end_run(session, "run", status, {}, _at(21, hour=7))
        runs.begin_run(session, "other", DAY - timedelta(days=1), "sample", _at(21))
        assert _due(day_readings(session, "live"), _at(21, hour=8)) == due


def test_a_dump_of_a_day_does_not_end_its_settling(tmp_path: Path) -> None:
    with open_warehouse(Settings(home=tmp_path)).transaction(stage="enrich") as session:
        for source, hour in (("live", 6), ("replay:dump.json", 7)):
            stage_rows.begin_stage(session, DAY, "ingest", source, _at(21, hour=hour), source=source, by_source=True)
            stage_rows.end_stage(session, DAY, "ingest", "complete", source, _at(21, hour=hour))
    with open_warehouse(Settings(home=tmp_path)).transaction(stage="enrich") as session:
        assert _due(day_readings(session, "live"), _at(22, hour=9)) == [DAY]
        assert _due(day_readings(session, "replay:dump.json"), _at(22, hour=9)) == [DAY]


def test_a_run_that_failed_after_its_ingest_has_read_the_day(tmp_path: Path) -> None:
    with open_warehouse(Settings(home=tmp_path)).transaction(stage="enrich") as session:
        runs.begin_run(session, "run", DAY, "live", _at(21))
        stage_rows.begin_stage(session, DAY, "ingest", "run", _at(21))
        stage_rows.end_stage(session, DAY, "ingest", "complete", "run", _at(21, hour=7), rows=5)
        runs.end_run(session, "run", "failed", {}, _at(21, hour=8))
        assert _due(day_readings(session, "live"), _at(21, hour=9)) == []

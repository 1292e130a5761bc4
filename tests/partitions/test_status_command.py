"""``python -m hnintel status``: the grid, freshness, what is due and why."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from hnintel.cli.app import main
from hnintel.partitions import hours
from hnintel.window import Window
from tests.partitions.days import DAY, READ, Days, copied


@pytest.fixture
def days(home: Path) -> Days:
    """A warehouse where the command looks for it, with a complete day and one that failed."""
    return copied(home, _two)


def _two(days: Days) -> None:
    for number in range(2):
        days.load(number + 1, day=DAY + timedelta(days=number))
        days.note(day=DAY + timedelta(days=number))
    days.note("transform", status="failed", day=DAY + timedelta(days=1))


def told(capsys: pytest.CaptureFixture[str], *argv: str) -> str:
    assert main(["status", "--source", "sample", *argv]) == 0
    return capsys.readouterr().out


def as_json(capsys: pytest.CaptureFixture[str], *argv: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(told(capsys, "--json", *argv))
    return found


def test_every_stage_of_every_day_has_its_letter_and_what_is_due_its_reason(
    days: Days, capsys: pytest.CaptureFixture[str]
) -> None:
    out = told(capsys)
    lines = {line.split("│")[1].strip(): line.split("│")[2:4] for line in out.splitlines() if line.startswith("│")}
    assert [mark.strip() for mark in lines["ingest"]] == ["C", "C"]
    assert [mark.strip() for mark in lines["transform"]] == ["C", "F"]
    assert "due: 2026-10-22 transform: failed: it broke" in out
    assert "freshness: 2026-10-22, over for" in out


def test_days_of_which_nothing_is_there_are_told_together(days: Days, capsys: pytest.CaptureFixture[str]) -> None:
    out = told(capsys, "--from", "2026-10", "--to", "2026-10-21")
    assert "due: 2026-10-01 to 2026-10-20 (20 days) all stages: never run" in out


def test_days_that_do_not_follow_each_other_are_not_told_as_a_range(
    days: Days, capsys: pytest.CaptureFixture[str]
) -> None:
    out = told(capsys, "--from", "2026-10-18", "--to", "2026-10-24")
    assert "due: 2026-10-18 to 2026-10-20, 2026-10-23 to 2026-10-24 (5 days) all stages: never run" in out


def test_the_json_has_days_stages_and_why(days: Days, capsys: pytest.CaptureFixture[str]) -> None:
    found = as_json(capsys)
    assert list(found["days"]) == ["2026-10-21", "2026-10-22"]
    transform = found["days"]["2026-10-22"]["transform"]
    assert (transform["status"], transform["due"], transform["why"], transform["attempts"]) == (
        "failed",
        True,
        "it broke",
        2,
    )
    assert found["days"]["2026-10-21"]["ingest"]["source"] == "sample"
    assert found["freshness"] == {
        "day": "2026-10-22",
        "hours": pytest.approx(found["freshness"]["hours"]),
        "fresh": False,
    }


def test_what_is_fresh_is_a_setting(
    days: Days, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HNINTEL_FRESH_HOURS", "800000")
    assert as_json(capsys)["freshness"]["fresh"] is True


def test_without_a_run_it_says_how_to_make_one(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "no day was run yet" in told(capsys)
    assert as_json(capsys)["days"] == {}


def test_a_word_that_is_no_day_is_refused_in_one_line(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["status", "--from", "soon"]) == 2
    assert capsys.readouterr().err.count("\n") == 1


@pytest.mark.parametrize(
    ("argv", "told"),
    [
        (["--from", "2026-10-22", "--to", "2026-10-21"], "2026-10-21 comes before 2026-10-22"),
        (["--from", "0001-01-01"], "are more than 3700 days"),
        (["--source", "bogus"], "bogus"),
    ],
)
def test_a_range_or_a_source_that_is_none_is_refused_in_one_line(
    home: Path, capsys: pytest.CaptureFixture[str], argv: list[str], told: str
) -> None:
    Days(home).note()
    assert main(["status", *argv]) == 2
    err = capsys.readouterr().err
    assert told in err
    assert err.count("\n") == 1


def test_a_source_that_is_none_is_refused_of_an_empty_ledger_too(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["status", "--source", "bogus"]) == 2


def test_a_day_after_all_that_is_known_is_shown_as_itself(days: Days, capsys: pytest.CaptureFixture[str]) -> None:
    assert list(as_json(capsys, "--from", "2027-05-01")["days"]) == ["2027-05-01"]
    assert list(as_json(capsys, "--from", "2026-10-22")["days"]) == ["2026-10-22"]


def test_the_first_day_of_all_has_no_two_weeks_before_it(days: Days, capsys: pytest.CaptureFixture[str]) -> None:
    assert list(as_json(capsys, "--to", "0001-01-02")["days"]) == ["0001-01-02"]


def test_of_a_day_that_was_read_from_two_sources_it_shows_one_and_names_both(
    days: Days, capsys: pytest.CaptureFixture[str]
) -> None:
    days.note("ingest", status="failed", pipeline=days.made_from("live"), at=READ + timedelta(hours=1))
    assert f"{DAY} was read from sample, live: shown is sample (--source shows another)" in told(
        capsys, "--source", "sample"
    )
    shown = [as_json(capsys, "--source", source)["days"][str(DAY)]["ingest"] for source in ("sample", "live")]
    assert [(one["status"], one["source"]) for one in shown] == [("complete", "sample"), ("failed", "live")]
    assert as_json(capsys)["sources"][str(DAY)] == ["sample", "live"]


def test_of_a_day_that_is_read_by_the_hour_it_says_how_far_that_has_come(
    days: Days, capsys: pytest.CaptureFixture[str]
) -> None:
    with days.warehouse.transaction(stage="enrich") as session:
        read = hours.hours_of(Window.of(DAY, days.settings.time_zone))[:3]
        hours.note_read(session, read, "sample", "run", READ)
    assert f"{DAY} is read by the hour: 3 so far, the last is ingest:02" in told(capsys)
    assert as_json(capsys)["hours"] == {str(DAY): ["ingest:00", "ingest:01", "ingest:02"]}

"""``python -m hnintel checks``: what it prints, and how it ends."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from hnintel.cli.app import main
from hnintel.settings import load_settings
from hnintel.warehouse import open_warehouse
from hnintel.window import yesterday
from tests.unit.checked_days import TUESDAY, Checked
from tests.warehouse.world import fetch

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def days(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Checked:
    """Three healthy days."""
    one = Checked(tmp_path / "home", 3)
    monkeypatch.setenv("HNINTEL_HOME", str(one.settings.home))
    monkeypatch.setenv("HNINTEL_ENRICHMENTS_PATH", str(one.settings.enrichments_path))
    return one


def sql(statement: str) -> list[tuple[object, ...]]:
    """A statement in the warehouse that the command opens."""
    return fetch(open_warehouse(load_settings()), statement)


def test_every_check_of_the_newest_day_is_one_line_of_a_table(days: Checked, capsys: Capture) -> None:
    assert main(["checks"]) == 0
    heading, *lines, last = [line.rstrip() for line in capsys.readouterr().out.splitlines()]
    assert heading.split() == ["outcome", "blocking", "check", "detail"]
    assert last == "2026-10-20: 18 of 18 passed"
    assert len(lines) == 18
    assert "passed   yes       tone: certainty is there" in "\n".join(lines)


def test_one_json_object_tells_all_and_the_warehouse_keeps_it(days: Checked, capsys: Capture) -> None:
    assert main(["checks", "--day", "2026-10-19", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["day"] == "2026-10-19"
    assert {
        "name": "tone: tone is one of its values",
        "blocking": True,
        "passed": True,
        "detail": "0 of 60 are none of its 3 values (0.0%)",
    } in told["checks"]
    kept = sql("SELECT run_id, count(*) FROM ops.checks WHERE day = '2026-10-19' GROUP BY run_id")
    assert kept == [(told["run_id"], len(told["checks"]))]


def test_checks_by_hand_take_the_place_of_those_before(days: Checked, capsys: Capture) -> None:
    assert main(["checks"]) == 0
    first = sql("SELECT name, checked_at FROM ops.checks ORDER BY name")
    sql("UPDATE raw.items SET status = 'flagged'")
    assert main(["checks"]) == 0
    second = sql("SELECT name, checked_at FROM ops.checks ORDER BY name")
    assert [name for name, _ in second] == [name for name, _ in first]
    assert all(after[1] > before[1] for before, after in zip(first, second, strict=True))
    assert sql("SELECT passed FROM ops.checks WHERE name = 'ingest: statuses of items'") == [(False,)]


def test_a_blocking_failure_is_told_whole_and_then_ends_as_a_quality_error(days: Checked, capsys: Capture) -> None:
    sql(f"UPDATE enriched.tone SET certainty = 2 WHERE item_id = {TUESDAY.toordinal() * 1000}")
    assert main(["checks", "--json"]) == 6
    out, err = capsys.readouterr()
    assert [one["name"] for one in json.loads(out)["checks"] if not one["passed"]] == [
        "tone: certainty is in its range"
    ]
    assert err.startswith("error: check tone: certainty is in its range of 2026-10-20: 1 of 60 are not between 0 and 1")
    assert err.count("\n") == 1
    assert sql("SELECT count(*) FROM ops.partitions WHERE status = 'failed'") == [(0,)]


def test_warnings_end_well(days: Checked, capsys: Capture) -> None:
    sql("UPDATE raw.items SET status = 'flagged'")
    assert main(["checks"]) == 0
    out = capsys.readouterr().out
    assert "warning  no        ingest: statuses of items" in out
    assert out.endswith("17 of 18 passed\n")


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--day", "2026-10-25"], "error: 2026-10-25 was not run: run it first, or give a day"),
        (["--day", "yesterday"], f"error: {yesterday(datetime.now(UTC), 'America/New_York')} was not run"),
        (["--day", "soon"], "error: 'soon' is not a day"),
    ],
)
def test_a_day_that_is_none_is_refused_in_one_line(
    days: Checked, capsys: Capture, options: list[str], told: str
) -> None:
    assert main(["checks", *options]) == 2
    assert capsys.readouterr().err.startswith(told)


def test_where_no_day_was_run_it_says_how_to_run_one(home: Path, capsys: Capture) -> None:
    assert main(["checks"]) == 2
    assert capsys.readouterr().err == (
        "error: no day was run yet: run one first, for example python flows/main.py --source sample\n"
    )

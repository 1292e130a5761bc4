"""Errors are reported, and runs with nothing to do end, before Prefect's server is started."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from flows.local import backfill, command, day, spotlight, watch
from hnintel.ingest.poller import Cursor, poll
from hnintel.process import stopping
from hnintel.settings import load_settings
from hnintel.warehouse import open_warehouse
from tests.warehouse.world import fetch

Capture = pytest.CaptureFixture[str]
DAY = date(2026, 10, 22)
RANGE = ["--source", "sample", "--from", "2026-10-20", "--to", "2026-10-22"]


class ServerStarted(AssertionError):
    """Raised where a command starts Prefect."""


@pytest.fixture(autouse=True)
def no_prefect(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make every start of Prefect fail."""

    def refuse(*_: Any, **__: Any) -> None:
        raise ServerStarted

    monkeypatch.setattr(command.prefect_home, "prefect", refuse)
    monkeypatch.delenv("PREFECT_API_URL", raising=False)


COMMANDS: dict[str, Callable[[], int]] = {
    "run": lambda: day.main(["--source", "sample"]),
    "backfill": lambda: backfill.main(RANGE),
    "spotlight": lambda: spotlight.main(["1", "--source", "sample"]),
}


@pytest.mark.parametrize("name", COMMANDS)
def test_a_broken_warehouse_is_reported_before_a_server_is_started(name: str, home: Path, capsys: Capture) -> None:
    home.mkdir()
    (home / "hnintel.duckdb").write_bytes(b"no database" * 500)
    assert COMMANDS[name]() == 4
    assert "hnintel.duckdb" in capsys.readouterr().err


@pytest.mark.parametrize("name", COMMANDS)
@pytest.mark.parametrize(
    ("variable", "value", "named"),
    [("ENGINE", "openai", "HNINTEL_OPENAI_MODEL"), ("WAREHOUSE", "snowflake", "SNOWFLAKE_ACCOUNT")],
)
def test_a_missing_setting_is_reported_before_a_server_is_started(
    name: str, variable: str, value: str, named: str, home: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(f"HNINTEL_{variable}", value)
    monkeypatch.delenv("SNOWFLAKE_ACCOUNT", raising=False)
    assert COMMANDS[name]() == 2
    assert named in capsys.readouterr().err


def test_a_plan_of_a_backfill_fits_eighty_columns_with_a_line_a_day(home: Path, capsys: Capture) -> None:
    assert backfill.main([*RANGE, "--plan"]) == 0
    lines = capsys.readouterr().err.splitlines()
    assert max(map(len, lines)) <= 80
    assert not any("…" in line for line in lines)
    for number in (20, 21, 22):
        assert sum(line.startswith(f"2026-10-{number} ") and " to " not in line for line in lines) == 1


def test_days_that_the_source_lacks_are_left_out_of_a_range_and_refused_where_it_has_none(
    home: Path, capsys: Capture
) -> None:
    asked = ["--source", "sample", "--plan", "--json"]
    assert backfill.main([*asked, "--from", "2026-10-18", "--to", "2026-10-20"]) == 0
    shown = capsys.readouterr()
    assert [one["day"] for one in json.loads(shown.out)["days"]] == ["2026-10-20"]
    assert "sample has stories of 2026-10-20 alone" in shown.err
    assert backfill.main([*asked, "--from", "2026-10-18", "--to", "2026-10-19"]) == 2
    assert "give one of the days that it has, 2026-10-20 to 2026-10-22" in capsys.readouterr().err


def test_a_stage_of_days_that_were_not_read_is_refused_with_what_it_comes_after(home: Path, capsys: Capture) -> None:
    assert backfill.main([*RANGE, "--stage", "enrich:entities+"]) == 2
    shown = capsys.readouterr().err
    assert "nothing can be done of 2026-10-20 to 2026-10-22 (3 days)" in shown
    assert "enrich:entities comes after ingest, which is not done" in shown


@pytest.mark.parametrize("word", ["topik", "enrich:topik"])
def test_a_mistyped_stage_is_answered_with_the_close_name(word: str, home: Path, capsys: Capture) -> None:
    assert day.main(["--source", "sample", "--stage", word]) == 2
    assert "did you mean" in (shown := capsys.readouterr().err)
    assert "topic?" in shown


@pytest.mark.slow  # a run of a day
def test_a_run_with_nothing_to_do_starts_no_server_and_is_recorded_as_every_run(
    run: Callable[..., dict[str, Any]], home: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch, small_dump: Path
) -> None:
    source = f"replay:{small_dump}"
    monkeypatch.setattr(day.prefect_home, "own_api", lambda: None)
    first = run(DAY, source)
    page = Path(first["page"]).read_bytes()
    capsys.readouterr()

    assert day.main(["--source", source, "--day", str(DAY), "--json"]) == 0
    second = json.loads(capsys.readouterr().out)

    assert second.keys() == first.keys()
    assert second["skipped"] == list(dict.fromkeys(second["skipped"]))
    assert {*second["skipped"]} >= {"ingest", "articles", "enrich:topic", "transform", "briefing", "publish"}
    assert (second["status"], second["changed_tables"], second["ai_calls"]) == ("complete", [], 0)
    assert (second["items"], second["page"]) == (first["items"], first["page"])
    assert Path(second["page"]).read_bytes() == page
    warehouse = open_warehouse(load_settings())
    assert fetch(warehouse, f"SELECT status, source FROM ops.runs WHERE run_id = '{second['run_id']}'") == [
        ("complete", source)
    ]
    checked = "SELECT count(*) FROM ops.checks WHERE run_id = '{}'"
    assert fetch(warehouse, checked.format(second["run_id"])) == fetch(warehouse, checked.format(first["run_id"]))
    assert fetch(warehouse, "SELECT count(*) FROM ops.leases") == [(0,)]
    assert (home / "logs" / f"{DAY}-{second['run_id']}.jsonl").is_file()

    assert day.main(["--source", source, "--day", str(DAY), "--again"]) == 1, "what is asked for again is run"
    assert "ServerStarted" in capsys.readouterr().err
    Path(first["page"]).unlink()
    assert day.main(["--source", source, "--day", str(DAY)]) == 1, "a page that is gone is written again"


def test_a_poll_that_reaches_no_source_says_what_to_do_and_fails(
    home: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Runs the flow itself, without Prefect."""

    def poll_once(*_: Any) -> dict[str, Any]:
        polled = asyncio.run(poll(Cursor(), load_settings(source="live"), datetime.now(UTC)))
        return {"told": [], "skipped": list(polled.skipped), "unreachable": polled.unreachable}

    monkeypatch.setenv("HNINTEL_FIREBASE_URL", "http://127.0.0.1:9/v0")
    monkeypatch.setenv("HNINTEL_ITEM_ATTEMPTS", "1")
    monkeypatch.setattr(watch, "in_prefect", poll_once)
    assert watch.main_watch(["--json"]) == 3
    shown = capsys.readouterr()
    assert json.loads(shown.out)["told"] == []
    (line,) = shown.err.splitlines()
    assert line.startswith("error: ")
    assert line.endswith("check the network, then run it again")


def test_an_interrupted_run_prints_at_once_and_once_that_it_is_ending(capsys: Capture) -> None:
    with stopping.on_signals(), stopping.when_stopping(command._say_stopping()):
        stopping.stop()
        stopping.stop()
    assert capsys.readouterr().err.count("stopping: running statements are finished first") == 1

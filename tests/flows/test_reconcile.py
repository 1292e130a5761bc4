"""Due days are run again: settling days, and days with due dead letters."""

from __future__ import annotations

import asyncio
import json
import shlex
import shutil
from collections.abc import Callable
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from flows.local.reconcile import main_reconcile
from hnintel.cli.app import main
from hnintel.partitions.pipeline import Pipeline
from hnintel.planning.due import days_due
from hnintel.settings import load_settings
from hnintel.warehouse import open_warehouse
from hnintel.window import utc_now

DAY = date(2026, 10, 22)


def began(day: datetime) -> None:
    """Move the beginnings of all runs and stages into the past."""
    with open_warehouse(load_settings()).transaction(stage="enrich") as session:
        session.execute("UPDATE ops.runs SET started_at = ?", [day])
        session.execute("UPDATE ops.partitions SET started_at = ?, finished_at = ?", [day, day])


def due(source: str, now: datetime) -> list[tuple[date, str]]:
    settings = load_settings()
    pipeline = Pipeline(open_warehouse(settings), settings, source)
    with pipeline.warehouse.transaction(stage="enrich") as session:
        return [(one.day, one.why) for one in days_due(session, pipeline, now)]


@pytest.mark.slow  # three runs of a day
def test_a_day_that_settles_is_run_again_and_what_changed_is_told_apart(
    run: Callable[..., dict[str, Any]], home: Path, small_dump: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from flows.reconcile import reconcile
    from hnintel.sources import open_source

    source = f"replay:{small_dump}"
    first = run(DAY, source)
    assert first["changes"]["items"] == {"new": 12, "text": 0, "counts": 0, "unchanged": 0}
    began(datetime(2026, 10, 23, 6))  # the night after the day, as the schedule has it
    lines = [json.loads(line) for line in small_dump.read_text(encoding="utf-8").splitlines()]
    lines[0]["title"] = "A lighthouse keeper's notes, corrected"
    lines[1]["score"] = 500
    small_dump.write_text("\n".join(json.dumps(line) for line in lines), encoding="utf-8")
    open_source.cache_clear()

    assert main_reconcile(["--source", source, "--plan", "--json"]) == 0
    planned = capsys.readouterr()
    assert list(json.loads(planned.out)["days"]) == [DAY.isoformat()]
    assert "before D+1 and D+7" in planned.err

    told = asyncio.run(reconcile(source))

    assert told["days"][DAY.isoformat()]["changes"]["items"] == {"new": 0, "text": 1, "counts": 1, "unchanged": 10}
    assert asyncio.run(reconcile(source))["days"] == {}  # it is done: nothing is due any more


@pytest.mark.slow
def test_a_day_with_a_dead_letter_is_due_once_its_wait_is_over(
    run: Callable[..., dict[str, Any]], home: Path, small_dump: Path, tmp_path: Path
) -> None:
    pages = tmp_path / "nothing"
    pages.mkdir()
    (pages / "pages.json").write_text("{}", encoding="utf-8")
    source = f"replay:{small_dump},{pages}"
    run(DAY, source)
    with open_warehouse(load_settings()).transaction(stage="enrich") as session:
        now: datetime = session.execute("SELECT max(last_seen) FROM ops.dead_letters")[0][0]

    assert due(source, now) == []
    assert due(source, now + timedelta(hours=3)) == [(DAY, "8 dead letters are due")]


@pytest.mark.slow  # two runs of a day, and the later one's briefing once more
def test_a_day_that_came_in_after_a_later_one_leaves_nothing_stale_once_reconciled(
    run: Callable[..., dict[str, Any]], home: Path, small_dump: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from flows.reconcile import reconcile

    monkeypatch.setenv("HNINTEL_CATCH_UP_DAYS", "3650")
    stories = [json.loads(line) for line in small_dump.read_text(encoding="utf-8").splitlines()]
    stories[0]["title"] = "PostgreSQL on a pump"  # by one story of each day: it rises where the day before is known
    stories += [{**story, "id": story["id"] + 1000, "time": story["time"] - 86_400} for story in stories]
    small_dump.write_text("\n".join(map(json.dumps, stories)), encoding="utf-8")
    source = f"replay:{small_dump}"
    run(DAY, source)
    run(DAY - timedelta(days=1), source)
    assert due(source, datetime(2026, 11, 20)) == [(DAY, "briefing: what it is made of has changed")]

    told = asyncio.run(reconcile(source))

    assert told["days"][str(DAY)]["status"] == "complete"
    assert due(source, datetime(2026, 11, 20)) == []
    attempts = "SELECT stage, attempts FROM ops.partitions WHERE day = ? AND stage IN ('enrich:topic', 'briefing')"
    with open_warehouse(load_settings()).transaction(stage="enrich") as session:
        assert dict(session.execute(attempts, [DAY])) == {"enrich:topic": 1, "briefing": 2}


@pytest.mark.slow  # a run of a day, and three times reconcile
def test_what_reconcile_and_status_say_of_a_run_that_died_long_ago_and_of_a_site_that_is_gone_is_done(
    run: Callable[..., dict[str, Any]], home: Path, small_dump: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from flows.reconcile import reconcile

    source = f"replay:{small_dump}"
    run(DAY, source)
    site = load_settings().site
    before = {path.name: path.read_text(encoding="utf-8") for path in site.iterdir()}
    with open_warehouse(load_settings()).transaction(stage="enrich") as session:
        asked = session.execute("SELECT count(*), sum(calls) FROM ops.ai_usage")
        session.execute("UPDATE ops.runs SET status = 'running', summary = NULL, finished_at = NULL")
        session.execute("UPDATE ops.partitions SET status = 'running' WHERE stage = 'publish'")
    shutil.rmtree(site)
    now = utc_now()
    (said,) = due(source, now)
    assert said[0] == DAY
    assert main(["status", "--source", source]) == 0
    assert f"; python flows/reconcile.py --source {source} does it" in capsys.readouterr().out

    assert asyncio.run(reconcile(source))["days"][str(DAY)]["status"] == "complete"
    assert due(source, now) == []
    assert {path.name for path in site.iterdir()} == set(before)
    shutil.rmtree(site)
    assert [day for day, _ in due(source, now)] == [DAY]
    assert asyncio.run(reconcile(source))["days"][str(DAY)]["status"] == "complete"

    assert due(source, now) == []
    assert {path.name: path.read_text(encoding="utf-8") for path in site.iterdir()} == before
    with open_warehouse(load_settings()).transaction(stage="enrich") as session:
        assert session.execute("SELECT DISTINCT status FROM ops.runs WHERE status = 'running'") == []
        assert session.execute("SELECT count(*), sum(calls) FROM ops.ai_usage") == asked
    assert main(["status", "--source", source]) == 0
    assert "nothing is due" in capsys.readouterr().out
    assert asyncio.run(reconcile(source))["days"] == {}


@pytest.mark.slow  # a run of a day, and once more
def test_the_command_that_status_names_for_what_failed_long_ago_does_it(
    run: Callable[..., dict[str, Any]], home: Path, small_dump: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = f"replay:{small_dump}"
    run(DAY, source)
    with open_warehouse(load_settings()).transaction(stage="enrich") as session:
        session.execute("UPDATE ops.partitions SET status = 'failed', error = 'it broke' WHERE stage = 'publish'")
    assert main(["status", "--source", source]) == 0
    command = f"python flows/main.py --day {DAY} --source {source}"
    assert f"due: {DAY} publish: failed: it broke; {command} does it" in capsys.readouterr().out
    assert main_reconcile(["--source", source, "--plan"]) == 0
    assert capsys.readouterr().err.splitlines()[1].endswith(f"{DAY}; {command} does it")
    words = shlex.split(command)
    assert run(date.fromisoformat(words[words.index("--day") + 1]), words[words.index("--source") + 1])
    assert main(["status", "--source", source]) == 0
    assert "nothing is due" in capsys.readouterr().out


def test_an_unexpected_error_of_a_day_stops_no_other_day(
    prefect_server: None, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from flows import reconcile as reconciler
    from hnintel.errors import DayFailed
    from hnintel.partitions.settling import Due

    days, ran = [DAY, DAY + timedelta(days=1)], []

    async def runs(day: date, *_: Any) -> dict[str, Any]:
        ran.append(day)
        if day == DAY:
            raise KeyError("what a page says")
        return {"status": "complete", "changes": {}}

    monkeypatch.setattr(reconciler, "hacker_news", runs)
    monkeypatch.setattr(reconciler, "days_to_run", lambda *_: [Due(day, "it was never run") for day in days])
    with pytest.raises(DayFailed, match="1 of 2 days failed, the first with: unexpected KeyError: see the log") as told:
        asyncio.run(reconciler.reconcile("sample"))
    assert ran == days
    assert "page" not in str(told.value)

"""A backfill over some days: a child a day, the marts once, past a failed day, and only what is left."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

import flows.backfill
from flows.local.backfill import main
from hnintel.errors import HnIntelError, UsageError
from hnintel.planning.work import days_held

FIRST, LAST = date(2026, 10, 20), date(2026, 10, 22)


@pytest.fixture
def dump(small_dump: Path) -> str:
    """The twelve stories of the last day, and on each of the two days before it two of its own."""
    lines = small_dump.read_text(encoding="utf-8").splitlines()
    for back in (1, 2):
        for line in lines[:2]:
            story = json.loads(line)
            story |= {"id": story["id"] + 1000 * back, "time": story["time"] - 86_400 * back}
            lines.append(json.dumps(story))
    small_dump.write_text("\n".join(lines), encoding="utf-8")
    return f"replay:{small_dump}"


@pytest.fixture
def backfill(prefect_server: None, dump: str) -> Callable[..., dict[str, Any]]:
    """Run the flow over the three days."""
    from flows.backfill import backfill as flow

    def run(**parameters: Any) -> dict[str, Any]:
        return asyncio.run(flow(**{"from_day": FIRST, "to_day": LAST, "source": dump, **parameters}))

    return run


def rows(home: Path, sql: str) -> list[tuple[Any, ...]]:
    with duckdb.connect(str(home / "hnintel.duckdb"), read_only=True) as connection:
        return connection.execute(sql).fetchall()


def flow_runs(name: str) -> list[str]:
    from prefect.client.orchestration import get_client
    from prefect.client.schemas.filters import FlowFilter, FlowFilterName

    with get_client(sync_client=True) as client:
        found = client.read_flow_runs(flow_filter=FlowFilter(name=FlowFilterName(any_=[name])), limit=200)
    return [run.name for run in found]


@pytest.mark.slow
def test_days_are_read_by_a_child_each_marts_are_built_once_and_a_second_start_does_nothing(
    backfill: Callable[..., dict[str, Any]], home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    left_to_it: list[date] = []

    async def marts(made: Any) -> None:
        with made.pipeline.warehouse.transaction(stage="enrich") as session:
            for (stage,) in session.execute("SELECT stage FROM ops.leases"):
                left_to_it.extend(days_held(stage))
        await built(made)

    built = flows.backfill._marts
    monkeypatch.setattr(flows.backfill, "_marts", marts)
    builds = len(flow_runs("transform"))

    first = backfill()

    assert left_to_it == [FIRST + timedelta(days=number) for number in range(3)]
    days = [str(FIRST + timedelta(days=number)) for number in range(3)]
    assert [(row["day"], row["status"]) for row in first["days"]] == [(day, "complete") for day in days]
    assert set(days) <= set(flow_runs("hacker-news"))
    assert len(flow_runs("transform")) == builds + 1
    assert rows(home, "SELECT day, count(*) FROM marts.stories GROUP BY 1 ORDER BY 1") == [
        (FIRST, 2),
        (FIRST + timedelta(days=1), 2),
        (LAST, 12),
    ]
    assert rows(home, "SELECT DISTINCT status FROM ops.partitions") == [("complete",)]
    assert rows(home, "SELECT count(*) FROM ops.leases") == [(0,)]
    announced = "SELECT event, count(*) FROM ops.outbox GROUP BY 1 ORDER BY 1"
    assert rows(home, announced) == [("hn.day.enriched", 3), ("hn.day.published", 3), ("hn.items.landed", 3)]
    assert all((home / "site" / f"{day}.html").is_file() for day in days)

    calls = rows(home, "SELECT sum(calls) FROM ops.ai_usage")
    second = backfill()

    assert second["status"] == "complete"
    assert second["days"] == []
    assert rows(home, "SELECT sum(calls) FROM ops.ai_usage") == calls


@pytest.mark.slow
def test_a_failed_day_stops_no_other_and_is_all_that_a_second_start_does(
    backfill: Callable[..., dict[str, Any]], home: Path
) -> None:
    backfill()
    with duckdb.connect(str(home / "hnintel.duckdb")) as connection:
        connection.execute("UPDATE enriched.sentiment SET sentiment = 'furious' WHERE item_id = 1100")
        connection.execute("UPDATE ops.partitions SET status = 'failed' WHERE stage = 'enrich:sentiment'")

    with pytest.raises(HnIntelError, match=r"2 of 3 days complete, 1 failed: run it again") as failed_of:
        backfill()
    assert failed_of.value.announced, "it failed of nothing but a day, whose run said so"

    failed = "SELECT DISTINCT day FROM ops.partitions WHERE status = 'failed'"
    assert rows(home, failed) == [(FIRST + timedelta(days=1),)]
    with duckdb.connect(str(home / "hnintel.duckdb")) as connection:
        connection.execute("UPDATE enriched.sentiment SET sentiment = 'neutral' WHERE item_id = 1100")
    assert [row["day"] for row in backfill()["days"]] == [str(FIRST + timedelta(days=1))]
    assert rows(home, failed) == []


def test_a_plan_asks_nothing_reads_nothing_and_is_kept_as_an_artifact(
    backfill: Callable[..., dict[str, Any]], home: Path
) -> None:
    from prefect.artifacts import Artifact

    told = backfill(plan=True)

    assert told["status"] == "planned"
    assert [row["why"] for row in told["days"]] == ["missing: never run"] * 3
    assert rows(home, "SELECT count(*) FROM raw.items") == rows(home, "SELECT count(*) FROM ops.partitions") == [(0,)]
    artifact = Artifact.get("backfill-plan")
    assert artifact is not None
    assert json.loads(str(artifact.data)) == told["days"]


@pytest.fixture
def paid(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Answers cost something, at an endpoint that nobody is to ask, and a limit is set on what needs no word."""
    prices = tmp_path / "prices.toml"
    prices.write_text('[[price]]\nmodel = "dear"\nfrom = 2026-01-01\ninput = 1\noutput = 1\n', encoding="utf-8")
    told = {"ENGINE": "openai", "OPENAI_BASE_URL": "http://127.0.0.1:9/v1", "OPENAI_MODEL": "dear"}
    for name, value in {**told, "PRICES_PATH": str(prices), "APPROVE_ABOVE": "1000000"}.items():
        monkeypatch.setenv(f"HNINTEL_{name}", value)


def test_what_nobody_knows_the_cost_of_is_begun_neither_by_the_command_nor_by_the_flow(
    backfill: Callable[..., dict[str, Any]], paid: None, dump: str, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--source", dump, "--from", str(FIRST), "--to", str(LAST)]) == 2
    assert "the cost of 3 days is not known yet" in capsys.readouterr().err
    with pytest.raises(UsageError, match="the cost of 3 days is not known yet"):
        backfill()
    assert rows(home, "SELECT count(*) FROM ops.partitions") == [(0,)]


def test_a_range_that_is_none_is_refused(backfill: Callable[..., dict[str, Any]]) -> None:
    with pytest.raises(UsageError, match="give the first day first"):
        backfill(from_day=LAST, to_day=FIRST)
    with pytest.raises(UsageError, match="has not begun"):
        backfill(to_day=date(2999, 1, 1))


@pytest.mark.parametrize(
    ("argv", "line"),
    [
        ([], "Missing option '--from'"),
        (["--from", "2026-10-22", "--to", "2026-10-21"], "give the first day first"),
        (["--from", "2999-01"], "has not begun"),
        (["--from", "2026-10-22", "--stage", "nothing"], "'nothing' is not a stage"),
        (["--from", "2026-10-22", "--only", "some"], "'--only': 'some' is not one of 'due', 'missing'"),
        (["--from", "2026-10-22", "--concurrency", "0"], "'--concurrency': "),
        (["--from", "2005-01-01", "--plan"], "is before HNINTEL_FIRST_DAY"),
    ],
)
def test_wrong_words_are_refused_in_one_line(
    home: Path, argv: list[str], line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--source", "sample", *argv]) == 2
    told = capsys.readouterr()
    assert (told.out, len(told.err.splitlines())) == ("", 1)
    assert line in told.err
    assert not home.exists()

"""Checks in a real run: what stops it, what is only told, and the artifact that shows them all."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

from hnintel.errors import ListingTooSmall, QualityError
from hnintel.runs.summary import as_rows

pytestmark = pytest.mark.slow

DAY = date(2026, 10, 22)
Run = Callable[..., dict[str, Any]]


def sql(home: Path, statement: str) -> list[tuple[Any, ...]]:
    with duckdb.connect(str(home / "hnintel.duckdb")) as connection:
        return connection.execute(statement).fetchall()


def artifact() -> tuple[list[dict[str, Any]], str]:
    """The newest table of checks of the day, and its description, as the Prefect server has them."""
    from prefect.artifacts import Artifact

    found = Artifact.get(f"checks-{DAY}")
    assert found is not None
    assert found.type == "table"
    return json.loads(str(found.data)), found.description or ""


def test_a_healthy_day_has_every_check_in_its_summary_its_ledger_and_its_artifact(
    run: Run, home: Path, small_dump: Path
) -> None:
    told = run(DAY, f"replay:{small_dump}")

    assert told["checks"] == {"told": "32 of 32 passed", "failed": []}
    assert dict(as_rows(told))["checks"] == "32 of 32 passed"
    kept = sql(home, "SELECT name, blocking, passed, detail FROM ops.checks ORDER BY passed, blocking DESC, name")
    assert len(kept) == 32
    table, described = artifact()
    assert [(one["check"], one["blocking"], one["passed"], one["detail"]) for one in table] == kept
    assert {one["guards"] for one in table} == {
        "ingest",
        "articles",
        "sentiment",
        "topic",
        "entities",
        "takeaway",
        "discussion",
    }
    assert described.startswith("**Checks of Hacker News on 2026-10-22**: 32 of 32 passed.")
    assert told["run_id"] in described


def test_a_warning_lets_the_run_end_and_is_told_in_its_last_lines(run: Run, home: Path, small_dump: Path) -> None:
    run(DAY, f"replay:{small_dump}")
    for weeks in range(1, 5):  # four weeks of Thursdays with ten times as many items
        first, day = 1000 * weeks, DAY - timedelta(days=7 * weeks)
        sql(
            home,
            "INSERT INTO raw.items (id, day, type, status, title, source, content_hash, run_id, loaded_at) "
            f"SELECT {first} + i, '{day}', 'story', 'ok', 'Old', 'test', 'h', 'r', now() FROM range(120) AS n(i)",
        )

    told = run(DAY, f"replay:{small_dump}")

    detail = "12 items; usually 120 on a Thursday (120 to 120 in 4 weeks)"
    assert told["status"] == "complete"
    assert told["checks"] == {
        "told": "31 of 32 passed",
        "failed": [{"name": "ingest: as many items as usual", "blocking": False, "detail": detail}],
    }
    assert dict(as_rows(told))["warning"] == f"ingest: as many items as usual: {detail}"
    assert artifact()[0][0] == {
        "check": "ingest: as many items as usual",
        "guards": "ingest",
        "blocking": False,
        "passed": False,
        "detail": detail,
    }


def test_a_broken_promise_stops_the_run_before_the_marts_and_the_briefing_and_keeps_what_was_answered(
    run: Run, home: Path, small_dump: Path
) -> None:
    run(DAY, f"replay:{small_dump}")
    sql(home, "UPDATE enriched.sentiment SET sentiment = 'furious' WHERE item_id = 101")
    began = "SELECT started_at FROM ops.partitions WHERE stage IN ('transform', 'briefing') ORDER BY stage"
    before = sql(home, began)

    with pytest.raises(QualityError, match="check sentiment: sentiment is one of its values of 2026-10-22: 1 of 10"):
        run(DAY, f"replay:{small_dump}")

    assert sql(home, began) == before
    assert sql(home, "SELECT status FROM ops.runs ORDER BY started_at") == [("complete",), ("failed",)]
    assert sql(home, "SELECT status FROM ops.partitions WHERE stage = 'enrich:sentiment'") == [("failed",)]
    assert sql(home, "SELECT count(*) FROM enriched.topic_current") == [(10,)]
    summary = json.loads(sql(home, "SELECT summary FROM ops.runs WHERE status = 'failed'")[0][0])
    assert [one["name"] for one in summary["checks"]["failed"]] == ["sentiment: sentiment is one of its values"]
    table, described = artifact()
    assert [one["check"] for one in table if not one["passed"]] == ["sentiment: sentiment is one of its values"]
    assert "31 of 32 passed" in described


def test_a_day_that_came_empty_where_there_usually_is_much_asks_nothing(run: Run, home: Path, small_dump: Path) -> None:
    empty = DAY - timedelta(days=1)
    run(DAY, f"replay:{small_dump}")
    sql(
        home,
        "INSERT INTO raw.items (id, day, type, status, title, source, content_hash, run_id, loaded_at) "
        f"SELECT 1000 + i, DATE '{empty}' - CAST(1 + i // 50 AS INTEGER), 'story', 'ok', 'Old', 'test', 'h', 'r', "
        "now() FROM range(150) AS n(i)",
    )

    with pytest.raises(ListingTooSmall, match="holds no story of 2026-10-21: no page of 2026-10-21 was published"):
        run(empty, f"replay:{small_dump}")

    stages = sql(home, f"SELECT stage, status FROM ops.partitions WHERE day = '{empty}'")
    assert stages == [("ingest", "failed")]  # no article was read, and nothing was asked


def test_the_checks_can_be_deployed_by_themselves(prefect_server: None, run: Run, home: Path, small_dump: Path) -> None:
    from prefect.flows import load_flow_from_entrypoint

    run(DAY, f"replay:{small_dump}")
    sql(home, "UPDATE enriched.sentiment SET sentiment = 'furious' WHERE item_id = 101")
    before = sql(home, "SELECT * FROM ops.partitions ORDER BY ALL")
    checks: Any = load_flow_from_entrypoint("flows/checks.py:checks")

    with pytest.raises(QualityError, match="1 of 10"):
        asyncio.run(checks())

    assert sql(home, "SELECT * FROM ops.partitions ORDER BY ALL") == before
    assert sql(home, "SELECT count(DISTINCT run_id), count(*) FROM ops.checks") == [(2, 64)]
    sql(home, "UPDATE enriched.sentiment SET sentiment = 'neutral'")
    assert asyncio.run(checks(DAY))["told"] == "32 of 32 passed"

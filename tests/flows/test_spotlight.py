"""A story read now: what is read and asked about it, and what is left for the run of its day."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest

from hnintel.errors import UsageError

#: A story of the small dump whose article is linked and whose score is high enough for every enrichment but one.
STORY = 107


@pytest.fixture
def look(prefect_server: None, home: Path, small_dump: Path) -> Callable[[int], dict[str, Any]]:
    from flows.spotlight import spotlight

    def look_at(story_id: int) -> dict[str, Any]:
        return asyncio.run(spotlight(story_id, f"replay:{small_dump}"))

    return look_at


def rows(home: Path, sql: str) -> list[tuple[Any, ...]]:
    with duckdb.connect(str(home / "hnintel.duckdb"), read_only=True) as connection:
        return connection.execute(sql).fetchall()


def test_a_story_is_read_and_asked_about_alone(look: Callable[[int], dict[str, Any]], home: Path) -> None:
    told = look(STORY)
    assert told["day"] == "2026-10-22"
    assert told["asked"] > 0
    assert rows(home, "SELECT id FROM raw.items") == [(STORY,)]
    assert rows(home, "SELECT DISTINCT item_id FROM enriched.topic") == [(STORY,)]
    assert rows(home, "SELECT * FROM ops.partitions") == []


@pytest.mark.slow
def test_a_second_look_asks_nothing(look: Callable[[int], dict[str, Any]], home: Path) -> None:
    first = look(STORY)
    assert look(STORY)["asked"] == 0
    look(STORY - 1)
    assert rows(home, "SELECT sum(calls) FROM ops.ai_usage") == [(2 * first["asked"],)]


@pytest.mark.slow
def test_the_run_of_its_day_finds_it_answered(
    look: Callable[[int], dict[str, Any]], home: Path, small_dump: Path
) -> None:
    from flows.main import hacker_news

    look(STORY)
    (before,) = rows(home, f"SELECT enriched_at FROM enriched.topic WHERE item_id = {STORY}")
    asyncio.run(hacker_news(None, f"replay:{small_dump}", ["ingest", "articles", "enrich:topic"]))
    assert rows(home, f"SELECT enriched_at FROM enriched.topic WHERE item_id = {STORY}") == [before]
    assert rows(home, "SELECT count(*) FROM enriched.topic")[0][0] > 1


def test_an_id_that_is_no_story_is_refused(look: Callable[[int], dict[str, Any]], home: Path) -> None:
    with pytest.raises(UsageError, match="999 is no story of replay"):
        look(999)
    assert rows(home, "SELECT * FROM raw.items") == []

"""An unfinished day, read by the hour: only new items and items that changed are read."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pytest

from hnintel.window import Window
from tests.servers import LoopbackServer, World
from tests.servers.material import day_of_stories

DAY = date(2026, 10, 22)
#: More than Hacker News names as moving: the top five hundred, and what was changed of late.
STORIES = 720


@pytest.fixture
def site(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[LoopbackServer]:
    world = World.of(day_of_stories(STORIES, Window.of(DAY, "America/New_York").start_epoch))
    with LoopbackServer(world) as server:
        monkeypatch.setenv("HNINTEL_FIREBASE_URL", server.firebase_url)
        monkeypatch.setenv("HNINTEL_ALGOLIA_URL", server.algolia_url)
        yield server


def run(hours: bool = True) -> dict[str, Any]:
    from flows.main import hacker_news

    return asyncio.run(hacker_news(DAY, "live", ["ingest"], again=True, hours=hours))


def rows(home: Path, sql: str) -> list[tuple[Any, ...]]:
    with duckdb.connect(str(home / "hnintel.duckdb"), read_only=True) as connection:
        return connection.execute(sql).fetchall()


@pytest.mark.slow
def test_an_hour_that_was_read_is_not_read_again_but_what_moved_or_was_missed_or_lost_is(
    prefect_server: None, home: Path, site: LoopbackServer
) -> None:
    lost, listed = min(site.world.items), STORIES // 24
    whole = site.world.items[lost]
    site.world.items[lost] = {**whole, "by": ["no name"]}  # type: ignore[dict-item]
    assert run()["listed"] == STORIES
    hourly = rows(home, "SELECT stage, row_count FROM ops.partitions WHERE stage LIKE 'ingest:%' ORDER BY stage")
    assert hourly == [(f"ingest:{number:02}", listed if number else listed - 1) for number in range(24)]
    assert rows(home, "SELECT key FROM ops.dead_letters") == [(str(lost),)]

    site.world.items[lost] = whole
    moved = max(site.world.items)
    site.world.items[moved]["score"] = 900  # type: ignore[index]
    with duckdb.connect(str(home / "hnintel.duckdb")) as connection:
        connection.execute("DELETE FROM ops.partitions WHERE stage = 'ingest:07'")
        connection.execute(
            "DELETE FROM raw.items WHERE id IN (SELECT id FROM raw.items ORDER BY id LIMIT 30 OFFSET 209)"
        )
    second = run()

    assert second["changes"]["items"] == {"new": 31, "text": 0, "counts": 1, "unchanged": second["listed"] - 32}
    assert second["listed"] < STORIES - 100
    assert rows(home, f"SELECT score FROM raw.items WHERE id = {moved}") == [(900,)]
    assert rows(home, "SELECT row_count FROM ops.partitions WHERE stage = 'ingest'") == [(STORIES,)]

    assert rows(home, "SELECT key FROM ops.dead_letters") == []

    assert run(hours=False)["listed"] == STORIES
    assert rows(home, "SELECT stage FROM ops.partitions") == [("ingest",)]

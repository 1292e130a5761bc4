"""A day in a storm: 20 % server errors, 5 % hangs, 2 % malformed answers. Nothing may go missing without a word."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, date, datetime

import pytest

from hnintel.ingest import loading, retries, scraping
from hnintel.ledger import dead_letters
from hnintel.settings import Settings
from hnintel.sources.hacker_news import HackerNews
from hnintel.warehouse.base import Warehouse
from hnintel.window import Window
from tests.servers import LoopbackServer, Weather, World
from tests.servers.material import day_of_stories

DAY = date(2025, 4, 18)
WINDOW = Window.of(DAY, "America/New_York")
NOW = datetime(2025, 4, 19, 6, 0)
STORM = {"500": 0.1, "503": 0.1, "hang": 0.05, "malformed": 0.02}
CHUNK = 50


async def _run(source: HackerNews, warehouse: Warehouse, settings: Settings) -> tuple[int, ...]:
    """A day as the flow does it: list, scrape chunks side by side, load each."""
    ids = (await source.list_day(WINDOW)).ids
    chunks = [ids[start : start + CHUNK] for start in range(0, len(ids), CHUNK)]
    gate = asyncio.Semaphore(4)

    async def one(chunk: tuple[int, ...]) -> None:
        async with gate:
            scraped = await scraping.scrape(source, chunk, DAY, settings)
        with warehouse.transaction(stage="enrich") as session:
            loading.load(session, scraped, DAY, "a-run", NOW)

    await asyncio.gather(*(one(chunk) for chunk in chunks))
    return ids


@pytest.mark.parametrize("count", [200, pytest.param(1_000, marks=pytest.mark.slow)])
async def test_every_story_of_a_day_lands_or_lies_in_the_dead_letters_with_its_reason(
    serve: Callable[..., LoopbackServer], settings_for: Callable[..., Settings], warehouse: Warehouse, count: int
) -> None:
    world = World.of(day_of_stories(count, WINDOW.start_epoch))
    server = serve(world, Weather(STORM, seed=4))
    # Few attempts, so that some are lost and the sum says something; patience enough for a machine that is busy.
    settings = settings_for(server, item_attempts=2, item_timeout=3)
    listed = await _run(HackerNews(settings), warehouse, settings)
    with warehouse.transaction(stage="enrich") as session:
        landed = {row[0] for row in session.execute("SELECT id FROM raw.items WHERE status = 'ok'")}
        dead = {int(key): why for key, why in session.execute("SELECT key, reason FROM ops.dead_letters")}
    assert listed == tuple(sorted(world.items))
    assert len(landed) + len(dead) == len(listed) == count
    assert landed | dead.keys() == set(listed)
    assert 0 < len(dead) < count / 4
    assert set(dead.values()) <= {
        "127.0.0.1 answered HTTP 500",
        "127.0.0.1 answered HTTP 503",
        f"127.0.0.1 did not answer within {settings.item_timeout:g} s",
        "127.0.0.1 answered what is not JSON",
    }
    assert set(server.met) == set(STORM)


async def test_what_a_storm_left_is_taken_when_it_is_retried_in_fair_weather(
    serve: Callable[..., LoopbackServer], settings_for: Callable[..., Settings], warehouse: Warehouse
) -> None:
    server = serve(World.of(day_of_stories(120, WINDOW.start_epoch)), Weather({"503": 0.4}, seed=1))
    settings = settings_for(server, item_attempts=1, letter_retry_hours=0)
    source = HackerNews(settings)
    listed = await _run(source, warehouse, settings_for(server, item_attempts=1))
    with warehouse.transaction(stage="enrich") as session:
        waiting = dead_letters.letters(session, settings, NOW, ())
    assert len(waiting) > 20
    assert all(letter.due for letter in waiting)
    server.weather = Weather()
    came = await retries.retry(warehouse, source, waiting, settings, "a-retry", datetime.now(UTC))
    assert (came.taken, came.failing, came.days) == (len(waiting), 0, (DAY,))
    with warehouse.transaction(stage="enrich") as session:
        assert dead_letters.letters(session, settings, NOW, ()) == []
        assert session.execute("SELECT count(*) FROM raw.items")[0][0] == len(listed)

"""The proof of a day's listing: Algolia's index stands still, has holes or does not answer, and nothing is missing."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hnintel.settings import Settings
from hnintel.sources.hacker_news import HackerNews
from hnintel.sources.proof import Proof, weakest
from hnintel.window import Window
from tests.servers import LoopbackServer, Weather, World
from tests.servers.material import day_of_stories

SettingsFor = Callable[..., Settings]
Serve = Callable[..., LoopbackServer]

WINDOW = Window.of(date(2026, 10, 22), "America/New_York")
STORIES = 144
#: Of the days that a property is tried on: each costs a thousand requests.
FEW = 30


def _comments(stories: int, start: int, between: int = 9) -> list[dict[str, object]]:
    """Comments with the ids between those of ``day_of_stories``."""
    seconds = 86_400 // stories
    return [
        {
            "id": story["id"] + step,
            "type": "comment",
            "time": story["time"] + step * seconds // 10,
            "parent": story["id"],
        }
        for story in day_of_stories(stories, start)
        for step in range(1, between + 1)
    ]


def _day(stories: int = STORIES) -> World:
    return World.of([*day_of_stories(stories, WINDOW.start_epoch), *_comments(stories, WINDOW.start_epoch)])


def _stories(world: World) -> list[int]:
    return sorted(item_id for item_id, raw in world.items.items() if raw and raw["type"] == "story")


async def test_a_whole_index_is_sampled_and_says_how_many_stories_may_be_missing(
    serve: Serve, settings_for: SettingsFor
) -> None:
    server = serve(_day(1_000))
    listing = await HackerNews(settings_for(server)).list_day(WINDOW)
    assert listing.ids == tuple(_stories(server.world))
    assert listing.proof.kind == "sampled"
    assert listing.proof.looked_for >= 60
    assert listing.proof.most_missing == pytest.approx(3 / listing.proof.looked_for)
    assert server.requests["item"] < 3_000 < len(server.world.items)


async def test_an_index_that_stopped_at_six_in_the_morning_has_the_range_read_whole(
    serve: Serve, settings_for: SettingsFor
) -> None:
    world = _day()
    world.not_indexed = set(_stories(world)[36:])
    listing = await HackerNews(settings_for(serve(world))).list_day(WINDOW)
    assert listing.ids == tuple(_stories(world))
    assert listing.proof == Proof("whole", reason="every id of the day was read; Algolia lacked 108 of 144")
    assert listing.notes["missing from Algolia's listing"] == 108


async def test_an_index_with_holes_has_the_range_read_whole(serve: Serve, settings_for: SettingsFor) -> None:
    world = _day()
    world.not_indexed = set(_stories(world)[4::9])
    assert len(world.not_indexed) == 16
    listing = await HackerNews(settings_for(serve(world))).list_day(WINDOW)
    assert listing.ids == tuple(_stories(world))
    assert listing.proof == Proof("whole", reason="every id of the day was read; Algolia lacked 16 of 144")


@pytest.mark.parametrize("fault", ["redirect_loop", "500"])
async def test_an_algolia_that_answers_an_error_has_the_range_read_whole_and_its_answer_named(
    serve: Serve, settings_for: SettingsFor, fault: str
) -> None:
    server = serve(_day(), Weather(always={"search_by_date": fault}))
    listing = await HackerNews(settings_for(server, item_attempts=1)).list_day(WINDOW)
    assert listing.ids == tuple(_stories(server.world))
    assert listing.proof.kind == "whole"
    assert "Algolia does not answer (127.0.0.1 answered HTTP " in listing.proof.reason


async def test_where_firebase_does_not_answer_a_listing_is_unproven(serve: Serve, settings_for: SettingsFor) -> None:
    server = serve(_day(), Weather(always={"/v0/": "500"}))
    listing = await HackerNews(settings_for(server, item_attempts=1)).list_day(WINDOW)
    assert len(listing.ids) == STORIES
    assert listing.proof.kind == "unproven"
    assert "Firebase does not answer (127.0.0.1 answered HTTP 500)" in listing.proof.reason


@pytest.mark.slow
async def test_thousands_of_null_ids_at_the_ends_of_the_range_are_no_missing_stories(
    serve: Serve, settings_for: SettingsFor
) -> None:
    world = _day(1_000)
    ids = sorted(world.items)
    for item_id in [*ids[:2_000], *ids[-2_000:]]:
        world.items[item_id] = None
    world.max_id = ids[-1]
    listing = await HackerNews(settings_for(serve(world))).list_day(WINDOW)
    assert listing.ids == tuple(_stories(world))
    assert listing.proof.kind == "sampled"
    world.not_indexed = set(_stories(world)[-40:])
    listing = await HackerNews(settings_for(serve(world))).list_day(WINDOW)
    assert listing.ids == tuple(_stories(world))
    assert listing.proof.kind == "whole"


async def test_a_range_that_costs_less_than_a_sample_is_read_whole(serve: Serve, settings_for: SettingsFor) -> None:
    server = serve(_day(20))
    listing = await HackerNews(settings_for(server)).list_day(WINDOW)
    assert (len(listing.ids), listing.proof) == (20, Proof("whole", reason="every id of the day was read"))


@pytest.mark.slow  # eight thousand requests in bad weather
@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    missing=st.sets(st.integers(0, FEW - 1)),
    rate=st.floats(0, 0.19),
    fault=st.sampled_from(["500", "503", "drop", "malformed", "truncated"]),
    seed=st.integers(0, 1_000),
)
def test_whatever_algolia_lacks_and_firebase_drops_nothing_is_missing_once_the_range_is_read_whole(
    missing: set[int], rate: float, fault: str, seed: int
) -> None:
    world = _day(FEW)
    stories = _stories(world)
    world.not_indexed = {stories[place] for place in missing}
    with tempfile.TemporaryDirectory() as home, LoopbackServer(world, Weather({fault: rate}, seed=seed)) as server:
        given_settings = Settings(
            home=Path(home), firebase_url=server.firebase_url, algolia_url=server.algolia_url, item_attempts=5
        )
        listing = asyncio.run(HackerNews(given_settings).list_day(WINDOW, prove="whole"))
    assert set(stories) <= set(listing.ids)
    assert listing.proof.kind == "whole"


def test_the_weakest_proof_is_that_of_listings_together() -> None:
    whole, few, many = Proof("whole"), Proof("sampled", 30), Proof("sampled", 60)
    assert weakest([whole, many, few]) == few
    assert weakest([many, Proof("unproven")]).kind == "unproven"
    assert weakest([]).kind == "unproven"
    assert (Proof("sampled", 60).in_words(), Proof("whole").most_missing) == (
        "sampled: 60 of 60 stories found, at most 5% are missing (95 %)",
        0.0,
    )

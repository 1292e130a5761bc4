"""The live source, over real HTTP on loopback: how a day is listed, and how items are read in bad weather."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from hnintel.errors import SourceError, Unreachable
from hnintel.settings import Settings
from hnintel.sources.algolia import HITS_CAP
from hnintel.sources.hacker_news import HackerNews
from hnintel.window import Window
from tests.servers import LoopbackServer, Weather, World
from tests.servers.material import day_of_stories, real_stretch

SettingsFor = Callable[..., Settings]
Serve = Callable[..., LoopbackServer]

START = datetime(2025, 4, 18, tzinfo=UTC)
#: Inside the real stretch at both ends, so that what lies outside must be left out.
REAL_WINDOW = Window(date(2025, 4, 18), START + timedelta(hours=17), START + timedelta(hours=17.4))


def _window(start: int, seconds: int) -> Window:
    begin = datetime.fromtimestamp(start, UTC)
    return Window(begin.date(), begin, begin + timedelta(seconds=seconds))


def _story(item_id: int, time: int, **more: Any) -> dict[str, Any]:
    story = {"id": item_id, "type": "story", "time": time, "title": "A story", "by": "someone", "score": 1}
    return {**story, "descendants": 0, **more}


def _live(raw: dict[str, Any], window: Window) -> bool:
    return (
        raw["type"] in ("story", "job", "poll")
        and not raw.get("dead")
        and not raw.get("deleted")
        and window.start_epoch <= raw["time"] < window.end_epoch
    )


# --- listing ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", ["old", "new"])
async def test_a_search_lists_the_live_stories_of_real_items(
    serve: Serve, settings_for: SettingsFor, test_data: Path, shape: str
) -> None:
    items = real_stretch(test_data)
    server = serve(World.of(items), shape=shape)
    listing = await HackerNews(settings_for(server, listing_sample=0)).list_day(REAL_WINDOW)
    assert listing.ids == tuple(sorted(raw["id"] for raw in items if _live(raw, REAL_WINDOW)))
    assert len(listing.ids) > 10
    assert server.requests["item"] == 0  # no item was read for it


async def test_both_ways_list_the_same_and_the_fallback_says_what_it_leaves_out(
    serve: Serve, settings_for: SettingsFor, test_data: Path
) -> None:
    items = real_stretch(test_data)
    server = serve(World.of(items))
    source = HackerNews(settings_for(server, item_attempts=1, item_timeout=5, listing_sample=0))
    searched = await source.list_day(REAL_WINDOW)
    server.weather = Weather(always={"search_by_date": "500"})
    fallen_back = await source.list_day(REAL_WINDOW)
    assert fallen_back.ids == searched.ids
    gone = [raw for raw in items if raw["type"] == "story" and (raw.get("dead") or raw.get("deleted"))]
    of_window = [raw for raw in gone if REAL_WINDOW.start_epoch <= raw["time"] < REAL_WINDOW.end_epoch]
    assert fallen_back.notes["dead or deleted, not listed"] == len(of_window) > 0
    assert fallen_back.notes["listed by Firebase alone (127.0.0.1 answered HTTP 500)"] == 1


@pytest.mark.parametrize("count", [HITS_CAP - 1, HITS_CAP, HITS_CAP + 1, 2_600])
async def test_no_story_is_lost_to_the_cap_of_a_search(serve: Serve, settings_for: SettingsFor, count: int) -> None:
    start = 1_760_000_000
    server = serve(World.of(day_of_stories(count, start)))
    listing = await HackerNews(settings_for(server, item_timeout=10, listing_sample=0)).list_day(_window(start, 86_400))
    assert len(listing.ids) == count
    assert server.requests["item"] == 0


async def test_a_burst_is_sliced_down_to_the_seconds_it_came_in(serve: Serve, settings_for: SettingsFor) -> None:
    """1,500 stories within three seconds of a day: each second holds 500."""
    start = 1_760_000_000
    server = serve(World.of(day_of_stories(1_500, start + 40_000, seconds=3)))
    listing = await HackerNews(settings_for(server, item_timeout=10, listing_sample=0)).list_day(_window(start, 86_400))
    assert len(listing.ids) == 1_500
    assert server.requests["item"] == 0


async def test_a_second_with_more_stories_than_a_search_gives_is_listed_by_firebase(
    serve: Serve, settings_for: SettingsFor
) -> None:
    start = 1_760_000_000
    items = [_story(item_id, start + 10) for item_id in range(1, HITS_CAP + 6)]
    server = serve(World.of(items))
    listing = await HackerNews(settings_for(server, item_timeout=10)).list_day(_window(start, 3600))
    assert len(listing.ids) == HITS_CAP + 5
    assert server.requests["item"] > HITS_CAP


async def test_a_range_that_cannot_be_read_here_and_there_is_listed_with_its_gaps_named(
    serve: Serve, settings_for: SettingsFor
) -> None:
    """What cannot be read while listing may be a story: it is listed, so that scraping says what becomes of it."""
    start = 1_760_000_000
    items = [_story(item_id, start + item_id) for item_id in range(1, 201)]
    weather = Weather(always={"search_by_date": "500", "/item/77.json": "500"})
    listing = await HackerNews(settings_for(serve(World.of(items), weather), item_attempts=2)).list_day(
        _window(start, 400)
    )
    assert len(listing.ids) == 200
    assert listing.notes["ids that could not be read while listing"] == 1


async def test_a_window_after_the_newest_item_lists_nothing(serve: Serve, settings_for: SettingsFor) -> None:
    start = 1_760_000_000
    world = World.of(day_of_stories(50, start, first_id=1))
    server = serve(world, Weather(always={"search_by_date": "500"}))
    listing = await HackerNews(settings_for(server, item_attempts=1)).list_day(_window(start + 90_000, 86_400))
    assert listing.ids == ()


@pytest.mark.parametrize("fault", ["500", "drop", "hang", "malformed", "truncated"])
async def test_where_neither_interface_answers_it_is_unreachable(
    serve: Serve, settings_for: SettingsFor, fault: str
) -> None:
    server = serve(World.of(day_of_stories(5, 1_760_000_000)), Weather(always={"/": fault}))
    with pytest.raises(Unreachable, match=r"^127\.0\.0\.1 .*; Algolia cannot list .* either \(.*\): check the network"):
        await HackerNews(settings_for(server, item_attempts=1, item_timeout=0.1)).list_day(_window(1_760_000_000, 60))


async def test_a_range_whose_items_all_fail_is_unreachable_rather_than_empty(
    serve: Serve, settings_for: SettingsFor
) -> None:
    weather = Weather(always={"search_by_date": "500", "/item/": "500"})
    server = serve(World.of(day_of_stories(50, 1_760_000_000)), weather)
    with pytest.raises(Unreachable, match="no item can be read"):
        await HackerNews(settings_for(server, item_attempts=1)).list_day(_window(1_760_000_000, 86_400))


async def test_a_server_that_is_not_hacker_news_is_told_of_in_one_line(serve: Serve, settings_for: SettingsFor) -> None:
    server = serve(World(max_id=10))
    settings = settings_for(server, algolia_url=server.firebase_url, firebase_url=f"http://127.0.0.1:{server.port}")
    with pytest.raises(SourceError, match=r"^127\.0\.0\.1 answered HTTP 404$"):
        await HackerNews(settings).list_day(_window(1_760_000_000, 60))


def _patience(fault: str) -> float:
    """Seconds to wait for an answer: short where none comes, long where it ends otherwise, also on a busy machine."""
    return 1 if fault in ("hang", "slow") else 60


# --- reading ---------------------------------------------------------------------------------------------------------


async def test_null_is_told_apart_from_every_failure(serve: Serve, settings_for: SettingsFor) -> None:
    world = World({1: _story(1, 5), 2: None, 3: _story(3, 5)})
    server = serve(world, Weather(always={"/item/3.json": "503"}))
    readings = await HackerNews(settings_for(server, item_attempts=2)).read([1, 2, 3])
    assert [reading.outcome for reading in readings] == ["ok", "null", "failed"]
    assert readings[2].reason == "127.0.0.1 answered HTTP 503"


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ("429", "answered HTTP 429"),
        ("500", "answered HTTP 500"),
        ("drop", r"cannot be reached \(RemoteProtocolError\)"),
        ("hang", "did not answer within 1 s"),
        ("slow", "did not answer within 1 s"),
        ("truncated", r"cannot be reached \(RemoteProtocolError\)"),
        ("malformed", "answered what is not JSON"),
        ("wrong_length", "answered what is not JSON"),
        ("endless", "answered more than 16000000 bytes"),
        ("bomb", "answered more than 16000000 bytes"),
        ("redirect_loop", "answered HTTP 302"),
        ("redirect_private", "answered HTTP 302"),
    ],
)
async def test_every_weather_ends_in_a_reading_that_says_what_it_was(
    serve: Serve, settings_for: SettingsFor, fault: str, reason: str
) -> None:
    server = serve(World.of([_story(1, 5), _story(2, 5)]), Weather(always={"/item/1.json": fault}))
    settings = settings_for(server, item_attempts=1, item_timeout=_patience(fault))
    failed, fine = await HackerNews(settings).read([1, 2])
    assert (failed.outcome, fine.outcome) == ("failed", "ok")
    assert re.search(reason, failed.reason or "")
    assert server.met == {fault: 1}


@pytest.mark.parametrize("fault", ["429", "500", "503", "drop", "hang", "truncated", "malformed"])
async def test_what_passes_is_tried_again_until_it_has(serve: Serve, settings_for: SettingsFor, fault: str) -> None:
    server = serve(World.of([_story(1, 5)]), Weather(first={"/item/1.json": (fault, 2)}))
    settings = settings_for(server, item_attempts=3, item_timeout=_patience(fault))
    [reading] = await HackerNews(settings).read([1])
    assert reading.outcome == "ok"
    assert server.requests["item"] == 3


async def test_what_will_not_pass_is_not_tried_again(serve: Serve, settings_for: SettingsFor) -> None:
    server = serve(World.of([_story(1, 5)]), Weather(always={"/item/1.json": "redirect_loop"}))
    [reading] = await HackerNews(settings_for(server, item_attempts=4)).read([1])
    assert reading.outcome == "failed"
    assert server.requests["item"] == 1


async def test_an_answer_that_is_another_item_is_not_taken_for_this_one(
    serve: Serve, settings_for: SettingsFor
) -> None:
    world = World({1: _story(2, 5), 2: {"type": "story"}})
    readings = await HackerNews(settings_for(serve(world))).read([1, 2])
    assert [reading.reason for reading in readings] == ["malformed: the answer is not that item"] * 2


async def test_only_so_many_items_are_asked_for_at_once(serve: Serve, settings_for: SettingsFor) -> None:
    server = serve(World.of(day_of_stories(60, 1_760_000_000)), Weather(latency=0.02))
    await HackerNews(settings_for(server, item_concurrency=7)).read(sorted(server.world.items))
    assert server.at_once == 7

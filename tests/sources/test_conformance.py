"""What every source keeps to. One is added by adding how it is opened over a folder of items; no test names it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import date
from pathlib import Path

import pytest

from hnintel import sample
from hnintel.errors import UsageError
from hnintel.partitions.hours import hours_of
from hnintel.settings import Settings
from hnintel.sources import NAMES, open_source
from hnintel.sources.base import Source
from hnintel.window import Window
from tests.servers import LoopbackServer, World
from tests.servers.material import day_of_stories

ZONE = "America/New_York"
DAY = date(2026, 10, 22)  # the newest of the bundled sample; the made material is of the same day
NO_SUCH_ID = 77


def _replay(stack: ExitStack, folder: Path) -> Source:
    return open_source(f"replay:{Path(sample.__file__).parent / str(DAY) / 'items.ndjson'}", Settings(home=folder))


def _sample(stack: ExitStack, folder: Path) -> Source:
    return open_source("sample", Settings(home=folder))


def _live(stack: ExitStack, folder: Path) -> Source:
    world = World.of(day_of_stories(120, Window.of(DAY, ZONE).start_epoch))
    server = stack.enter_context(LoopbackServer(world))
    urls = {"firebase_url": server.firebase_url, "algolia_url": server.algolia_url}
    # How a listing is proven has its own tests (test_listing_proof.py); here it would be proven for each hour.
    return open_source("live", Settings(home=folder, **urls, listing_sample=0, listing_whole=False))


#: How each kind of source is opened, by the name that a user gives it.
OPENED: dict[str, Callable[[ExitStack, Path], Source]] = {"sample": _sample, "replay": _replay, "live": _live}


@pytest.fixture(params=OPENED)
def source(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Source]:
    with ExitStack() as stack:
        yield OPENED[request.param](stack, tmp_path)


@pytest.fixture
def window() -> Window:
    return Window.of(DAY, ZONE)


def test_every_name_a_user_can_give_is_held_to_this_suite() -> None:
    assert {name.partition(":")[0] for name in NAMES} == set(OPENED)


def test_it_goes_by_the_name_it_is_asked_for_by(source: Source, request: pytest.FixtureRequest) -> None:
    assert source.name == request.node.callspec.params["source"]


def test_its_newest_day_is_a_day_it_has_stories_of_or_left_to_the_clock(source: Source) -> None:
    assert source.newest_day(ZONE) in (DAY, None)


def test_its_days_are_in_order_and_end_with_the_newest_or_are_left_to_the_clock(source: Source) -> None:
    days = source.days(ZONE)
    assert days == sorted(set(days))
    assert days[-1:] == ([DAY] if source.newest_day(ZONE) else [])


async def test_a_listing_is_ascending_without_doubles_and_not_empty(source: Source, window: Window) -> None:
    ids = (await source.list_day(window)).ids
    assert ids
    assert list(ids) == sorted(set(ids))


async def test_what_is_listed_was_posted_in_the_window_and_is_no_comment(source: Source, window: Window) -> None:
    listing = await source.list_day(window)
    found = [reading.raw for reading in await source.read(listing.ids) if reading.raw]
    assert found
    assert all(window.start_epoch <= raw["time"] < window.end_epoch for raw in found)
    assert {raw.get("type") for raw in found} <= {"story", "job", "poll", None}


async def test_neighbouring_windows_share_nothing_and_together_hold_all(source: Source, window: Window) -> None:
    middle = window.start + (window.end - window.start) / 2
    morning = await source.list_day(Window(DAY, window.start, middle))
    evening = await source.list_day(Window(DAY, middle, window.end))
    nulls = {one.id for one in await source.read((await source.list_day(window)).ids) if one.outcome == "null"}
    assert set(morning.ids) & set(evening.ids) <= nulls
    assert set(morning.ids) | set(evening.ids) == set((await source.list_day(window)).ids)


async def test_its_hours_together_hold_what_the_day_does(source: Source, window: Window) -> None:
    by_hour = [await source.list_day(hour.window) for hour in hours_of(window)]
    assert {one for listing in by_hour for one in listing.ids} == set((await source.list_day(window)).ids)


async def test_what_moves_is_named_by_ids_that_can_be_read(source: Source) -> None:
    moving = await source.moving()
    assert {one.outcome for one in await source.read(sorted(moving))} <= {"ok", "null"}


async def test_a_day_long_before_lists_nothing(source: Source) -> None:
    assert (await source.list_day(Window.of(date(2006, 10, 10), ZONE))).ids == ()


async def test_readings_come_in_the_order_asked_for_one_an_id(source: Source, window: Window) -> None:
    ids = (await source.list_day(window)).ids
    asked = [*reversed(ids[:20]), NO_SUCH_ID, ids[0]]
    assert [reading.id for reading in await source.read(asked)] == asked


async def test_an_id_that_never_was_is_null_and_not_a_failure(source: Source) -> None:
    [reading] = await source.read([NO_SUCH_ID])
    assert (reading.outcome, reading.raw, reading.reason) == ("null", None, None)


async def test_what_is_read_is_that_item_as_the_source_wrote_it(source: Source, window: Window) -> None:
    ids = (await source.list_day(window)).ids[:10]
    for reading in await source.read(ids):
        assert reading.outcome == "null" or (reading.raw is not None and reading.raw["id"] == reading.id)


async def test_reading_nothing_gives_nothing(source: Source) -> None:
    assert await source.read([]) == []


async def test_listing_and_reading_twice_say_the_same(source: Source, window: Window) -> None:
    first, second = await source.list_day(window), await source.list_day(window)
    assert first == second
    assert await source.read(first.ids) == await source.read(first.ids)
    assert source.identity == source.identity


@pytest.mark.parametrize("spec", ["", "lives", "sample:x", "live:x", "replay", "replay:", "Sample"])
def test_a_name_that_is_none_is_refused_with_those_there_are(spec: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is not a source: give one of sample, replay:PATH, live"):
        open_source(spec, Settings(home=tmp_path))

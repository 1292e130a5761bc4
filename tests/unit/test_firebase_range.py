"""Listing a day from the range of its ids, found by a binary search over items that are only nearly in order."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime

import pytest

from hnintel.sources.base import Listing, Reading
from hnintel.sources.firebase import MARGIN, first_id_at, list_window
from hnintel.sources.memory import ItemStore
from hnintel.window import Window

NEWEST = 600


class _Items:
    """Items in memory, in place of Firebase; the id is the minute."""

    def __init__(self) -> None:
        self.store = ItemStore()
        self.store.add({"id": item_id, "type": "comment", "time": item_id * 60} for item_id in range(1, NEWEST + 1))
        self.reads = 0

    async def max_id(self) -> int:
        return max(self.store.items)

    async def read(self, ids: Sequence[int]) -> list[Reading]:
        self.reads += len(ids)
        return self.store.read(ids)


def _first(items: _Items, epoch: int, newest: int = NEWEST) -> int:
    return asyncio.run(first_id_at(items, epoch, newest))  # type: ignore[arg-type]  # it only reads


@pytest.mark.parametrize("wanted", [1, 2, 7, 256, 257, 300, 599, 600])
def test_it_is_right_to_within_two_where_ids_are_in_the_order_of_time(wanted: int) -> None:
    assert abs(_first(_Items(), wanted * 60) - wanted) <= 2


def test_before_all_it_is_the_first_and_after_all_one_past_the_newest() -> None:
    assert _first(_Items(), 0) == 1
    assert _first(_Items(), 10**9) == NEWEST + 1


def test_one_item_whose_time_was_moved_leads_nobody_astray_whichever_it_is() -> None:
    """Hacker News posts a story anew by moving its time; the answer stays well within the margin that is read."""
    for moved in range(1, NEWEST + 1):
        items = _Items()
        items.store.items[moved] = {"id": moved, "type": "story", "time": (NEWEST + 5) * 60}
        assert abs(_first(items, 300 * 60) - 300) <= 3 < MARGIN


def test_where_a_source_begins_late_the_emptiness_before_it_is_not_searched_through() -> None:
    items = _Items()
    offset = 40_000_000
    items.store.items = {
        item_id + offset: {"id": item_id + offset, "time": item_id * 60} for item_id in range(1, NEWEST + 1)
    }
    assert abs(_first(items, 300 * 60, NEWEST + offset) - 300 - offset) <= 2
    assert items.reads < 5_000


def _listed(items: _Items, first: int, last: int) -> Listing:
    """What is listed of the minutes from *first* up to, and without, *last*."""
    start, end = (datetime.fromtimestamp(minute * 60, UTC) for minute in (first, last))
    return asyncio.run(list_window(items, Window(start.date(), start, end)))  # type: ignore[arg-type]


def _stories(count: int) -> _Items:
    items = _Items()
    items.store.items = {one: {"id": one, "type": "story", "time": one * 60} for one in range(1, count + 1)}
    return items


def test_stories_whose_ids_are_out_of_the_order_of_their_times_are_found() -> None:
    items = _stories(3_000)
    # Two of the window stand among ids of before and after; one of before stands among its own.
    for item_id, minute in ((801, 1_300), (2_201, 1_301), (1_501, 3)):
        items.store.items[item_id] = {"id": item_id, "type": "story", "time": minute * 60}
    expected = sorted({801, 2_201, *range(1_201, 1_801)} - {1_501})
    assert _listed(items, 1_201, 1_801).ids == tuple(expected)


def test_the_search_goes_across_null_deleted_and_timeless_items() -> None:
    items = _stories(2_000)
    for item_id in range(400, 1_200):  # a long gap where the search will look first
        items.store.items[item_id] = None if item_id % 3 else {"id": item_id, "deleted": True, "type": "story"}
    listing = _listed(items, 390, 1_210)
    assert listing.ids == (*range(390, 400), *range(1_200, 1_210))
    assert listing.notes == {"null items in the range": 534, "without a time": 266}

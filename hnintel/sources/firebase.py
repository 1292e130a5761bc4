"""Firebase: one item a request, and from that a day's listing where nothing else lists it."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator, Sequence
from statistics import median_low

from hnintel.errors import SourceError, Unreachable
from hnintel.models import LAST_SECOND, TOP_LEVEL_TYPES
from hnintel.settings import Settings
from hnintel.sources.base import Listing, Reading
from hnintel.sources.json_http import JsonClient
from hnintel.window import Window

#: Ids are given out in order, but an item's time can be moved afterwards; so many ids are looked at on either side.
MARGIN = 500
#: A probe of the search looks at three ids in a row; where they are null at eight more, then at twice as many;
#: where no item was ever met below, so many ids in a row without one are taken for the time before the first.
_TOGETHER, _PROBE, _EMPTY = 3, 8, 64
#: Items of a range are asked for in batches, so that a day's 12,000 are not 12,000 waiting tasks.
_BATCH = 1000


class Firebase:
    """Items, by id, over one client."""

    def __init__(self, client: JsonClient, settings: Settings) -> None:
        self._client = client
        self._url = settings.firebase_url
        self._gate = asyncio.Semaphore(settings.item_concurrency)

    async def read(self, ids: Sequence[int]) -> list[Reading]:
        """One reading an id, in order, some at a time; a failing one is tried again, then told as failed."""
        return list(await asyncio.gather(*(self._item(item_id) for item_id in ids)))

    async def max_id(self) -> int:
        """The largest id there is now.

        Raises:
            Unreachable: it does not answer.
            SourceError: it answers something else.
        """
        found = await self._client.get(f"{self._url}/maxitem.json")
        if not isinstance(found, int) or isinstance(found, bool) or found <= 0:
            raise SourceError(f"{self._url}/maxitem.json answered no id; see HNINTEL_FIREBASE_URL")
        return found

    async def top(self) -> list[int]:
        """The ids of the front page and what is behind it, best first; at most 500.

        Raises:
            Unreachable, SourceError: as for :meth:`max_id`.
        """
        return self._ids(await self._client.get(f"{self._url}/topstories.json"), "topstories")

    async def changed(self) -> list[int]:
        """The ids of items that were changed of late; how late is Hacker News' to say.

        Raises:
            Unreachable, SourceError: as for :meth:`max_id`.
        """
        found = await self._client.get(f"{self._url}/updates.json")
        return self._ids(found.get("items") if isinstance(found, dict) else None, "updates")

    def _ids(self, found: object, name: str) -> list[int]:
        if not isinstance(found, list) or not all(isinstance(one, int) and one > 0 for one in found):
            raise SourceError(f"{self._url}/{name}.json answered no ids; see HNINTEL_FIREBASE_URL")
        return found

    async def _item(self, item_id: int) -> Reading:
        try:
            async with self._gate:
                raw = await self._client.get(f"{self._url}/item/{item_id}.json")
        except SourceError as error:
            return Reading(item_id, "failed", reason=str(error))
        if raw is None:
            return Reading(item_id, "null")
        if not isinstance(raw, dict) or raw.get("id") != item_id:
            return Reading(item_id, "failed", reason="malformed: the answer is not that item")
        return Reading(item_id, "ok", raw)


async def list_window(firebase: Firebase, window: Window) -> Listing:
    """The live stories, jobs and polls of *window*, from the range of ids that were given out during it.

    Dead and deleted items lie in the range too. They are counted and left out, because that is what Algolia does:
    both ways list the same items. One that dies later is known by then, and is read again while its day settles.
    An id that cannot be read even in a second round is listed all the same: reading it ends in a dead letter, while
    leaving it out would lose it without a word.

    Raises:
        Unreachable, SourceError: the largest id cannot be had, so that there is no range.
    """
    newest = await firebase.max_id()
    first = await first_id_at(firebase, window.start_epoch, newest)
    last = await first_id_at(firebase, window.end_epoch, newest)
    ids: set[int] = set()
    notes: Counter[str] = Counter()
    for batch in _batches(max(1, first - MARGIN), min(newest, last + MARGIN)):
        readings = await firebase.read(batch)
        again = [reading.id for reading in readings if reading.outcome == "failed"]
        second = await firebase.read(again) if again else []
        for reading in [one for one in readings if one.outcome != "failed"] + second:
            _sort(reading, window, ids, notes)
    return Listing(tuple(sorted(ids)), +notes)


async def first_id_at(firebase: Firebase, epoch: int, newest: int) -> int:
    """The first id, about, of an item posted at *epoch* or later; one past *newest* where all are older.

    A look at ids at growing distances from either end brackets it, for most days asked for are near the newest; a
    binary search does the rest. Ids are only nearly in the order of time, so the answer may be off by the few around.

    Raises:
        Unreachable: items cannot be read.
    """
    steps = [2**power for power in range(newest.bit_length()) if 2**power < newest]
    points = sorted({1, newest, *steps, *(newest - step for step in steps)})
    found_at = await asyncio.gather(*(_time_at(firebase, point, point + _PROBE) for point in points))
    met = [found for found in found_at if found is not None]
    begins = met[0][0] if met else newest
    low = max((item_id + 1 for item_id, time in met if time < epoch), default=1)
    high = min((item_id for item_id, time in met if time >= epoch and item_id >= low), default=newest + 1)
    while low < high:
        middle = (low + high) // 2
        # Below the oldest item that was met, an empty stretch is the time before the source's first item.
        found = await _time_at(firebase, middle, min(high, middle + _EMPTY) if middle < begins else high)
        if found is None and middle < begins:
            low = min(middle + _EMPTY, high)
        elif found is None or found[1] >= epoch:
            high = middle
        else:
            low = found[0] + 1
    return low


async def _time_at(firebase: Firebase, start: int, end: int) -> tuple[int, int] | None:
    """The first id from *start* and before *end* whose item has a time, and the time about there; None where none has.

    The time is the middle one of the first three that are met: one item whose time was moved leads nobody astray.

    Raises:
        Unreachable: items cannot be read; what is missing then is no sign of an empty range.
    """
    width = _TOGETHER
    while start < end:
        ids = range(start, min(start + width, end))
        readings = await firebase.read(ids)
        if all(reading.outcome == "failed" for reading in readings):
            raise Unreachable(f"no item can be read while looking for a day's first: {readings[0].reason}")
        timed = [(reading.id, time) for reading in readings if (time := _time(reading)) is not None]
        if timed:
            return timed[0][0], median_low(time for _, time in timed[:_TOGETHER])
        start, width = ids.stop, min(max(_PROBE, width * 2), _BATCH)
    return None


def _sort(reading: Reading, window: Window, ids: set[int], notes: Counter[str]) -> None:
    """Into *ids* where it is a live story of the window, else into *notes* where that is worth a word."""
    if reading.outcome == "failed":
        notes["ids that could not be read while listing"] += 1
        ids.add(reading.id)
    elif reading.raw is None:
        notes["null items in the range"] += 1
    elif reading.raw.get("type") in TOP_LEVEL_TYPES:
        time = _time(reading)
        if time is None:
            notes["without a time"] += 1
        elif window.start_epoch <= time < window.end_epoch:
            if reading.raw.get("dead") or reading.raw.get("deleted"):
                notes["dead or deleted, not listed"] += 1
            else:
                ids.add(reading.id)


def _time(reading: Reading) -> int | None:
    value = (reading.raw or {}).get("time")
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= LAST_SECOND else None


def _batches(first: int, last: int) -> Iterator[Sequence[int]]:
    for start in range(first, last + 1, _BATCH):
        yield range(start, min(start + _BATCH, last + 1))

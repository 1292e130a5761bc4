"""Firebase: reads one item a request, and lists a day by its range of ids if Algolia cannot."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator, Sequence
from statistics import median_low
from typing import Protocol

from hnintel.errors import SourceError, Unreachable
from hnintel.models import LAST_SECOND, TOP_LEVEL_TYPES
from hnintel.settings import Settings
from hnintel.sources.base import Listing, Reading
from hnintel.sources.json_http import JsonClient
from hnintel.window import Window

#: Ids ascend with time, but an item's time can be changed later; this many ids on either side are read as well.
MARGIN = 500
#: A probe of the search reads three ids in a row, after nulls eight more, then twice as many each time. Below every
#: item seen, this many ids in a row without an item count as the time before the source's first item.
_TOGETHER, _PROBE, _EMPTY = 3, 8, 64
#: A story in the middle of a range whose time is so much later (seconds) than the window's end was posted in the
#: window, and its time was moved since: ids are out of the order of times by seconds.
_MOVED = 3600
#: A range is read in batches of this size, so that a day's 12,000 items are not 12,000 waiting tasks.
_BATCH = 1000


class Reader(Protocol):
    """What a listing reads items through."""

    async def max_id(self) -> int:
        """The largest id at present."""

    async def read(self, ids: Sequence[int]) -> list[Reading]:
        """One reading for each id, in order."""


class Firebase:
    """Reads items by id through one client."""

    def __init__(self, client: JsonClient, settings: Settings) -> None:
        self._client = client
        self._url = settings.firebase_url
        self._gate = asyncio.Semaphore(settings.item_concurrency)

    async def read(self, ids: Sequence[int]) -> list[Reading]:
        """One reading for each id, in order, with limited concurrency; an id is retried, then returned as failed."""
        return list(await asyncio.gather(*(self._item(item_id) for item_id in ids)))

    async def max_id(self) -> int:
        """The largest id at present.

        Raises:
            Unreachable: Firebase does not answer.
            SourceError: the answer is not an id.
        """
        answer = await self._client.get(f"{self._url}/maxitem.json")
        if not isinstance(answer, int) or isinstance(answer, bool) or answer <= 0:
            raise SourceError(f"{self._url}/maxitem.json answered no id; see HNINTEL_FIREBASE_URL")
        return answer

    async def top(self) -> list[int]:
        """The ids of the top stories, best first; at most 500.

        Raises:
            Unreachable, SourceError: as for :meth:`max_id`.
        """
        return self._ids(await self._client.get(f"{self._url}/topstories.json"), "topstories")

    async def changed(self) -> list[int]:
        """The ids of recently changed items, as Hacker News defines recent.

        Raises:
            Unreachable, SourceError: as for :meth:`max_id`.
        """
        answer = await self._client.get(f"{self._url}/updates.json")
        return self._ids(answer.get("items") if isinstance(answer, dict) else None, "updates")

    def _ids(self, answer: object, name: str) -> list[int]:
        if not isinstance(answer, list) or not all(isinstance(item_id, int) and item_id > 0 for item_id in answer):
            raise SourceError(f"{self._url}/{name}.json answered no ids; see HNINTEL_FIREBASE_URL")
        return answer

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


async def list_window(firebase: Reader, window: Window) -> Listing:
    """The live stories, jobs and polls of *window*, from the range of ids assigned during it.

    Dead and deleted items of the range are counted and left out, as Algolia does, so that both ways list the same
    items. An item that dies later is known by then, and is read again while its day settles. An id that fails twice is
    still listed: reading it ends in a dead letter, while leaving it out would lose it silently.

    A story that was posted in the window, and whose time was moved to a later day since, is listed too: by then it is
    in the range of no other day.

    Raises:
        Unreachable, SourceError: the largest id cannot be read, so the range is unknown; or a whole batch fails.
    """
    newest = await firebase.max_id()
    first = await first_id_at(firebase, window.start_epoch, newest)
    last = await first_id_at(firebase, window.end_epoch, newest)
    ids: set[int] = set()
    notes: Counter[str] = Counter()
    for batch in _batches(max(1, first - MARGIN), min(newest, last + MARGIN)):
        readings = await firebase.read(batch)
        failed = [reading.id for reading in readings if reading.outcome == "failed"]
        reread = await firebase.read(failed) if failed else []
        if len(reread) == len(batch) and all(reading.outcome == "failed" for reading in reread):
            raise Unreachable(f"no item of a range can be read: {reread[0].reason}")
        for reading in [reading for reading in readings if reading.outcome != "failed"] + reread:
            _sort(reading, window, ids, notes)
            if first <= reading.id < last and _is_moved(reading, window):
                notes["posted in the window, and their time was moved"] += 1
                ids.add(reading.id)
    return Listing(tuple(sorted(ids)), +notes)


async def first_id_at(firebase: Reader, epoch: int, newest: int) -> int:
    """About the first id of an item posted at *epoch* or later; *newest* + 1 if all items are older.

    Probes at growing distances from either end bracket the id, because most requested days are near the newest; a
    binary search does the rest. Ids are only nearly in the order of time, so the result may be off by a few.

    Raises:
        Unreachable: items cannot be read.
    """
    steps = [2**power for power in range(newest.bit_length()) if 2**power < newest]
    points = sorted({1, newest, *steps, *(newest - step for step in steps)})
    probes = await asyncio.gather(*(time_at(firebase, point, point + _PROBE) for point in points))
    dated_ids = [dated for dated in probes if dated is not None]
    begins = dated_ids[0][0] if dated_ids else newest
    low = max((item_id + 1 for item_id, time in dated_ids if time < epoch), default=1)
    high = min((item_id for item_id, time in dated_ids if time >= epoch and item_id >= low), default=newest + 1)
    while low < high:
        middle = (low + high) // 2
        # Below the oldest item seen, an empty stretch is the time before the source's first item.
        dated = await time_at(firebase, middle, min(high, middle + _EMPTY) if middle < begins else high)
        if dated is None and middle < begins:
            low = min(middle + _EMPTY, high)
        elif dated is None or dated[1] >= epoch:
            high = middle
        else:
            low = dated[0] + 1
    return low


async def time_at(firebase: Reader, start: int, end: int) -> tuple[int, int] | None:
    """The first id in [*start*, *end*) whose item has a time, with the time there; None if no item has a time.

    The time is the median of the first three times, so that a single item with a changed time does no harm.

    Raises:
        Unreachable: no item can be read, which does not mean that the range is empty.
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
    """Add a live story of the window to *ids*; count other notable readings in *notes*."""
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


def is_live_story(reading: Reading, window: Window) -> bool:
    """Whether a reading is a live story, job or poll that was posted in *window*."""
    time = _time(reading)
    return _is_live(reading) and time is not None and window.start_epoch <= time < window.end_epoch


def _is_moved(reading: Reading, window: Window) -> bool:
    time = _time(reading)
    return _is_live(reading) and time is not None and time >= window.end_epoch + _MOVED


def _is_live(reading: Reading) -> bool:
    raw = reading.raw or {}
    return raw.get("type") in TOP_LEVEL_TYPES and not raw.get("dead") and not raw.get("deleted")


def _time(reading: Reading) -> int | None:
    value = (reading.raw or {}).get("time")
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= LAST_SECOND else None


def _batches(first: int, last: int) -> Iterator[Sequence[int]]:
    for start in range(first, last + 1, _BATCH):
        yield range(start, min(start + _BATCH, last + 1))

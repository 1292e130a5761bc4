"""Hacker News itself: a day is listed through Algolia, its items are read from Firebase."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import date
from typing import Any

import httpx
from tenacity import AsyncRetrying, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from hnintel.errors import SourceError, Unreachable
from hnintel.guard import GuardedTransport
from hnintel.settings import Settings
from hnintel.sources.base import Listing, Reading
from hnintel.window import Window

#: A search gives at most this many hits, and past that none at all; a slice that meets it is halved.
HITS_CAP = 1000
_ATTEMPTS = 4


class HackerNews:
    """The live site, through its two public interfaces."""

    name = "live"
    identity = "live"

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def newest_day(self, zone: str) -> date | None:
        """None: the newest whole day of a living site is yesterday."""
        return None

    async def list_day(self, window: Window) -> Listing:
        """Everything Algolia has for the window, in slices that stay under its cap.

        Raises:
            Unreachable: Algolia does not answer.
        """
        async with self._client() as client:
            ids: set[int] = set()
            slices = [(window.start_epoch, window.end_epoch)]
            while slices:
                start, end = slices.pop()
                found, total = await self._search(client, start, end)
                if total >= HITS_CAP and end - start > 1:
                    middle = (start + end) // 2
                    slices += [(start, middle), (middle, end)]
                else:
                    ids |= found
        return Listing(tuple(sorted(ids)), Counter())

    async def read(self, ids: Sequence[int]) -> list[Reading]:
        """Each item from Firebase, some at a time; a failing one is tried again, then told as failed."""
        gate = asyncio.Semaphore(self._settings.item_concurrency)
        async with self._client() as client:

            async def one(item_id: int) -> Reading:
                async with gate:
                    return await self._item(client, item_id)

            return list(await asyncio.gather(*(one(item_id) for item_id in ids)))

    def pages(self) -> httpx.AsyncBaseTransport | None:
        """The web, guarded."""
        return GuardedTransport(self._settings)

    @asynccontextmanager
    async def _client(self) -> AsyncIterator[httpx.AsyncClient]:
        limits = httpx.Limits(max_connections=self._settings.item_concurrency)
        headers = {"User-Agent": self._settings.user_agent}
        async with httpx.AsyncClient(timeout=self._settings.item_timeout, limits=limits, headers=headers) as client:
            yield client

    async def _search(self, client: httpx.AsyncClient, start: int, end: int) -> tuple[set[int], int]:
        params = {
            "tags": "(story,poll,job)",
            "numericFilters": f"created_at_i>={start},created_at_i<{end}",
            "hitsPerPage": HITS_CAP,
            "attributesToRetrieve": "objectID",
        }
        answer = await _get(client, f"{self._settings.algolia_url}/search_by_date", params)
        hits, total = (answer.get("hits"), answer.get("nbHits")) if isinstance(answer, dict) else (None, None)
        if not isinstance(hits, list) or not isinstance(total, int):
            raise SourceError(f"{self._settings.algolia_url} answered no list of hits; see HNINTEL_ALGOLIA_URL")
        found = {int(hit["objectID"]) for hit in hits if str(hit.get("objectID", "")).isdigit()}
        return found, max(total, len(hits))

    async def _item(self, client: httpx.AsyncClient, item_id: int) -> Reading:
        try:
            raw = await _get(client, f"{self._settings.firebase_url}/item/{item_id}.json", {})
        except SourceError as error:
            return Reading(item_id, "failed", reason=str(error))
        if raw is None:
            return Reading(item_id, "null")
        if not isinstance(raw, dict) or raw.get("id") != item_id:
            return Reading(item_id, "failed", reason="the answer is not that item")
        return Reading(item_id, "ok", raw)


async def _get(client: httpx.AsyncClient, url: str, params: dict[str, Any]) -> Any:
    """GET as JSON, with backoff on what may pass.

    Raises:
        Unreachable: it did not answer well within the attempts.
        SourceError: it answered, and will not answer otherwise.
    """
    retrying = AsyncRetrying(
        retry=retry_if_exception_type(Unreachable),
        wait=wait_random_exponential(multiplier=0.2, max=10),
        stop=stop_after_attempt(_ATTEMPTS),
        reraise=True,
    )
    return await retrying(_get_once, client, url, params)


async def _get_once(client: httpx.AsyncClient, url: str, params: dict[str, Any]) -> Any:
    host = httpx.URL(url).host
    try:
        response = await client.get(url, params=params)
    except httpx.HTTPError as error:
        raise Unreachable(f"{host} cannot be reached ({type(error).__name__})") from error
    if response.status_code == 429 or response.status_code >= 500:
        raise Unreachable(f"{host} answered HTTP {response.status_code}")
    if response.status_code != 200:
        raise SourceError(f"{host} answered HTTP {response.status_code}")
    try:
        return response.json()
    except ValueError:
        raise Unreachable(f"{host} answered what is not JSON") from None

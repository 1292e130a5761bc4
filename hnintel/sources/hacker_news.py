"""Hacker News itself: Algolia lists a day, or Firebase if Algolia fails; Firebase provides the items."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import date

import httpx

from hnintel.errors import SourceError, Unreachable
from hnintel.settings import Settings
from hnintel.sources import algolia, firebase
from hnintel.sources.base import Listing, Reading
from hnintel.sources.firebase import Firebase
from hnintel.sources.json_http import json_client
from hnintel.web.guard import GuardedTransport
from hnintel.window import Window


class HackerNews:
    """The live site, through its two public interfaces."""

    name = "live"
    lists_gone = False
    identity = "live"

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def newest_day(self, zone: str) -> date | None:
        """None: the newest whole day of the live site is yesterday."""
        return None

    def days(self, zone: str) -> list[date]:
        """Empty: the days are unknown without requests."""
        return []

    async def list_day(self, window: Window) -> Listing:
        """The live stories, jobs and polls of *window*; both interfaces list the same items.

        Live means neither dead nor deleted at the time of listing. Algolia removes such items from its index;
        :func:`hnintel.sources.firebase.list_window` leaves them out of the range of ids.

        Raises:
            Unreachable: neither Algolia nor Firebase answers.
        """
        async with json_client(self._settings) as client:
            try:
                return await algolia.list_window(client, self._settings.algolia_url, window)
            except SourceError as error:
                reason = str(error)
            try:
                listing = await firebase.list_window(Firebase(client, self._settings), window)
            except Unreachable as error:
                raise Unreachable(
                    f"{error}; Algolia cannot list the day either ({reason}): check the network, then run it again"
                ) from error
            return Listing(listing.ids, listing.notes + Counter({f"listed by Firebase alone ({reason})": 1}))

    async def moving(self) -> frozenset[int]:
        """The items that Firebase names as changed, and the 500 top stories, whose scores change most.

        Raises:
            Unreachable: Firebase does not answer.
        """
        async with json_client(self._settings) as client:
            items = Firebase(client, self._settings)
            return frozenset(await items.changed()).union(await items.top())

    async def read(self, ids: Sequence[int]) -> list[Reading]:
        """Read items from Firebase with limited concurrency; an id is retried, then returned as failed."""
        async with json_client(self._settings) as client:
            return await Firebase(client, self._settings).read(ids)

    def pages(self) -> httpx.AsyncBaseTransport | None:
        """The guarded transport to the web."""
        return GuardedTransport(self._settings)

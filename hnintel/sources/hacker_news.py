"""Hacker News itself: a day is listed through Algolia, or Firebase where that is away; items come from Firebase."""

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
        """None: the newest whole day of a living site is yesterday."""
        return None

    def days(self, zone: str) -> list[date]:
        """None: that of every day is not known without asking."""
        return []

    async def list_day(self, window: Window) -> Listing:
        """The live stories, jobs and polls of *window*; the same ones whichever interface lists them.

        "The same" means: neither dead nor deleted when it was listed. Algolia takes those out of its index; the range
        of Firebase ids holds them, and they are left out there (:func:`hnintel.sources.firebase.list_window`).

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
                    f"{error}; Algolia lists nothing either ({reason}): check the network, then run it again"
                ) from error
            return Listing(listing.ids, listing.notes + Counter({f"listed by Firebase alone ({reason})": 1}))

    async def moving(self) -> frozenset[int]:
        """What Firebase names as changed, and the five hundred stories whose scores move most: the top ones.

        Raises:
            Unreachable: Firebase does not answer.
        """
        async with json_client(self._settings) as client:
            items = Firebase(client, self._settings)
            return frozenset(await items.changed()).union(await items.top())

    async def read(self, ids: Sequence[int]) -> list[Reading]:
        """Each item from Firebase, some at a time; a failing one is tried again, then told as failed."""
        async with json_client(self._settings) as client:
            return await Firebase(client, self._settings).read(ids)

    def pages(self) -> httpx.AsyncBaseTransport | None:
        """The web, guarded."""
        return GuardedTransport(self._settings)

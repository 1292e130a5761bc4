"""Hacker News itself: Algolia lists a day, or Firebase if Algolia fails; Firebase provides the items."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import date

import httpx

from hnintel.errors import SourceError, Unreachable
from hnintel.settings import Settings
from hnintel.sources import algolia, firebase
from hnintel.sources.base import Listing, Prove, Reading
from hnintel.sources.firebase import Firebase
from hnintel.sources.json_http import json_client
from hnintel.sources.proof import Proof
from hnintel.sources.sampling import Remembering, sample
from hnintel.web.guard import GuardedTransport
from hnintel.window import Window

_EVERY_ID = "every id of the day was read"


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

    async def list_day(self, window: Window, prove: Prove = "sample") -> Listing:
        """The live stories, jobs and polls of *window*; both interfaces list the same items.

        Live means neither dead nor deleted at the time of listing. Algolia removes such items from its index;
        :func:`hnintel.sources.firebase.list_window` leaves them out of the range of ids.

        Algolia's listing is proven by a sample of Firebase's items. The range of ids is read whole, now, where
        *prove* says so, where Algolia does not answer, where a story of the sample is missing from its listing, and
        where the sample would cost as many requests as the range.

        Raises:
            Unreachable: neither Algolia nor Firebase answers.
        """
        async with json_client(self._settings) as client:
            reader = Remembering(Firebase(client, self._settings))
            try:
                searched = await algolia.list_window(client, self._settings.algolia_url, window)
            except SourceError as error:
                if prove == "not":
                    raise
                return await _without_algolia(reader, window, str(error))
            least = self._settings.listing_sample
            if prove == "not" or (prove == "sample" and not least):
                return replace(searched, proof=Proof("unproven", reason="listed by Algolia alone"))
            try:
                if prove == "sample":
                    sampled = await sample(reader, window, frozenset(searched.ids), least)
                    if sampled.is_enough and not sampled.missing:
                        return replace(searched, proof=Proof("sampled", sampled.looked_for))
                return _together(searched, await firebase.list_window(reader, window))
            except SourceError as error:
                return replace(searched, proof=Proof("unproven", reason=f"Firebase does not answer ({error})"))

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


async def _without_algolia(reader: Remembering, window: Window, reason: str) -> Listing:
    try:
        listing = await firebase.list_window(reader, window)
    except Unreachable as error:
        raise Unreachable(
            f"{error}; Algolia cannot list the day either ({reason}): check the network, then run it again"
        ) from error
    notes = listing.notes + Counter({f"listed by Firebase alone ({reason})": 1})
    return Listing(listing.ids, notes, Proof("whole", reason=f"{_EVERY_ID}; Algolia does not answer ({reason})"))


def _together(searched: Listing, ranged: Listing) -> Listing:
    """The listing of both: Algolia may still have an item whose time or type has changed since."""
    missing = len(set(ranged.ids) - set(searched.ids))
    lacking = f"; Algolia lacked {missing} of {len(ranged.ids)}" if missing else ""
    notes = searched.notes + ranged.notes + Counter({"missing from Algolia's listing": missing})
    ids = tuple(sorted({*searched.ids, *ranged.ids}))
    return Listing(ids, +notes, Proof("whole", reason=_EVERY_ID + lacking))

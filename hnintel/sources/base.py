"""The Source protocol: lists a day, reads items, and provides the transport for pages."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Literal, Protocol

import httpx

from hnintel.sources.proof import UNPROVEN, Proof
from hnintel.window import Window


@dataclass(frozen=True, slots=True)
class Listing:
    """The ids of a day's stories, jobs and polls, ascending and unique; and counts of irregularities met.

    ``proof``: how far the listing is proven to be complete. ``too_small``: in one line, why so few stories are not
    believed; empty where they are.
    """

    ids: tuple[int, ...]
    notes: Counter[str] = field(default_factory=Counter)
    proof: Proof = UNPROVEN
    too_small: str = ""


@dataclass(frozen=True, slots=True)
class Reading:
    """A source's answer for one id: ``ok`` with the raw item, ``null`` (no such item), or ``failed`` with a reason."""

    id: int
    outcome: Literal["ok", "null", "failed"]
    raw: dict[str, Any] | None = None
    reason: str | None = None


#: How a listing is to be proven.
Prove = Literal["not", "sample", "whole"]


class Source(Protocol):
    """A place to read Hacker News from. The conformance suite in tests/sources specifies it."""

    name: str
    #: Whether a listing includes items that died or were deleted since; if not, known ids are read again.
    lists_gone: bool

    @property
    def identity(self) -> str:
        """A text that changes when the source's answers may have changed; part of every cache key."""

    def newest_day(self, zone: str) -> date | None:
        """The newest business day with items, or None for "yesterday"."""

    def days(self, zone: str) -> list[date]:
        """Every business day with items, the oldest first; empty if unknown without a request."""

    async def list_day(self, window: Window, prove: Prove = "sample") -> Listing:
        """The stories, jobs and polls posted in *window*, with the proof of the listing.

        Args:
            window: the day, or a part of it.
            prove: ``sample``, look for a sample of the window's stories in the listing; ``whole``, read all ids of the
                window, whatever that costs; ``not``, add nothing to what one interface lists, and raise where it fails.

        Raises:
            Unreachable: the window cannot be listed now.
            SourceError: the window cannot be listed at all.
        """

    async def moving(self) -> frozenset[int]:
        """Ids, of any day, of items that may have changed recently; empty if items never change.

        Raises:
            SourceError, Unreachable: as for :meth:`list_day`.
        """

    async def read(self, ids: Sequence[int]) -> list[Reading]:
        """One reading for each id, in order; a failing id is a ``failed`` reading and never raises."""

    def pages(self) -> httpx.AsyncBaseTransport | None:
        """The transport that fetches articles; None if the source has no pages."""

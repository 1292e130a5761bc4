"""What a source is: it lists a day, reads items, and says how pages are reached."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Literal, Protocol

import httpx

from hnintel.window import Window


@dataclass(frozen=True, slots=True)
class Listing:
    """The ids of a day's stories, jobs and polls, ascending, none twice; and what was met on the way, counted."""

    ids: tuple[int, ...]
    notes: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True, slots=True)
class Reading:
    """What a source answered for one id: ``ok`` with the raw item, ``null`` (it has none), or ``failed`` and why."""

    id: int
    outcome: Literal["ok", "null", "failed"]
    raw: dict[str, Any] | None = None
    reason: str | None = None


class Source(Protocol):
    """Somewhere that Hacker News can be read from. The conformance suite in tests/sources says the rest."""

    name: str
    #: Whether a day's listing still holds what has died or was deleted since; where not, what is known is read again.
    lists_gone: bool

    @property
    def identity(self) -> str:
        """Changes when what the source would answer may have changed; part of every cache key."""

    def newest_day(self, zone: str) -> date | None:
        """The newest business day with items, or None for "yesterday"."""

    def days(self, zone: str) -> list[date]:
        """Every business day with items, the oldest first; none where that is not known without asking."""

    async def list_day(self, window: Window) -> Listing:
        """What was posted in *window*.

        Raises:
            Unreachable: it cannot be listed now.
            SourceError: it cannot be listed at all.
        """

    async def moving(self) -> frozenset[int]:
        """Ids, of whatever day, of items that may have changed of late; none where nothing ever does.

        Raises:
            SourceError, Unreachable: as for :meth:`list_day`.
        """

    async def read(self, ids: Sequence[int]) -> list[Reading]:
        """One reading an id, in order; never raises for one id's sake."""

    def pages(self) -> httpx.AsyncBaseTransport | None:
        """What articles are fetched through; None where the source has no pages at all."""

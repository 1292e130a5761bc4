"""Items in memory, for the bundled sample and replayed dumps."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any

from hnintel.models import LAST_SECOND, TOP_LEVEL_TYPES
from hnintel.sources.base import Listing, Reading
from hnintel.sources.proof import Proof
from hnintel.window import Window, day_of

#: A dump has no stories but its own.
_PROOF = Proof("whole", reason="the source holds no other story of the day")


class ItemStore:
    """Raw items by id, listed by time."""

    def __init__(self) -> None:
        self.items: dict[int, dict[str, Any] | None] = {}
        self.notes: Counter[str] = Counter()
        self._null_days: dict[int, date] = {}

    def add(self, raws: Iterable[object]) -> None:
        """Add items; a later item replaces an earlier item with the same id. Other values are only counted."""
        for raw in raws:
            if raw is None:
                self.notes["null items"] += 1
            elif not isinstance(raw, dict) or not _is_id(raw.get("id")):
                self.notes["not items"] += 1
            else:
                if raw["id"] in self.items:
                    self.notes["items given twice"] += 1
                self.items[raw["id"]] = raw

    def add_null(self, item_id: int, day: date) -> None:
        """Add an id that is listed on *day* and read as null."""
        self.items[item_id] = None
        self._null_days[item_id] = day

    def newest_day(self, zone: str) -> date | None:
        """The newest business day with a story, job or poll; None without items."""
        times = self._times()
        return day_of(max(times), zone) if times else None

    def days(self, zone: str) -> list[date]:
        """Every business day with a story, job or poll, the oldest first."""
        return sorted({day_of(time, zone) for time in self._times()})

    def _times(self) -> list[int]:
        return [raw["time"] for raw in self.items.values() if raw is not None and _is_listed(raw) and _has_time(raw)]

    def list_day(self, window: Window) -> Listing:
        """The ids posted in *window*, and the number of items without a time."""
        ids = [item_id for item_id, day in self._null_days.items() if day == window.day]
        notes = Counter(self.notes)
        for item_id, raw in self.items.items():
            if raw is None or not _is_listed(raw):
                continue
            if not _has_time(raw):
                notes["without a time"] += 1
            elif window.start_epoch <= raw["time"] < window.end_epoch:
                ids.append(item_id)
        return Listing(tuple(sorted(ids)), notes, _PROOF)

    def read(self, ids: Sequence[int]) -> list[Reading]:
        """One reading for each id; an unknown id is null, as Firebase answers for an id that never existed."""
        raws: list[tuple[int, Mapping[str, Any] | None]] = [(item_id, self.items.get(item_id)) for item_id in ids]
        return [Reading(item_id, "ok", dict(raw)) if raw else Reading(item_id, "null") for item_id, raw in raws]


def _is_id(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 < value < 2**63


def _has_time(raw: Mapping[str, Any]) -> bool:
    time = raw.get("time")
    return isinstance(time, int) and not isinstance(time, bool) and 0 <= time <= LAST_SECOND


def _is_listed(raw: Mapping[str, Any]) -> bool:
    """Whether an item is listed; a deleted item may lack its type, and counts as a story if it has no parent."""
    return raw.get("type") in TOP_LEVEL_TYPES or (
        raw.get("type") is None and raw.get("parent") is None and raw.get("poll") is None
    )

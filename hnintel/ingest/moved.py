"""Stories whose time Hacker News moved: the day that first listed one keeps it, and the later day records it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from hnintel.models import Item
from hnintel.warehouse.base import Session


@dataclass(frozen=True, slots=True)
class ListedAgain:
    """A story that a later *day* lists again; *first_day* keeps it."""

    id: int
    day: date
    first_day: date


def keep_first_day(
    items: Sequence[Item], stored: Mapping[int, Mapping[str, Any]]
) -> tuple[list[Item], list[ListedAgain]]:
    """Give each item whose time was moved since it was stored its stored day and time of posting.

    An item with its stored time that another day lists now takes that day: its window has changed with the time zone.

    Args:
        items: the items as they were read, with the day that lists them.
        stored: the rows of ``raw.items`` as they are before loading, by id.

    Returns:
        the items to load, and those that are listed again on a later day than the stored one.
    """
    kept: list[Item] = []
    again: list[ListedAgain] = []
    for item in items:
        before = stored.get(item.id)
        if before is None or not _is_moved(item, before["posted_at"]):
            kept.append(item)
            continue
        if item.day > before["day"]:
            again.append(ListedAgain(item.id, item.day, before["day"]))
        kept.append(item.model_copy(update={"day": before["day"], "posted_at": before["posted_at"]}))
    return kept, again


def record(session: Session, again: Sequence[ListedAgain], run_id: str, now: datetime) -> None:
    """Record the stories that a later day lists again, once a story and day."""
    for story in again:
        known = "SELECT count(*) FROM raw.listed_again WHERE id = ? AND day = ?"
        if not session.execute(known, [story.id, story.day])[0][0]:
            session.execute(
                "INSERT INTO raw.listed_again (id, day, first_day, run_id, listed_at) VALUES (?, ?, ?, ?, ?)",
                [story.id, story.day, story.first_day, run_id, now],
            )


def _is_moved(item: Item, posted_at: datetime | None) -> bool:
    """Whether the item's time is later than the stored one: Hacker News moves times forward only."""
    return item.posted_at is not None and posted_at is not None and item.posted_at > posted_at

"""Reads a chunk of a day's items, with the options of polls and the comments of stories."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import date
from typing import Any

from pydantic import ValidationError

from hnintel.ingest import rows
from hnintel.ingest.comment_tree import Place, Tree
from hnintel.ledger.stage_names import COMMENTS, ITEMS, OPTIONS
from hnintel.models import EXPECTED_FIELDS, KNOWN_FIELDS, TOP_LEVEL_TYPES, Comment, FirebaseItem, Item
from hnintel.settings import Settings
from hnintel.sources.base import Listing, Reading, Source
from hnintel.sources.proof import weakest
from hnintel.window import Window

_LONGEST_NAME = 40


@dataclass(frozen=True, slots=True)
class Lost:
    """An item or comment that could not be read, with the reason; it becomes a dead letter of its stage.

    The key is an item's id, or the :attr:`~hnintel.ingest.comment_tree.Place.key` of a comment's place.
    """

    key: str
    reason: str
    stage: str = ITEMS


@dataclass(slots=True)
class Scraped:
    """The readings of one chunk of ids. Top-level items + lost = ids; poll options and comments are not in that sum."""

    items: list[Item] = field(default_factory=list)
    comments: list[Comment] = field(default_factory=list)
    lost: list[Lost] = field(default_factory=list)
    lost_below: list[Lost] = field(default_factory=list)
    new_fields: Counter[str] = field(default_factory=Counter)
    missing_fields: Counter[str] = field(default_factory=Counter)

    def __add__(self, other: Scraped) -> Scraped:
        return Scraped(*(getattr(self, column.name) + getattr(other, column.name) for column in fields(self)))

    @property
    def notes(self) -> Counter[str]:
        """Counts for the run's summary: fields that are new at the source, and fields that are missing."""
        return Counter(
            {f"new field {name}": count for name, count in self.new_fields.items()}
            | {f"missing field {name}": count for name, count in self.missing_fields.items()}
        )


async def scrape(
    source: Source, ids: Sequence[int], day: date, settings: Settings, stored: Sequence[Place] = ()
) -> Scraped:
    """Read *ids*, the options of the polls among them, and the comments below stories with enough points.

    Args:
        source: the source to read from.
        ids: the listed ids of *day*.
        day: the partition of the rows.
        settings: the least score, and the depth and number of comments.
        stored: the stored comments of these ids; they are read again, so that a deletion is noticed.
    """
    scraped = Scraped()
    stories = [
        story
        for reading in await source.read(ids)
        if (story := _item(reading, day, source.name, scraped, ITEMS)) is not None
    ]
    options = [part for story in stories if story.type == "poll" and story.status == "ok" for part in story.parts]
    for reading in await source.read(options) if options else []:
        _item(reading, day, source.name, scraped, OPTIONS)
    await _read_comments(source, Tree(stories, settings), stored, scraped)
    return scraped


async def scrape_options(source: Source, ids: Sequence[int], day: date) -> Scraped:
    """Read poll options alone; each option names its poll."""
    scraped = Scraped()
    for reading in await source.read(ids):
        _item(reading, day, source.name, scraped, OPTIONS)
    return scraped


async def scrape_comments(source: Source, places: Sequence[Place]) -> Scraped:
    """Read comments alone; their answers are read when their day is read again."""
    scraped = Scraped()
    await _read_level(source, places, scraped)
    return scraped


async def _read_comments(source: Source, tree: Tree, stored: Sequence[Place], scraped: Scraped) -> None:
    while level := tree.level():
        for place, comment in await _read_level(source, level, scraped):
            tree.answers(place, comment)
    if again := tree.not_met(stored):
        await _read_level(source, again, scraped)


async def _read_level(source: Source, places: Sequence[Place], scraped: Scraped) -> list[tuple[Place, FirebaseItem]]:
    comments: list[tuple[Place, FirebaseItem]] = []
    for place, reading in zip(places, await source.read([place.id for place in places]), strict=True):
        parsed = _comment(reading, place, scraped)
        if parsed is not None:
            comments.append((place, parsed))
    return comments


def _item(reading: Reading, day: date, source: str, scraped: Scraped, stage: str) -> FirebaseItem | None:
    lost = scraped.lost if stage == ITEMS else scraped.lost_below
    if reading.outcome == "null":
        kind = "pollopt" if stage == OPTIONS else None  # a null option still counts as an option
        scraped.items.append(Item(id=reading.id, day=day, type=kind, status="null", source=source))
        return None
    item = _valid(reading, scraped, lost, stage)
    if item is not None and item.type not in (*TOP_LEVEL_TYPES, "pollopt", None):  # unknown types included
        kind = _printable(item.type)
        lost.append(Lost(str(reading.id), f"malformed: a {kind} where a story, job or poll was listed", stage))
        return None
    if item is not None and stage == OPTIONS and item.type != "pollopt":
        # Loading it would move another day's story into this day.
        lost.append(Lost(str(reading.id), f"malformed: a {item.type} where a poll's option was named", stage))
        return None
    if item is not None:
        scraped.items.append(rows.item(item, day, source))
    return item


def _printable(kind: str | None) -> str:
    """A type for the ledger: a plain word; anything else could be page text and is not repeated."""
    return kind if kind and re.fullmatch(r"[a-z_]{1,20}", kind) else "thing without a type"


def _comment(reading: Reading, place: Place, scraped: Scraped) -> FirebaseItem | None:
    if reading.outcome == "null":
        scraped.comments.append(Comment(id=reading.id, story_id=place.story_id, depth=place.depth, status="null"))
        return None
    comment = _valid(reading, scraped, scraped.lost_below, COMMENTS, place.key)
    misplaced = _out_of_place(comment, place) if comment is not None else None
    if misplaced:
        scraped.lost_below.append(Lost(place.key, misplaced, COMMENTS))
        return None
    if comment is not None:
        scraped.comments.append(rows.comment(comment, place.story_id, place.depth))
    return comment


def _out_of_place(item: FirebaseItem, place: Place) -> str | None:
    """Why the item is not the comment of *place*, or None; two places must not rewrite the same row in turn."""
    if not item.is_comment:
        return f"malformed: a {item.type} where a comment was named"
    if place.parent is not None and item.parent is not None and item.parent != place.parent:
        return f"malformed: named below {place.parent}, but it answers {item.parent}"
    return None


def _valid(
    reading: Reading, scraped: Scraped, lost: list[Lost], stage: str, key: str | None = None
) -> FirebaseItem | None:
    key = key or str(reading.id)
    if reading.raw is None:
        lost.append(Lost(key, reading.reason or "not read", stage))
        return None
    try:
        item = FirebaseItem.model_validate(reading.raw)
    except ValidationError as error:
        first = error.errors()[0]  # names the field and the rule, never the value: no page text in the ledger
        lost.append(Lost(key, f"malformed: {'.'.join(map(str, first['loc']))}: {first['msg']}", stage))
        return None
    _note_fields(reading.raw, item, scraped)
    return item


def _note_fields(raw: Mapping[str, Any], item: FirebaseItem, scraped: Scraped) -> None:
    """Count fields that are new at the source, and expected fields that a live item lacks."""
    scraped.new_fields.update(_name(field) for field in raw.keys() - KNOWN_FIELDS)
    if item.status == "ok":
        scraped.missing_fields.update(
            f"{item.type}.{field}" for field in EXPECTED_FIELDS.get(item.type or "", ()) if raw.get(field) is None
        )


def _name(field: str) -> str:
    """A field's name for the summary; text that does not look like a name is not repeated."""
    return field if field.isidentifier() and field.isascii() and len(field) <= _LONGEST_NAME else "(no name)"


def with_known(listing: Listing, known: Iterable[int]) -> Listing:
    """*listing* with the ids listed before: items that died or were deleted are no longer listed, but must be read."""
    gone = set(known) - set(listing.ids)
    notes = listing.notes + Counter({"listed before and not now": len(gone)})
    return replace(listing, ids=tuple(sorted(gone.union(listing.ids))), notes=+notes)


async def list_hours(
    source: Source, windows: Sequence[Window], known: Iterable[int], waiting: Iterable[int]
) -> Listing:
    """The ids to read of the current day, of which only some hours are listed.

    Args:
        source: the source to list.
        windows: the hours to list.
        known: stored ids of the day; those that changed recently are read again.
        waiting: ids of the day that were listed but could not be loaded yet.
    """
    listed = [await source.list_day(window) for window in windows]
    moved = (await source.moving()).intersection(known)
    notes = sum((listing.notes for listing in listed), Counter[str]())
    ids = tuple(sorted(moved.union(waiting, *(listing.ids for listing in listed))))
    return Listing(ids, notes, weakest(listing.proof for listing in listed))

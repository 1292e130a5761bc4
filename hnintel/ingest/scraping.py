"""Items of a day: read a chunk of ids with what hangs on them, and load what was read."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import date
from typing import Any

from pydantic import ValidationError

from hnintel.ingest import rows
from hnintel.ingest.comment_tree import Place, Tree
from hnintel.ledger.stage_names import COMMENTS, ITEMS, OPTIONS
from hnintel.models import EXPECTED_FIELDS, KNOWN_FIELDS, TOP_LEVEL_TYPES, Comment, FirebaseItem, Item
from hnintel.settings import Settings
from hnintel.sources.base import Listing, Reading, Source
from hnintel.window import Window

_LONGEST_NAME = 40


@dataclass(frozen=True, slots=True)
class Lost:
    """Something that could not be taken, and why; it goes to the dead letters of its stage.

    The key is an item's id, or the :attr:`~hnintel.ingest.comment_tree.Place.key` of a comment's place.
    """

    key: str
    reason: str
    stage: str = ITEMS


@dataclass(slots=True)
class Scraped:
    """What one chunk of ids gave. Items + lost = ids asked for; poll options and comments are apart from that sum."""

    items: list[Item] = field(default_factory=list)
    comments: list[Comment] = field(default_factory=list)
    lost: list[Lost] = field(default_factory=list)
    lost_below: list[Lost] = field(default_factory=list)
    new_fields: Counter[str] = field(default_factory=Counter)
    missing_fields: Counter[str] = field(default_factory=Counter)

    def __add__(self, other: Scraped) -> Scraped:
        return Scraped(*(getattr(self, one.name) + getattr(other, one.name) for one in fields(self)))

    @property
    def notes(self) -> Counter[str]:
        """What a run should tell of the source: fields that are new there, and fields that are gone."""
        return Counter(
            {f"new field {name}": count for name, count in self.new_fields.items()}
            | {f"missing field {name}": count for name, count in self.missing_fields.items()}
        )


async def scrape(
    source: Source, ids: Sequence[int], day: date, settings: Settings, held: Sequence[Place] = ()
) -> Scraped:
    """Read *ids*, the options of the polls among them, and the comments below the stories that are worth it.

    Args:
        source: where from.
        ids: of *day*, as it was listed.
        day: the partition that they land in.
        settings: how deep and how many comments.
        held: comments that the warehouse holds of these ids; they are read again, so that a deletion is seen.
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
    await _read_comments(source, Tree(stories, settings), held, scraped)
    return scraped


async def scrape_options(source: Source, ids: Sequence[int], day: date) -> Scraped:
    """Read poll options by themselves; each says which poll it is of."""
    scraped = Scraped()
    for reading in await source.read(ids):
        _item(reading, day, source.name, scraped, OPTIONS)
    return scraped


async def scrape_comments(source: Source, places: Sequence[Place]) -> Scraped:
    """Read comments by themselves; what hangs below them comes when their day is read again."""
    scraped = Scraped()
    await _read_level(source, places, scraped)
    return scraped


async def _read_comments(source: Source, tree: Tree, held: Sequence[Place], scraped: Scraped) -> None:
    while level := tree.level():
        for place, found in await _read_level(source, level, scraped):
            tree.answers(place, found)
    if again := tree.not_met(held):
        await _read_level(source, again, scraped)


async def _read_level(source: Source, places: Sequence[Place], scraped: Scraped) -> list[tuple[Place, FirebaseItem]]:
    found: list[tuple[Place, FirebaseItem]] = []
    for place, reading in zip(places, await source.read([place.id for place in places]), strict=True):
        parsed = _comment(reading, place, scraped)
        if parsed is not None:
            found.append((place, parsed))
    return found


def _item(reading: Reading, day: date, source: str, scraped: Scraped, stage: str) -> FirebaseItem | None:
    lost = scraped.lost if stage == ITEMS else scraped.lost_below
    if reading.outcome == "null":
        kind = "pollopt" if stage == OPTIONS else None  # an option counts as one, whatever became of it
        scraped.items.append(Item(id=reading.id, day=day, type=kind, status="null", source=source))
        return None
    found = _valid(reading, scraped, lost, stage)
    if found is not None and found.type not in (*TOP_LEVEL_TYPES, "pollopt", None):  # a type of tomorrow, too
        kind = _printable(found.type)
        lost.append(Lost(str(reading.id), f"malformed: a {kind} where a story, job or poll was listed", stage))
        return None
    if found is not None and stage == OPTIONS and found.type != "pollopt":
        # Taken, it would move another day's story into this one.
        lost.append(Lost(str(reading.id), f"malformed: a {found.type} where a poll's option was named", stage))
        return None
    if found is not None:
        scraped.items.append(rows.item(found, day, source))
    return found


def _printable(kind: str | None) -> str:
    """A type as it may stand in the ledger: a word, for whatever else is there may be the page's text."""
    return kind if kind and re.fullmatch(r"[a-z_]{1,20}", kind) else "thing without a type"


def _comment(reading: Reading, place: Place, scraped: Scraped) -> FirebaseItem | None:
    if reading.outcome == "null":
        scraped.comments.append(Comment(id=reading.id, story_id=place.story_id, depth=place.depth, status="null"))
        return None
    found = _valid(reading, scraped, scraped.lost_below, COMMENTS, place.key)
    wrong = _out_of_place(found, place) if found is not None else None
    if wrong:
        scraped.lost_below.append(Lost(place.key, wrong, COMMENTS))
        return None
    if found is not None:
        scraped.comments.append(rows.comment(found, place.story_id, place.depth))
    return found


def _out_of_place(found: FirebaseItem, place: Place) -> str | None:
    """Why what was read is not the comment of its place; two places must not take turns at one row."""
    if not found.is_comment:
        return f"malformed: a {found.type} where a comment was named"
    if place.parent is not None and found.parent is not None and found.parent != place.parent:
        return f"malformed: named below {place.parent}, but it answers {found.parent}"
    return None


def _valid(
    reading: Reading, scraped: Scraped, lost: list[Lost], stage: str, key: str | None = None
) -> FirebaseItem | None:
    key = key or str(reading.id)
    if reading.raw is None:
        lost.append(Lost(key, reading.reason or "not read", stage))
        return None
    try:
        found = FirebaseItem.model_validate(reading.raw)
    except ValidationError as error:
        first = error.errors()[0]  # names the field and the rule, never the value: no page text in the ledger
        lost.append(Lost(key, f"malformed: {'.'.join(map(str, first['loc']))}: {first['msg']}", stage))
        return None
    _note_fields(reading.raw, found, scraped)
    return found


def _note_fields(raw: Mapping[str, Any], found: FirebaseItem, scraped: Scraped) -> None:
    """Count what is new at the source, and what a live item lacks that it has always had."""
    scraped.new_fields.update(_name(field) for field in raw.keys() - KNOWN_FIELDS)
    if found.status == "ok":
        scraped.missing_fields.update(
            f"{found.type}.{field}" for field in EXPECTED_FIELDS.get(found.type or "", ()) if raw.get(field) is None
        )


def _name(field: str) -> str:
    """A field's name as it may be told; what looks like no name is not repeated."""
    return field if field.isidentifier() and field.isascii() and len(field) <= _LONGEST_NAME else "(no name)"


def with_known(listing: Listing, known: Iterable[int]) -> Listing:
    """*listing* and what was listed before: what has died or was deleted since is listed no more, but must be read."""
    gone = set(known) - set(listing.ids)
    notes = listing.notes + Counter({"listed before and not now": len(gone)})
    return Listing(tuple(sorted(gone.union(listing.ids))), +notes)


async def list_hours(
    source: Source, windows: Sequence[Window], known: Iterable[int], waiting: Iterable[int]
) -> Listing:
    """What there is to be read of a day that is going on, of which some hours are to be listed.

    Args:
        source: where from.
        windows: of the hours.
        known: ids of the day that are here; those that have changed of late are read again.
        waiting: ids of the day that could not be taken when they were listed.
    """
    listed = [await source.list_day(window) for window in windows]
    moved = (await source.moving()).intersection(known)
    notes = sum((one.notes for one in listed), Counter[str]())
    return Listing(tuple(sorted(moved.union(waiting, *(one.ids for one in listed)))), notes)

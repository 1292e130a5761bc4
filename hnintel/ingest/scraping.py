"""Items of a day: read a chunk of ids with what hangs on them, and load what was read."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import date, datetime
from typing import Any, TypeVar

from pydantic import ValidationError

from hnintel.ingest import changes, deletions, rows
from hnintel.ingest.changes import Changes
from hnintel.ingest.comment_tree import Place, Tree
from hnintel.ledger import stage_rows
from hnintel.models import EXPECTED_FIELDS, KNOWN_FIELDS, TOP_LEVEL_TYPES, Comment, FirebaseItem, Item
from hnintel.settings import Settings
from hnintel.sources.base import Listing, Reading, Source
from hnintel.warehouse.base import Session, Staged
from hnintel.warehouse.statements import merge_rows, statement
from hnintel.window import Window

T = TypeVar("T", Item, Comment)

#: The stages of dead letters that reading Hacker News writes: what was listed, poll options, comments.
ITEMS, OPTIONS, COMMENTS = "items", "options", "comments"
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


@dataclass(frozen=True, slots=True)
class Loaded:
    """What loading came to, table by table."""

    items: Changes = field(default_factory=Changes)
    comments: Changes = field(default_factory=Changes)

    @property
    def inserted(self) -> int:
        """Rows that were not there."""
        return self.items.new + self.comments.new

    @property
    def updated(self) -> int:
        """Rows that were rewritten."""
        return sum(changed.text + changed.counts for changed in (self.items, self.comments))

    def __add__(self, other: Loaded) -> Loaded:
        return Loaded(self.items + other.items, self.comments + other.comments)


def known_ids(session: Session, day: date, source: str) -> list[int]:
    """The ids of *day* that the warehouse has from *source* and that may still change: all but options and deleted."""
    found = session.execute(
        "SELECT id FROM raw.items WHERE day = ? AND source = ? AND status <> 'deleted' "
        "AND coalesce(type, '') <> 'pollopt' ORDER BY id",
        [day, source],
    )
    return [int(row[0]) for row in found]


def with_known(listing: Listing, known: Iterable[int]) -> Listing:
    """*listing* and what was listed before: what has died or was deleted since is listed no more, but must be read."""
    gone = set(known) - set(listing.ids)
    notes = listing.notes + Counter({"listed before and not now": len(gone)})
    return Listing(tuple(sorted(gone.union(listing.ids))), +notes)


def waiting_ids(session: Session, day: date) -> list[int]:
    """The ids of *day* that were listed and could not be taken yet."""
    sql = "SELECT key FROM ops.dead_letters WHERE day = ? AND stage = ? ORDER BY key"
    return [int(key) for (key,) in session.execute(sql, [day, ITEMS])]


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


def held_comments(session: Session, story_ids: Sequence[int]) -> list[Place]:
    """The comments that the warehouse holds words of, below these stories."""
    if not story_ids:
        return []
    marks = ", ".join("?" for _ in story_ids)
    found = session.execute(
        f"SELECT id, story_id, depth FROM raw.comments WHERE text IS NOT NULL AND story_id IN ({marks}) ORDER BY id",
        story_ids,
    )
    return [Place(*map(int, row)) for row in found]


def load(session: Session, scraped: Scraped, day: date, run_id: str, now: datetime) -> Loaded:
    """Merge what was scraped into ``raw`` and the dead letters, inside the caller's transaction.

    A row is rewritten only where its content differs, and a snapshot is appended only where a score or a count moved,
    so loading the same thing twice changes nothing. A null answer never overwrites a row that is there.
    """
    stamp = {"run_id": run_id, "loaded_at": now}
    items, comments = _unique(scraped.items), _unique(scraped.comments)
    staged_items = session.stage("raw.items", [{**item.row(), **stamp} for item in items])
    staged_comments = session.stage("raw.comments", [{**comment.row(), **stamp} for comment in comments])
    letters = _stage_letters(session, scraped, day, run_id, now)
    held_items = changes.held_items(session, staged_items)
    held_comments = changes.held_hashes(session, staged_comments)

    _merge_items(session, staged_items, now, run_id)
    deletions.after_deletion(session, items, held_items)
    merge_rows(session, staged_comments, differs="content_hash", keep_when="status = 'null'")
    stage_rows.settle_letters(session, letters)
    return Loaded(changes.compare_items(items, held_items), changes.compare_comments(comments, held_comments))


def _stage_letters(session: Session, scraped: Scraped, day: date, run_id: str, now: datetime) -> Staged:
    failed = {(one.stage, one.key): one.reason for one in scraped.lost + scraped.lost_below}
    taken = [(stage, str(item.id)) for stage in (ITEMS, OPTIONS) for item in scraped.items]
    taken += [(COMMENTS, Place(comment.id, comment.story_id, comment.depth).key) for comment in scraped.comments]
    return stage_rows.stage_letters(session, day, failed, taken, run_id, now)


def _merge_items(session: Session, staged: Staged, now: datetime, run_id: str) -> None:
    if staged.rows:
        merge_rows(session, staged, differs="content_hash", keep_when="status = 'null'")
        session.execute(statement("ingest/snapshot_items", source=staged.name), [now, run_id])


def _unique(readings: Iterable[T]) -> list[T]:
    """One row an id: the last that was read."""
    return list({row.id: row for row in readings}.values())

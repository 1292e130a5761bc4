"""Items of a day: read a chunk of ids with what hangs on them, and load what was read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from pydantic import ValidationError

from hnintel import ledger, rows
from hnintel.models import KNOWN_FIELDS, Comment, FirebaseItem, Item
from hnintel.settings import Settings
from hnintel.sources.base import Reading, Source
from hnintel.warehouse.base import Session
from hnintel.warehouse.statements import merge_rows, statement


@dataclass(frozen=True, slots=True)
class Lost:
    """An item that could not be taken, and why; it goes to the dead letters."""

    key: str
    reason: str


@dataclass(slots=True)
class Scraped:
    """What one chunk of ids gave. Items + lost = ids asked for (poll options, which follow their poll, apart)."""

    items: list[Item] = field(default_factory=list)
    comments: list[Comment] = field(default_factory=list)
    lost: list[Lost] = field(default_factory=list)
    new_fields: Counter[str] = field(default_factory=Counter)


async def scrape(source: Source, ids: Sequence[int], day: date, settings: Settings) -> Scraped:
    """Read *ids*, the options of the polls among them, and the comments below the stories that are worth it."""
    scraped = Scraped()
    stories = _parse(await source.read(ids), day, source.name, scraped)
    options = [part for story in stories if story.type == "poll" and story.status == "ok" for part in story.parts]
    if options:
        _parse(await source.read(options), day, source.name, scraped)
    await _read_comments(source, stories, settings, scraped)
    return scraped


def _parse(readings: Iterable[Reading], day: date, source: str, scraped: Scraped) -> list[FirebaseItem]:
    parsed: list[FirebaseItem] = []
    for reading in readings:
        if reading.outcome == "null":
            scraped.items.append(Item(id=reading.id, day=day, status="null", source=source))
            continue
        found = _valid(reading, scraped)
        if found is not None:
            parsed.append(found)
            scraped.items.append(rows.item(found, day, source))
    return parsed


def _valid(reading: Reading, scraped: Scraped) -> FirebaseItem | None:
    if reading.raw is None:
        scraped.lost.append(Lost(str(reading.id), reading.reason or "not read"))
        return None
    scraped.new_fields.update(reading.raw.keys() - KNOWN_FIELDS)
    try:
        return FirebaseItem.model_validate(reading.raw)
    except ValidationError as error:
        first = error.errors()[0]
        scraped.lost.append(Lost(str(reading.id), f"malformed: {'.'.join(map(str, first['loc']))}: {first['msg']}"))
        return None


async def _read_comments(source: Source, stories: Iterable[FirebaseItem], settings: Settings, scraped: Scraped) -> None:
    """Breadth first, best first, down to the set depth and number a story: one read a level for the whole chunk."""
    left = {
        story.id: settings.comments_per_story
        for story in stories
        if story.status == "ok" and (story.score or 0) >= settings.comments_min_score
    }
    level = [(kid, story.id) for story in stories if story.id in left for kid in story.kids]
    seen: set[int] = set()
    for depth in range(1, settings.comments_depth + 1):
        wanted: list[tuple[int, int]] = []
        for kid, story_id in level:
            if left[story_id] > 0 and kid not in seen:
                seen.add(kid)
                left[story_id] -= 1
                wanted.append((kid, story_id))
        if not wanted:
            return
        level = []
        for reading, (_, story_id) in zip(await source.read([kid for kid, _ in wanted]), wanted, strict=True):
            if reading.outcome == "null":
                scraped.comments.append(Comment(id=reading.id, story_id=story_id, depth=depth, status="null"))
                continue
            found = _valid(reading, scraped)
            if found is not None:
                scraped.comments.append(rows.comment(found, story_id, depth))
                level += [(kid, story_id) for kid in found.kids]


@dataclass(frozen=True, slots=True)
class Loaded:
    """Rows that loading a chunk changed."""

    inserted: int = 0
    updated: int = 0

    def __add__(self, other: Loaded) -> Loaded:
        return Loaded(self.inserted + other.inserted, self.updated + other.updated)


def load(session: Session, scraped: Scraped, day: date, run_id: str, now: datetime) -> Loaded:
    """Merge what was scraped into ``raw`` and the dead letters, inside the caller's transaction.

    A row is rewritten only where its content differs, and a snapshot is appended only where a score or a count moved,
    so loading the same thing twice changes nothing.
    """
    stamp = {"run_id": run_id, "loaded_at": now}
    items = [{**item.row(), **stamp} for item in _unique(scraped.items)]
    comments = [{**comment.row(), **stamp} for comment in _unique(scraped.comments)]
    changed = Loaded()
    if items:
        changed += Loaded(*merge_rows(session, "raw.items", items, differs="content_hash", keep_when="status = 'null'"))
        session.execute(statement("snapshot_items"), [now, run_id])
    if comments:
        changed += Loaded(*merge_rows(session, "raw.comments", comments, differs="content_hash"))
    ledger.bury(session, "items", day, [(lost.key, lost.reason) for lost in scraped.lost], run_id, now)
    ledger.forgive(session, "items", [str(item.id) for item in scraped.items])
    return changed


def _unique(readings: Iterable[Any]) -> list[Any]:
    """One row an id: the last that was read."""
    return list({row.id: row for row in readings}.values())

"""Loads a day's items and comments into ``raw.*``, with their dead letters, in one transaction."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, TypeVar

from hnintel.ingest import article_keys, changes, deletions, moved
from hnintel.ingest.changes import Changes
from hnintel.ingest.comment_tree import Place
from hnintel.ingest.scraping import Scraped
from hnintel.ledger import dead_letters
from hnintel.ledger.stage_names import COMMENTS, ITEMS, OPTIONS
from hnintel.models import Comment, Item
from hnintel.warehouse.base import Session, Staged
from hnintel.warehouse.statements import merge_rows, statement

T = TypeVar("T", Item, Comment)


@dataclass(frozen=True, slots=True)
class Loaded:
    """The changes that loading made, by table."""

    items: Changes = field(default_factory=Changes)
    comments: Changes = field(default_factory=Changes)

    @property
    def inserted(self) -> int:
        """Rows that are new."""
        return self.items.new + self.comments.new

    @property
    def updated(self) -> int:
        """Rows that were rewritten."""
        return sum(changed.text + changed.counts for changed in (self.items, self.comments))

    def __add__(self, other: Loaded) -> Loaded:
        return Loaded(self.items + other.items, self.comments + other.comments)


def known_ids(session: Session, day: date, source: str) -> list[int]:
    """The stored ids of *day* from *source* that may still change: all but poll options and deleted items."""
    rows = session.execute(
        "SELECT id FROM raw.items WHERE day = ? AND source = ? AND status <> 'deleted' "
        "AND coalesce(type, '') <> 'pollopt' ORDER BY id",
        [day, source],
    )
    return [int(row[0]) for row in rows]


def waiting_ids(session: Session, day: date) -> list[int]:
    """The ids of *day* that were listed but could not be loaded yet."""
    sql = "SELECT key FROM ops.dead_letters WHERE day = ? AND stage = ? ORDER BY key"
    return [int(key) for (key,) in session.execute(sql, [day, ITEMS])]


def stored_comments(session: Session, story_ids: Sequence[int]) -> list[Place]:
    """The comments below these stories whose text is stored."""
    if not story_ids:
        return []
    marks = ", ".join("?" for _ in story_ids)
    rows = session.execute(
        f"SELECT id, story_id, depth FROM raw.comments WHERE text IS NOT NULL AND story_id IN ({marks}) ORDER BY id",
        story_ids,
    )
    return [Place(*map(int, row)) for row in rows]


def load(session: Session, scraped: Scraped, day: date, run_id: str, now: datetime) -> Loaded:
    """Merge the scraped rows into ``raw`` and the dead letters, inside the caller's transaction.

    A row is rewritten only if its content differs, and a snapshot is appended only if a score or a count changed, so
    loading the same rows twice changes nothing. A null answer never overwrites a stored row.
    """
    stamp = {"run_id": run_id, "loaded_at": now}
    items, comments = _unique(scraped.items), _unique(scraped.comments)
    items, again = moved.keep_first_day(items, _stored(session, items))
    staged_items = session.stage("raw.items", [{**item.row(), **stamp} for item in items])
    staged_comments = session.stage("raw.comments", [{**comment.row(), **stamp} for comment in comments])
    letters = _stage_letters(session, scraped, day, run_id, now)
    stored_items = changes.stored_items(session, staged_items)
    stored_comments = changes.stored_hashes(session, staged_comments)

    _merge_items(session, staged_items, now, run_id)
    moved.record(session, again, run_id, now)
    article_keys.resolve_items(session, staged_items)
    deletions.after_deletion(session, items, stored_items)
    merge_rows(session, staged_comments, differs="content_hash", keep_when="status = 'null'")
    dead_letters.settle_letters(session, letters)
    return Loaded(changes.compare_items(items, stored_items), changes.compare_comments(comments, stored_comments))


def _stored(session: Session, items: Sequence[Item]) -> dict[int, dict[str, Any]]:
    """The stored day and time of posting of these items, by id."""
    if not items:
        return {}
    marks = ", ".join("?" for _ in items)
    sql = f"SELECT id, day, posted_at FROM raw.items WHERE id IN ({marks})"
    return {row["id"]: row for row in session.rows(sql, [item.id for item in items])}


def _stage_letters(session: Session, scraped: Scraped, day: date, run_id: str, now: datetime) -> Staged:
    failed = {(lost.stage, lost.key): lost.reason for lost in scraped.lost + scraped.lost_below}
    loaded = [(stage, str(item.id)) for stage in (ITEMS, OPTIONS) for item in scraped.items]
    loaded += [(COMMENTS, Place(comment.id, comment.story_id, comment.depth).key) for comment in scraped.comments]
    return dead_letters.stage_letters(session, day, failed, loaded, run_id, now)


def _merge_items(session: Session, staged: Staged, now: datetime, run_id: str) -> None:
    if staged.rows:
        merge_rows(session, staged, differs="content_hash", keep_when="status = 'null'")
        session.execute(statement("ingest/snapshot_items", source=staged.name), [now, run_id])


def _unique(readings: Iterable[T]) -> list[T]:
    """One row for each id: the last reading."""
    return list({row.id: row for row in readings}.values())

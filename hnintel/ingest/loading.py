"""A day's items and comments into ``raw.*``, with the ledger's row, in one transaction."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import TypeVar

from hnintel.ingest import changes, deletions
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


def waiting_ids(session: Session, day: date) -> list[int]:
    """The ids of *day* that were listed and could not be taken yet."""
    sql = "SELECT key FROM ops.dead_letters WHERE day = ? AND stage = ? ORDER BY key"
    return [int(key) for (key,) in session.execute(sql, [day, ITEMS])]


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
    dead_letters.settle_letters(session, letters)
    return Loaded(changes.compare_items(items, held_items), changes.compare_comments(comments, held_comments))


def _stage_letters(session: Session, scraped: Scraped, day: date, run_id: str, now: datetime) -> Staged:
    failed = {(one.stage, one.key): one.reason for one in scraped.lost + scraped.lost_below}
    taken = [(stage, str(item.id)) for stage in (ITEMS, OPTIONS) for item in scraped.items]
    taken += [(COMMENTS, Place(comment.id, comment.story_id, comment.depth).key) for comment in scraped.comments]
    return dead_letters.stage_letters(session, day, failed, taken, run_id, now)


def _merge_items(session: Session, staged: Staged, now: datetime, run_id: str) -> None:
    if staged.rows:
        merge_rows(session, staged, differs="content_hash", keep_when="status = 'null'")
        session.execute(statement("ingest/snapshot_items", source=staged.name), [now, run_id])


def _unique(readings: Iterable[T]) -> list[T]:
    """One row an id: the last that was read."""
    return list({row.id: row for row in readings}.values())

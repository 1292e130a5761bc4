"""What loading changes: new things told apart from changed ones, and a changed text from a count that moved."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hnintel.models import Comment, Item
from hnintel.warehouse.base import Session, Staged

#: Columns whose changes are worth a snapshot and nothing more: no text is to be asked about again for their sake.
COUNTS = ("score", "comments")
_WORDS = ("day", "type", "status", "title", "url", "text", "author", "parent", "posted_at", "source")


@dataclass(frozen=True, slots=True)
class Changes:
    """Rows of one table that loading touched. A row whose words changed counts as ``text``, its counts or not."""

    new: int = 0
    text: int = 0
    counts: int = 0
    unchanged: int = 0

    def __add__(self, other: Changes) -> Changes:
        return Changes(
            self.new + other.new, self.text + other.text, self.counts + other.counts, self.unchanged + other.unchanged
        )


def held_items(session: Session, staged: Staged) -> dict[int, dict[str, Any]]:
    """The rows of ``raw.items`` that what was staged may rewrite, as they are before, by id."""
    columns = ("id", "canonical_url", "content_hash", *_WORDS, *COUNTS)
    return _by_id(session, columns, staged)


def held_hashes(session: Session, staged: Staged) -> dict[int, dict[str, Any]]:
    """The content hashes of the rows of ``raw.comments`` that what was staged may rewrite, by id."""
    return _by_id(session, ("id", "content_hash"), staged)


def compare_items(items: Iterable[Item], held: Mapping[int, Mapping[str, Any]]) -> Changes:
    """How *items* differ from the rows *held*. A null answer changes nothing that is there."""
    total = Changes()
    for item in items:
        before = held.get(item.id)
        if before is None:
            total += Changes(new=1)
        elif item.status == "null" or before["content_hash"] == item.content_hash():
            total += Changes(unchanged=1)
        elif any(before[column] != getattr(item, column) for column in _WORDS):
            total += Changes(text=1)
        else:
            total += Changes(counts=1)
    return total


def compare_comments(comments: Iterable[Comment], held: Mapping[int, Mapping[str, Any]]) -> Changes:
    """The same for comments, which have no counts of their own."""
    total = Changes()
    for comment in comments:
        before = held.get(comment.id)
        if before is None:
            total += Changes(new=1)
        elif comment.status == "null" or before["content_hash"] == comment.content_hash():
            total += Changes(unchanged=1)
        else:
            total += Changes(text=1)
    return total


def _by_id(session: Session, columns: Sequence[str], staged: Staged) -> dict[int, dict[str, Any]]:
    if not staged.rows:
        return {}
    held = session.rows(f"SELECT {', '.join(columns)} FROM {staged.table} WHERE id IN (SELECT id FROM {staged.name})")
    return {row["id"]: row for row in held}

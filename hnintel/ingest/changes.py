"""Classifies what loading changes: new rows, changed texts, changed counts and unchanged rows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hnintel.models import Comment, Item
from hnintel.warehouse.base import Session, Staged

#: Columns whose changes append a snapshot only; they make no text pending again.
COUNTS = ("score", "comments")
_WORDS = ("day", "type", "status", "title", "url", "text", "author", "parent", "posted_at", "source")


@dataclass(frozen=True, slots=True)
class Changes:
    """Counts of the rows of one table that were loaded. A changed text counts as ``text``, counts changed or not."""

    new: int = 0
    text: int = 0
    counts: int = 0
    unchanged: int = 0

    def __add__(self, other: Changes) -> Changes:
        return Changes(
            self.new + other.new, self.text + other.text, self.counts + other.counts, self.unchanged + other.unchanged
        )


def stored_items(session: Session, staged: Staged) -> dict[int, dict[str, Any]]:
    """The rows of ``raw.items`` with staged ids, as they are before the merge, by id."""
    columns = ("id", "canonical_url", "content_hash", *_WORDS, *COUNTS)
    return _by_id(session, columns, staged)


def stored_hashes(session: Session, staged: Staged) -> dict[int, dict[str, Any]]:
    """The content hashes of the rows of ``raw.comments`` with staged ids, before the merge, by id."""
    return _by_id(session, ("id", "content_hash"), staged)


def compare_items(items: Iterable[Item], stored: Mapping[int, Mapping[str, Any]]) -> Changes:
    """Compare *items* with the *stored* rows. A null answer leaves a stored row unchanged."""
    total = Changes()
    for item in items:
        before = stored.get(item.id)
        if before is None:
            total += Changes(new=1)
        elif item.status == "null" or before["content_hash"] == item.content_hash():
            total += Changes(unchanged=1)
        elif any(before[column] != getattr(item, column) for column in _WORDS):
            total += Changes(text=1)
        else:
            total += Changes(counts=1)
    return total


def compare_comments(comments: Iterable[Comment], stored: Mapping[int, Mapping[str, Any]]) -> Changes:
    """Compare *comments* with the *stored* rows; comments have no counts."""
    total = Changes()
    for comment in comments:
        before = stored.get(comment.id)
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
    stored = session.rows(f"SELECT {', '.join(columns)} FROM {staged.table} WHERE id IN (SELECT id FROM {staged.name})")
    return {row["id"]: row for row in stored}

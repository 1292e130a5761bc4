"""Converts a Firebase item to rows: plain text, canonical URL and domain. Pure."""

from __future__ import annotations

from datetime import date

from hnintel.http import urls
from hnintel.models import Comment, FirebaseItem, Item
from hnintel.web import extract


def item(raw: FirebaseItem, day: date, source: str) -> Item:
    """*raw* as a row of ``raw.items``; a deleted item loses everything its author wrote, even if the source sent it."""
    raw = _without_content(raw) if raw.deleted else raw
    url = _line(raw.url)
    return Item(
        id=raw.id,
        day=day,
        type=_line(raw.type),
        status=raw.status,
        title=_line(raw.title),
        url=url,
        canonical_url=urls.canonical_url(url),
        domain=urls.domain(url),
        text=extract.item_text(raw.text),
        author=_line(raw.by),
        score=raw.score,
        comments=raw.descendants,
        parent=raw.poll if raw.poll is not None else raw.parent,
        posted_at=raw.posted_at,
        source=source,
    )


def comment(raw: FirebaseItem, story_id: int, depth: int) -> Comment:
    """*raw* as a row of ``raw.comments``; a deleted or dead comment keeps its position in the tree."""
    raw = _without_content(raw) if raw.deleted else raw
    return Comment(
        id=raw.id,
        story_id=story_id,
        parent=raw.parent,
        depth=depth,
        status=raw.status,
        text=extract.item_text(raw.text),
        author=_line(raw.by),
        posted_at=raw.posted_at,
    )


def _without_content(raw: FirebaseItem) -> FirebaseItem:
    return raw.model_copy(update={"title": None, "url": None, "text": None, "by": None})


def _line(value: str | None) -> str | None:
    return " ".join(extract.clean(value).split()) or None if value else None

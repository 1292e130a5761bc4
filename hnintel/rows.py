"""A Firebase item as the rows we keep: text cleaned, HTML taken out, URL and site worked out. Pure."""

from __future__ import annotations

from datetime import date

from hnintel import extract, urls
from hnintel.models import Comment, FirebaseItem, Item


def item(found: FirebaseItem, day: date, source: str) -> Item:
    """*found* as a row of ``raw.items``."""
    url = _line(found.url)
    return Item(
        id=found.id,
        day=day,
        type=_line(found.type),
        status=found.status,
        title=_line(found.title),
        url=url,
        canonical_url=urls.canonical_url(url),
        domain=urls.domain(url),
        text=extract.item_text(found.text),
        author=_line(found.by),
        score=found.score,
        comments=found.descendants,
        parent=found.poll if found.poll is not None else found.parent,
        posted_at=found.posted_at,
        source=source,
    )


def comment(found: FirebaseItem, story_id: int, depth: int) -> Comment:
    """*found* as a row of ``raw.comments``."""
    return Comment(
        id=found.id,
        story_id=story_id,
        parent=found.parent,
        depth=depth,
        status=found.status,
        text=extract.item_text(found.text),
        author=_line(found.by),
        posted_at=found.posted_at,
    )


def _line(value: str | None) -> str | None:
    return " ".join(extract.clean(value).split()) or None if value else None

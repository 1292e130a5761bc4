"""A Firebase item as the rows we keep: text cleaned, HTML taken out, URL and site worked out. Pure."""

from __future__ import annotations

from datetime import date

from hnintel.http import urls
from hnintel.models import Comment, FirebaseItem, Item
from hnintel.web import extract


def item(found: FirebaseItem, day: date, source: str) -> Item:
    """*found* as a row of ``raw.items``; of a deleted one nothing that its author wrote, whatever the source kept."""
    found = _without_words(found) if found.deleted else found
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
    """*found* as a row of ``raw.comments``; a deleted or dead one keeps its place in the tree."""
    found = _without_words(found) if found.deleted else found
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


def _without_words(found: FirebaseItem) -> FirebaseItem:
    return found.model_copy(update={"title": None, "url": None, "text": None, "by": None})


def _line(value: str | None) -> str | None:
    return " ".join(extract.clean(value).split()) or None if value else None

"""What was deleted at the source goes here too: the words of an item, of a poll's options, of the article it named."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from hnintel.models import Item
from hnintel.warehouse.base import Session


def after_deletion(session: Session, items: Sequence[Item], held: Mapping[int, Mapping[str, Any]]) -> None:
    """Take out what hung on those of *items* that are deleted now; call it once their own rows are rewritten.

    Args:
        session: the transaction in which the items were loaded.
        items: what was read.
        held: the rows as they were before (:func:`hnintel.ingest.changes.held_items`); they still name the URL.
    """
    deleted = [item.id for item in items if item.status == "deleted" and item.id in held]
    _drop_options(session, deleted)
    urls = {held[item_id]["canonical_url"] for item_id in deleted} - {None}
    _drop_articles(session, sorted(urls))


def _drop_options(session: Session, polls: Sequence[int]) -> None:
    """The options of a deleted poll cannot be come by any more, and their own deletion never be read."""
    if polls:
        session.execute(
            "UPDATE raw.items SET status = 'deleted', text = NULL, author = NULL, content_hash = '' "
            f"WHERE type = 'pollopt' AND parent IN ({_marks(polls)})",
            polls,
        )


def _drop_articles(session: Session, urls: Sequence[str]) -> None:
    """An article whose URL no live item names goes as a whole, so that a later item that names it reads it anew."""
    if urls:
        session.execute(
            f"DELETE FROM raw.articles WHERE canonical_url IN ({_marks(urls)}) AND canonical_url NOT IN "
            "(SELECT canonical_url FROM raw.items WHERE canonical_url IS NOT NULL AND status = 'ok')",
            urls,
        )


def _marks(values: Sequence[object]) -> str:
    return ", ".join("?" for _ in values)

"""Applies deletions at the source to the warehouse: texts of items and poll options, and their articles."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from hnintel.ingest import article_keys
from hnintel.models import Item
from hnintel.warehouse.base import Session


def after_deletion(session: Session, items: Sequence[Item], stored: Mapping[int, Mapping[str, Any]]) -> None:
    """Remove what belonged to the *items* that are now deleted; call it after their own rows were rewritten.

    Args:
        session: the transaction in which the items were loaded.
        items: the items read.
        stored: the rows before the merge (:func:`hnintel.ingest.changes.stored_items`); they still have the URL.
    """
    deleted = [item.id for item in items if item.status == "deleted" and item.id in stored]
    _drop_options(session, deleted)
    urls = {stored[item_id]["canonical_url"] for item_id in deleted} - {None}
    _drop_articles(session, sorted(urls))


def _drop_options(session: Session, polls: Sequence[int]) -> None:
    """Delete the options of deleted polls: they are no longer listed, so their own deletion would never be read."""
    if polls:
        session.execute(
            "UPDATE raw.items SET status = 'deleted', text = NULL, author = NULL, content_hash = '' "
            f"WHERE type = 'pollopt' AND parent IN ({_marks(polls)})",
            polls,
        )


def _drop_articles(session: Session, urls: Sequence[str]) -> None:
    """Delete articles whose URL no live item names; a later item with the URL reads the article again."""
    if urls:
        session.execute(
            f"DELETE FROM raw.articles WHERE canonical_url IN ({_marks(urls)}) AND canonical_url NOT IN "
            "(SELECT canonical_url FROM raw.items WHERE canonical_url IS NOT NULL AND status = 'ok')",
            urls,
        )
        article_keys.forget_keys(session, urls)


def _marks(values: Sequence[object]) -> str:
    return ", ".join("?" for _ in values)

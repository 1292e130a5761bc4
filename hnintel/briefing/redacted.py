"""A briefing without its words: how many claims, about which stories, and hashes by which each is found again."""

from __future__ import annotations

import hashlib
import json
from datetime import date

from hnintel.warehouse.base import Session


def figures(session: Session, day: date, markdown: str) -> str:
    """What may be told of a published briefing where no text may leave the warehouse, as Markdown.

    Args:
        session: of the warehouse that holds it.
        day: the partition.
        markdown: the briefing as ``publish`` gave it.
    """
    rows = session.execute("SELECT claims FROM enriched.briefings WHERE day = ? AND text = ?", [day, markdown])
    claims = json.loads(rows[0][0]) if rows else []
    told = [
        f"{len(claims)} claims; the page has {len(markdown)} characters, md5 {_md5(markdown)}.",
        "",
        "| section | stories | md5 of the claim |",
        "| --- | --- | --- |",
    ]
    lines = [f"| {one['section']} | {', '.join(map(str, one['ids']))} | {_md5(one['text'])} |" for one in claims]
    return "\n".join([*told, *lines]) + "\n"


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()

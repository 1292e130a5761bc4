"""A briefing without its words: how many claims, about which stories, and hashes by which each is found again."""

from __future__ import annotations

import json
from datetime import date

from hnintel.hashes import hash_of_text
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
        f"{len(claims)} claims; the page has {len(markdown)} characters, md5 {hash_of_text(markdown)}.",
        "",
        "| section | stories | md5 of the claim |",
        "| --- | --- | --- |",
    ]
    lines = [
        f"| {claim['section']} | {', '.join(map(str, claim['ids']))} | {hash_of_text(claim['text'])} |"
        for claim in claims
    ]
    return "\n".join([*told, *lines]) + "\n"

"""A briefing without text: the number of claims, the stories that they cite, and a hash that identifies each claim."""

from __future__ import annotations

import json
from datetime import date

from hnintel.hashes import hash_of_text
from hnintel.warehouse.base import Session


def figures(session: Session, day: date, markdown: str) -> str:
    """Describe a published briefing as Markdown where no text may leave the warehouse.

    Args:
        session: of the warehouse that holds it.
        day: the partition.
        markdown: the briefing as ``publish`` gave it.
    """
    rows = session.execute("SELECT claims FROM enriched.briefings WHERE day = ? AND text = ?", [day, markdown])
    claims = json.loads(rows[0][0]) if rows else []
    head = [
        f"{len(claims)} claims; the page has {len(markdown)} characters, md5 {hash_of_text(markdown)}.",
        "",
        "| section | stories | md5 of the claim |",
        "| --- | --- | --- |",
    ]
    lines = [
        f"| {claim['section']} | {', '.join(map(str, claim['ids']))} | {hash_of_text(claim['text'])} |"
        for claim in claims
    ]
    return "\n".join([*head, *lines]) + "\n"

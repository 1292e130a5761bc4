"""The inputs of a question: the text of an item, or the many texts below it, digested into one."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Input:
    """The source of an item's texts.

    ``sql/enrich/inputs/<name>.sql`` selects them for every item in ``worth``: ``item_id``, ``part`` (a text), and with
    ``many`` also ``place`` (the order within the item). An item without a part is not asked about.

    Args:
        name: the file's name.
        doc: one sentence.
        many: whether an item can have several parts. ``AI_AGG`` first digests them into one text, with the enrichment's
            ``digest`` as its task.
    """

    name: str
    doc: str
    many: bool = False


INPUTS = {
    known.name: known
    for known in (
        Input(
            "story",
            "The title, with the article's text, else the item's own; of a page behind a wall, what it says of the "
            "article, and the first comments.",
        ),
        Input("comments", "The comments below the item, those nearer to it first.", many=True),
    )
}

"""What a question can be asked about: the text of an item itself, or many texts below it, read as one."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Input:
    """Where the texts of an item come from.

    ``sql/enrich/inputs/<name>.sql`` selects them, of every item in ``worth``: ``item_id``, ``part`` (a text), and of
    many ``place`` (their order within the item). An item without a part is not asked about.

    Args:
        name: of the file.
        doc: one sentence.
        many: whether an item can have more than one part. These are made one text by ``AI_AGG`` first, with the
            enrichment's ``digest`` as its task.
    """

    name: str
    doc: str
    many: bool = False


INPUTS = {
    one.name: one
    for one in (
        Input("story", "The title, with the article's text, else the item's own."),
        Input("comments", "The comments below the item, those nearer to it first.", many=True),
    )
}

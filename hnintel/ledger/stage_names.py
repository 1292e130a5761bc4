"""The names of a day's stages, as the ledger keeps them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol, TypeVar

INGEST, ARTICLES, ENRICH, TRANSFORM, BRIEFING, PUBLISH = (
    "ingest",
    "articles",
    "enrich",
    "transform",
    "briefing",
    "publish",
)

#: The stages of dead letters that reading Hacker News writes: what was listed, poll options, comments.
ITEMS, OPTIONS, COMMENTS = "items", "options", "comments"
#: All of them; the stage of a day that takes them up is ``INGEST``.
READ_LETTERS = (ITEMS, OPTIONS, COMMENTS)


def of_enrichment(name: str) -> str:
    """The stage that asks the enrichment *name*."""
    return f"{ENRICH}:{name}"


def is_enrichment(stage: str) -> bool:
    """Whether *stage* asks an enrichment."""
    return stage.startswith(f"{ENRICH}:")


class Read(Protocol):
    """What the ledger has of a stage; *source* is None where it was made before sources were kept."""

    @property
    def source(self) -> str | None: ...


R = TypeVar("R", bound=Read)


def as_read_from(source: str, stage: str, noted: Mapping[str, R]) -> R | None:
    """What the ledger has of a stage, as far as *source* goes: its own reading where there was one, else the last one.

    Args:
        source: as the user named it.
        stage: of a day; only of one that is kept apart by source does the ledger have several rows.
        noted: all that the ledger has of the day, by stage.
    """
    last = noted.get(stage)
    if last is None or last.source in (None, source):
        return last
    return noted.get(beside(stage, source), last)


def beside(stage: str, source: str) -> str:
    """What the ledger calls a reading from *source* of which it keeps a row while a later one was from another."""
    return f"{stage}@{source}"

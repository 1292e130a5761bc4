"""The names of a day's stages in the ledger."""

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

#: The stages of dead letters from reading Hacker News: listed items, poll options, comments.
ITEMS, OPTIONS, COMMENTS = "items", "options", "comments"
#: All of them; the stage ``INGEST`` of their day retries them.
READ_LETTERS = (ITEMS, OPTIONS, COMMENTS)


def of_enrichment(name: str) -> str:
    """The name of the stage that asks the enrichment *name*."""
    return f"{ENRICH}:{name}"


def is_enrichment(stage: str) -> bool:
    """Whether *stage* asks an enrichment."""
    return stage.startswith(f"{ENRICH}:")


class Read(Protocol):
    """A row of the ledger for a stage; *source* is None in rows older than the column."""

    @property
    def source(self) -> str | None: ...


R = TypeVar("R", bound=Read)


def as_read_from(source: str, stage: str, noted: Mapping[str, R]) -> R | None:
    """The ledger's row of a stage for *source*: the row of its own reading, else that of the last reading.

    Args:
        source: as the user named it.
        stage: the stage's name; only stages recorded by source have several rows.
        noted: every row that the ledger has of the day, by stage.
    """
    last = noted.get(stage)
    if last is None or last.source in (None, source):
        return last
    return noted.get(beside(stage, source), last)


def beside(stage: str, source: str) -> str:
    """The ledger's stage name for a reading from *source* after a later reading came from another source."""
    return f"{stage}@{source}"

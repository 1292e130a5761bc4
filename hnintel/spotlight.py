"""Spotlight: read one story with its comments and article now, and ask every enrichment about this story only."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime

from hnintel.cost.usage import Enriched
from hnintel.enrich.declaration import Enrichment
from hnintel.enrich.run import EnrichmentRun
from hnintel.enrich.tables import prepare
from hnintel.errors import SourceError, UsageError
from hnintel.ingest import scraping
from hnintel.ingest.articles import Wanted, pending_articles
from hnintel.ingest.scraping import Scraped
from hnintel.models import LAST_SECOND, TOP_LEVEL_TYPES
from hnintel.settings import Settings
from hnintel.sources.base import Source
from hnintel.warehouse.base import Session, Warehouse
from hnintel.window import day_of


@dataclass(frozen=True, slots=True)
class Found:
    """A story as scraped, and its day."""

    day: date
    scraped: Scraped


async def find(source: Source, story_id: int, settings: Settings) -> Found:
    """Read a story, with its comments.

    Raises:
        UsageError: no story has this id.
        SourceError: the story could not be read.
    """
    (reading,) = await source.read([story_id])
    if reading.outcome == "failed":
        raise SourceError(f"story {story_id} cannot be read: {reading.reason}")
    posted = (reading.raw or {}).get("time")
    is_story = (reading.raw or {}).get("type") in TOP_LEVEL_TYPES
    if not is_story or not isinstance(posted, int) or not 0 <= posted <= LAST_SECOND:
        raise UsageError(f"{story_id} is no story of {source.name}: give the id of a story")
    day = day_of(posted, settings.time_zone)
    return Found(day, await scraping.scrape(source, [story_id], day, settings))


def article_of(session: Session, story_id: int, day: date, now: datetime, settings: Settings) -> list[Wanted]:
    """Return the story's article where it is due to be read; else an empty list."""
    urls = {row[0] for row in session.execute("SELECT canonical_url FROM raw.items WHERE id = ?", [story_id])}
    due = pending_articles(session, day, now, True, settings.article_refresh_days)
    return [article for article in due if article.canonical_url in urls]


def ask(
    warehouse: Warehouse, enrichment: Enrichment, story_id: int, day: date, settings: Settings, run_id: str
) -> Enriched:
    """Ask *enrichment* about the story where it is pending; the stage of its day is not changed.

    Raises:
        WarehouseError, BudgetReached: as for :class:`~hnintel.enrich.run.EnrichmentRun`.
    """
    # The question and its fingerprint are those of the day's run, which will reuse the answer.
    alone = replace(enrichment, where=f"({enrichment.where}) AND id = {int(story_id)}")
    with warehouse.transaction(stage="enrich") as session:
        prepare(session, warehouse, enrichment, settings)
    run = EnrichmentRun(warehouse, alone, day, settings, run_id)
    known = Enriched(reused=run.reuse())
    chunk = run.next_chunk(after=0)
    return known + chunk.came if chunk else known

"""Read articles: list the pending ones, fetch a chunk, load the chunk."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import date
from functools import lru_cache
from typing import Any

from prefect import runtime, task
from prefect.cache_policies import NO_CACHE

from hnintel.hashes import hash_of_text
from hnintel.ingest import articles
from hnintel.ingest.articles import ArticleReading, Wanted
from hnintel.ledger import stage_rows
from hnintel.ledger.stage_names import ARTICLES
from hnintel.models import Article
from hnintel.settings import load_settings
from hnintel.sources import open_source
from hnintel.sources.page_files import PageFiles
from hnintel.warehouse import open_warehouse
from hnintel.warehouse.query_tags import tagged
from hnintel.web.fetcher import Fetcher
from hnintel.web.host_limits import HostTurns
from hnintel.web.robots import RobotsCache
from hnintel.window import utc_now
from tasks.policies import ARTICLES_BY_URL_AND_DAY, kept


@task(cache_policy=NO_CACHE, task_run_name="articles of {day} to read")
def pending(day: date, have_pages: bool) -> list[Wanted]:
    """Return the articles of a day that are to be read."""
    settings = load_settings()
    with tagged(day=day), open_warehouse(settings).transaction(stage="ingest") as session:
        return articles.pending_articles(session, day, utc_now(), have_pages, settings.article_refresh_days)


def _reading(parameters: dict[str, Any]) -> str:
    """Name a chunk by its first URL, or by that URL's hash where no text may go to Prefect."""
    url = parameters["wanted"][0].url
    first = hash_of_text(url) if load_settings().metadata_only else url
    return f"read {parameters['day']} from {first}"


@task(
    task_run_name=_reading,  # type: ignore[arg-type]  # Prefect accepts a function, its type does not
    **kept(ARTICLES_BY_URL_AND_DAY),
)
def read(wanted: Sequence[Wanted], source: str, identity: str, day: date) -> list[ArticleReading]:
    """Fetch a chunk of articles and extract their text."""
    settings = load_settings()
    transport = open_source(source, settings).pages()
    if transport is None:
        return articles.without_pages(wanted)

    delay = 0.0 if isinstance(transport, PageFiles) else settings.article_host_delay  # files need no pauses
    bounds = settings.article_per_host, delay, settings.article_host_wait
    manners = _manners(runtime.flow_run.id, source, day, bounds)

    async def fetch_all() -> list[ArticleReading]:
        async with Fetcher(transport, settings, *manners) as fetcher:
            return await articles.read_articles(fetcher, wanted, settings, utc_now())

    return asyncio.run(fetch_all())


@task(cache_policy=NO_CACHE, task_run_name="load articles of {day}")
def load(read: Sequence[Article], day: date, run_id: str) -> int:
    """Write a chunk of articles to the warehouse; return how many.

    Raises:
        WarehouseBusy: another run has taken the day over and has newer articles.
    """
    with tagged(run=run_id, day=day), open_warehouse(load_settings()).transaction(stage="ingest") as session:
        stage_rows.refuse_if_taken_over(session, day, ARTICLES, run_id)
        articles.load_articles(session, read, day, run_id, utc_now())
    return len(read)


@task(cache_policy=NO_CACHE, task_run_name="articles of {day} by status")
def count(day: date) -> dict[str, int]:
    """Count the articles of a day by status, whichever run read them."""
    with tagged(day=day), open_warehouse(load_settings()).transaction(stage="ingest") as session:
        return articles.count_by_status(session, day)


@lru_cache(maxsize=4)
def _manners(
    run: str | None, source: str, day: date, bounds: tuple[int, float, float]
) -> tuple[HostTurns, RobotsCache]:
    """Return the host limits and robots.txt cache shared by all chunks of a run's day in this process.

    Args:
        run: id of the flow run; None outside of a flow run.
        source: the source that the articles' stories come from.
        day: the partition.
        bounds: per host, the requests at once, the seconds between two requests, and the total seconds of pauses.
    """
    at_once, delay, longest_wait = bounds
    return HostTurns(at_once, delay, most_waiting=longest_wait), RobotsCache()

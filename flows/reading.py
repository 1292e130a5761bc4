"""Read a day: its listing, its items and comments in chunks, then the articles they link to."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from itertools import chain
from typing import Any, TypeVar

from prefect.cache_policies import NO_CACHE
from prefect.task_runners import TaskRunner, ThreadPoolTaskRunner
from prefect.tasks import Task

from flows.futures import as_done, call, call_on
from flows.stage import Run
from hnintel.errors import counted
from hnintel.ingest.articles import chunks_by_host
from hnintel.ingest.scraping import Scraped
from hnintel.ledger.stage_names import ARTICLES, INGEST
from hnintel.partitions.hours import in_words
from hnintel.process import progress
from hnintel.settings import Settings
from hnintel.sources.base import Listing
from hnintel.web.extraction_pool import shared_pool
from hnintel.window import Window
from tasks import articles, assets, ingest

T = TypeVar("T")


async def read_items(run: Run, anew: bool) -> None:
    """List the day or its due hours, scrape the items in chunks, and load each chunk as it arrives.

    Args:
        run: of the day.
        anew: whether the day was read completely before: then chunks cached by that reading are not used. Chunks of an
            unfinished reading are taken from Prefect's cache.
    """
    progress.update("list", 0)
    window = Window.of(run.day, run.pipeline.settings.time_zone)
    if run.hours_until is None:
        listing = await call(ingest.list_day, run.pipeline.spec, window)
        listed = f"{len(listing.ids)} stories, jobs and polls of {run.day}, {listing.proof.in_words()}"
        progress.finish("list", listed)
        lost = await _scrape(run, listing, anew)
        if listing.too_small:
            await call(ingest.refuse, listing, run.day, run.pipeline.spec, run.run_id)
        ended = run.day, INGEST, run.pipeline.spec, run.run_id
        await call(assets.of_items(ingest.end), *ended, len(listing.ids) - lost, lost, listing)
    else:
        listing, hours, began = await call(ingest.list_hours, run.pipeline.spec, window, run.hours_until)
        progress.finish("list", f"{len(listing.ids)} new and changed of {run.day}: {in_words(hours)}")
        lost = await _scrape(run, listing, anew=True)
        ended_hours = run.day, run.pipeline.spec, run.run_id, hours, began, lost, listing
        await call(assets.of_items(ingest.end_hours), *ended_hours)
    progress.finish("scrape", f"{counted(len(listing.ids) - lost, 'item')} read, {counted(lost, 'dead letter')}")


async def _scrape(run: Run, listing: Listing, anew: bool) -> int:
    """Scrape the listed items in chunks and load each chunk as it arrives; return how many items were lost."""
    day, summary, settings = run.day, run.summary, run.pipeline.settings
    source, opened = run.pipeline.spec, run.pipeline.source
    summary.listed, summary.notes = len(listing.ids), listing.notes
    chunks = _chunks(listing.ids, settings.chunk_size)
    scraped = _cached(ingest.scrape, settings, anew).map(chunks, source=source, identity=opened.identity, day=day)
    done = lost = 0
    with _writer() as writer:
        async for readings in as_done(scraped):
            read = sum(readings, Scraped())
            loaded = await call_on(writer, ingest.load, read, day, run.run_id)
            if loaded.items.new and opened.pages() is not None:
                # Articles will follow, and a worker process takes a second to start.
                shared_pool(settings.article_workers, settings.article_extract_timeout).start()
            summary.loaded += loaded
            lost += len(read.lost)
            summary.notes.update(read.notes)
            done += len(readings)
            progress.update("scrape", min(done * settings.chunk_size, len(listing.ids)), len(listing.ids))
    return lost


async def read_articles(run: Run) -> None:
    """Read the pending articles of the day, grouped by host."""
    day, run_id, settings = run.day, run.run_id, run.pipeline.settings
    source, opened = run.pipeline.spec, run.pipeline.source
    pending = await call(articles.pending, day, opened.pages() is not None)
    chunks = chunks_by_host(pending, settings.chunk_size)
    read = _cached(articles.read, settings).map(chunks, source=source, identity=opened.identity, day=day)
    done = 0
    with _writer() as writer:
        async for readings in as_done(read):
            done += await call_on(writer, articles.load, list(chain.from_iterable(readings)), day, run_id)
            progress.update(ARTICLES, done, len(pending))
    statuses = await call(articles.count, day)
    due = statuses.get("retry_at", 0)
    ended = day, ARTICLES, source, run_id, sum(statuses.values()) - due, due
    await call(assets.of_articles(ingest.end), *ended)
    progress.finish(ARTICLES, f"{counted(len(pending), 'article')} requested; {due} of the day to be retried later")


def _cached(reading: Task[..., T], settings: Settings, anew: bool = False) -> Task[..., T]:
    """Return *reading* with the set cache lifetime; with a lifetime of zero nothing is cached."""
    if not settings.cache_hours:
        return reading.with_options(cache_policy=NO_CACHE, persist_result=False)
    cached = reading.with_options(cache_expiration=timedelta(hours=settings.cache_hours))
    return cached.with_options(refresh_cache=True) if anew else cached


def _writer() -> TaskRunner[Any]:
    """Return a runner with a thread of its own, so that a chunk is loaded while later chunks are still read."""
    return ThreadPoolTaskRunner(max_workers=1)


def _chunks(ids: Sequence[int], size: int) -> list[list[int]]:
    return [list(ids[start : start + size]) for start in range(0, len(ids), size)]

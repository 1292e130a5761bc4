"""Read Hacker News: list a day, scrape a chunk of it, load the chunk."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime

from prefect import task
from prefect.cache_policies import NO_CACHE

from hnintel.ingest import listing, loading, scraping
from hnintel.ledger import listings, stage_rows, statuses
from hnintel.ledger.stage_names import INGEST
from hnintel.partitions import hours
from hnintel.partitions.hours import Hour
from hnintel.runs import lineage
from hnintel.settings import load_settings
from hnintel.sources import open_source
from hnintel.sources.base import Listing
from hnintel.sources.proof import weakest
from hnintel.warehouse import open_warehouse
from hnintel.warehouse.base import Session
from hnintel.warehouse.query_tags import tagged
from hnintel.window import Window, utc_now
from tasks import assets
from tasks.concurrency import HACKER_NEWS, turn
from tasks.policies import ITEMS_BY_ID_AND_DAY, RETRIED, kept


@task(task_run_name="list {window.day}", **RETRIED)
def list_day(source: str, window: Window) -> Listing:
    """List the ids of a day's stories, jobs and polls: those listed now, and those already in the warehouse."""
    settings = load_settings()
    opened = open_source(source, settings)
    with tagged(day=window.day), open_warehouse(settings).transaction(stage="ingest") as session:
        known = listing.before(session, window, source, opened, settings)
    return asyncio.run(listing.list_day(opened, window, known, settings, utc_now()))


@task(task_run_name="list hours of {window.day}", **RETRIED)
def list_hours(source: str, window: Window, until: datetime) -> tuple[Listing, list[Hour], datetime]:
    """Return what to read of the hours of a day that are over at *until*, these hours, and the time of listing."""
    settings, began = load_settings(), utc_now()
    opened = open_source(source, settings)
    with tagged(day=window.day), open_warehouse(settings).transaction(stage="ingest") as session:
        due = hours.hours_due(session, window, source, until)
        known = loading.known_ids(session, window.day, opened.name)
        waiting = loading.waiting_ids(session, window.day)
    return asyncio.run(scraping.list_hours(opened, hours.spans(due), known, waiting)), due, began


@task(task_run_name="scrape {day} from {ids[0]}", **kept(ITEMS_BY_ID_AND_DAY))
def scrape(ids: Sequence[int], source: str, identity: str, day: date) -> scraping.Scraped:
    """Fetch a chunk of items with their comments; *identity* of the source is part of the cache key."""
    settings = load_settings()
    with tagged(day=day), open_warehouse(settings).transaction(stage="ingest") as session:
        known = loading.stored_comments(session, ids)
    with turn(HACKER_NEWS):
        return asyncio.run(scraping.scrape(open_source(source, settings), ids, day, settings, known))


@task(cache_policy=NO_CACHE, task_run_name="begin {stage} of {day}")
def begin(day: date, stage: str, run_id: str) -> None:
    """Record in the ledger that a stage has begun."""
    with tagged(run=run_id, day=day), open_warehouse(load_settings()).transaction(stage="ingest") as session:
        stage_rows.begin_stage(session, day, stage, run_id, utc_now())


@task(cache_policy=NO_CACHE, task_run_name="load a chunk of {day}")
def load(scraped: scraping.Scraped, day: date, run_id: str) -> loading.Loaded:
    """Merge a scraped chunk into the warehouse.

    Raises:
        WarehouseBusy: another run has taken the day over and has newer items.
    """
    with tagged(run=run_id, day=day), open_warehouse(load_settings()).transaction(stage="ingest") as session:
        stage_rows.refuse_if_taken_over(session, day, INGEST, run_id)
        return loading.load(session, scraped, day, run_id, utc_now())


@assets.writes(task_run_name="end {stage} of {day}")
def end(day: date, stage: str, source: str, run_id: str, rows: int, lost: int, listed: Listing | None = None) -> None:
    """Record in the ledger that a stage is done, complete or (*lost* is not 0) partial, and the listing of the day."""
    warehouse, facts_of = open_warehouse(load_settings()), lineage.articles_facts
    with tagged(run=run_id, day=day), warehouse.transaction(stage="ingest") as session:
        if stage == INGEST:
            hours.forget(session, day, source)
            facts_of = lineage.items_facts
        stage_rows.end_stage(session, day, stage, statuses.of_done(not lost), run_id, utc_now(), rows=rows)
        if listed is not None:
            _record_listing(session, listed, Window.of(day, load_settings().time_zone), source, run_id)
        facts = facts_of(session, warehouse, day, run_id)
    assets.describe(facts)


@task(cache_policy=NO_CACHE, task_run_name="refuse the listing of {day}")
def refuse(listed: Listing, day: date, source: str, run_id: str) -> None:
    """Record that the listing is not proven, and raise.

    Raises:
        ListingTooSmall: always.
    """
    settings = load_settings()
    with tagged(run=run_id, day=day), open_warehouse(settings).transaction(stage="ingest") as session:
        stage_rows.refuse_if_taken_over(session, day, INGEST, run_id)
        _record_listing(session, listed, Window.of(day, settings.time_zone), source, run_id)
    listing.refuse_too_small(listed, day)


def _record_listing(session: Session, listed: Listing, window: Window, source: str, run_id: str) -> None:
    listings.record(session, source, listed.proof, window, run_id, utc_now())


@assets.writes(task_run_name="end hours of {day}")
def end_hours(
    day: date, source: str, run_id: str, read: Sequence[Hour], began: datetime, lost: int, listed: Listing
) -> None:
    """Record in the ledger that hours of a day were read, and that the day's ingest stage has all items so far."""
    settings = load_settings()
    warehouse = open_warehouse(settings)
    with tagged(run=run_id, day=day), warehouse.transaction(stage="ingest") as session:
        hours.note_read(session, read, source, run_id, began)
        rows = len(loading.known_ids(session, day, open_source(source, settings).name))
        stage_rows.end_stage(session, day, INGEST, statuses.of_done(not lost), run_id, utc_now(), rows=rows)
        if read:
            window = Window.of(day, settings.time_zone)
            earlier = listings.listed(session, day, source)
            proofs = [listed.proof, *([earlier.proof] if earlier is not None else [])]
            so_far = replace(window, end=max(hour.window.end for hour in read))
            listings.record(session, source, weakest(proofs), so_far, run_id, began)
        facts = lineage.items_facts(session, warehouse, day, run_id)
    assets.describe(facts)

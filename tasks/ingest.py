"""Read Hacker News: list a day, scrape a chunk of it, load the chunk."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import date, datetime

from prefect import task
from prefect.cache_policies import NO_CACHE

from hnintel.ingest import loading, scraping
from hnintel.ledger import stage_rows, statuses
from hnintel.ledger.stage_names import INGEST
from hnintel.partitions import hours
from hnintel.partitions.hours import Hour
from hnintel.runs import lineage
from hnintel.settings import load_settings
from hnintel.sources import open_source
from hnintel.sources.base import Listing
from hnintel.warehouse import open_warehouse
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
    listing = asyncio.run(opened.list_day(window))
    if opened.lists_gone:
        return listing
    with tagged(day=window.day), open_warehouse(settings).transaction(stage="ingest") as session:
        return scraping.with_known(listing, loading.known_ids(session, window.day, opened.name))


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
def end(day: date, stage: str, source: str, run_id: str, rows: int, lost: int) -> None:
    """Record in the ledger that a stage is done: complete, or partial where *lost* is not 0."""
    warehouse, facts_of = open_warehouse(load_settings()), lineage.articles_facts
    with tagged(run=run_id, day=day), warehouse.transaction(stage="ingest") as session:
        if stage == INGEST:
            hours.forget(session, day, source)
            facts_of = lineage.items_facts
        stage_rows.end_stage(session, day, stage, statuses.of_done(not lost), run_id, utc_now(), rows=rows)
        facts = facts_of(session, warehouse, day, run_id)
    assets.describe(facts)


@assets.writes(task_run_name="end hours of {day}")
def end_hours(day: date, source: str, run_id: str, read: Sequence[Hour], began: datetime, lost: int) -> None:
    """Record in the ledger that hours of a day were read, and that the day's ingest stage has all items so far."""
    settings = load_settings()
    warehouse = open_warehouse(settings)
    with tagged(run=run_id, day=day), warehouse.transaction(stage="ingest") as session:
        hours.note_read(session, read, source, run_id, began)
        rows = len(loading.known_ids(session, day, open_source(source, settings).name))
        stage_rows.end_stage(session, day, INGEST, statuses.of_done(not lost), run_id, utc_now(), rows=rows)
        facts = lineage.items_facts(session, warehouse, day, run_id)
    assets.describe(facts)

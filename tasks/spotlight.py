"""Tasks for one story: fetch and load it, read its article, ask an enrichment about it."""

from __future__ import annotations

import asyncio
from datetime import date

from prefect import task
from prefect.cache_policies import NO_CACHE

from hnintel import spotlight
from hnintel.cost.usage import Enriched
from hnintel.enrich.declaration import load_enrichments
from hnintel.ingest import loading
from hnintel.ingest.articles import load_articles
from hnintel.ledger import leases
from hnintel.settings import load_settings
from hnintel.sources import open_source
from hnintel.warehouse import open_warehouse
from hnintel.warehouse.query_tags import tagged
from hnintel.window import utc_now
from tasks import articles
from tasks.concurrency import AI, turn
from tasks.policies import RETRIED, RETRIED_QUESTIONS, wait_before_retry


@task(task_run_name="find {story_id}", **RETRIED)
def find(story_id: int, source: str) -> spotlight.Found:
    """Read the story and its comments."""
    settings = load_settings()
    return asyncio.run(spotlight.find(open_source(source, settings), story_id, settings))


@task(cache_policy=NO_CACHE, task_run_name="load {story_id}")
def load(story_id: int, story: spotlight.Found, run_id: str) -> loading.Loaded:
    """Merge the story and its comments into the warehouse."""
    with tagged(run=run_id, day=story.day), open_warehouse(load_settings()).transaction(stage="ingest") as session:
        return loading.load(session, story.scraped, story.day, run_id, utc_now())


@task(cache_policy=NO_CACHE, task_run_name="read the article of {story_id}")
def read_article(story_id: int, source: str, day: date, run_id: str) -> int:
    """Fetch and store the story's article where one is to be read; return how many were read."""
    settings = load_settings()
    opened = open_source(source, settings)
    with open_warehouse(settings).transaction(stage="ingest") as session:
        pending = spotlight.article_of(session, story_id, day, utc_now(), settings)
    if not pending or opened.pages() is None:
        return 0
    read = articles.read.fn(pending, source, opened.identity, day)
    with tagged(run=run_id, day=day), open_warehouse(settings).transaction(stage="ingest") as session:
        load_articles(session, read, day, run_id, utc_now())
    return len(read)


@task(task_run_name="ask {name} about {story_id}", **RETRIED_QUESTIONS)
def ask(name: str, story_id: int, day: date, run_id: str) -> Enriched:
    """Ask an enrichment about the story."""
    settings = load_settings()
    enrichment = load_enrichments(settings.enrichments_path)[name]
    warehouse = open_warehouse(settings)
    # The day's run may be asking the same enrichment: the lease is taken before the slot, so that no slot is blocked.
    with (
        wait_before_retry(f"enrich {name}"),
        leases.lease(warehouse, day, enrichment.stage, run_id, settings),
        turn(AI),
    ):
        return spotlight.ask(warehouse, enrichment, story_id, day, settings, run_id)

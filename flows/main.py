"""The parent flow: one day of Hacker News, listed, scraped, enriched, transformed, briefed and published.

Run it from anywhere: ``python flows/main.py --source sample``. Deployed as ``flows/main.py:hacker_news``.
"""

from __future__ import annotations

import sys
from pathlib import Path

if __package__ in (None, ""):  # run as a script: the folder of this file gives way to the root of the checkout
    sys.path[0] = str(Path(__file__).resolve().parent.parent)

if __name__ == "__main__":
    from flows._cli import leave, main

    leave(main(sys.argv[1:]))

import asyncio
import gc
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, date, datetime, timedelta
from functools import cache, partial
from itertools import chain
from typing import Any, ParamSpec, TypeVar, cast

from prefect import flow, runtime
from prefect.cache_policies import NO_CACHE
from prefect.context import FlowRunContext, SyncClientContext
from prefect.futures import PrefectFuture
from prefect.task_runners import TaskRunner, ThreadPoolTaskRunner
from prefect.tasks import Task

from flows.enrich import enrich
from flows.transform import transform
from hnintel import contents, ledger, progress
from hnintel.articles import chunks_by_host
from hnintel.checks.check import in_a_line
from hnintel.checks.run import Part
from hnintel.enrichment import layers, load_enrichments
from hnintel.errors import BudgetReached, HnIntelError, UsageError
from hnintel.extraction_pool import shared_pool
from hnintel.ingest import Scraped
from hnintel.run_log import logger, run_log
from hnintel.settings import Settings, load_settings
from hnintel.sources import open_source
from hnintel.summary import Summary
from hnintel.warehouse import open_warehouse
from hnintel.warehouse.base import Warehouse
from hnintel.window import Window, refuse_future, yesterday
from tasks import articles, brief, checks, ingest

P = ParamSpec("P")
T = TypeVar("T")

#: Subflows that start at the same moment get into each other's way on SQLite (database is locked).
_STAGGER = 0.2
#: Each has an event loop with requests of its own; more threads take turns at the interpreter oftener than they help.
_THREADS: TaskRunner[Any] = ThreadPoolTaskRunner(max_workers=4)  # type: ignore[assignment]  # Prefect types futures so


@flow(name="hacker-news", flow_run_name="hacker news {day}", task_runner=_THREADS)
async def hacker_news(day: date | None = None, source: str | None = None) -> dict[str, Any]:
    """Turn a day of Hacker News into an enriched warehouse, marts and a briefing page.

    Safe to run twice: what is done is not done, and not paid for, again.

    Args:
        day: the partition; by default the last whole day at the run's scheduled start, or the newest with items.
        source: ``live``, ``sample`` or ``replay:PATH``; by default the setting ``HNINTEL_SOURCE``.
    """
    progress.finish("start", "Prefect is up")
    _keep_what_is_imported()
    settings = load_settings()
    source = source or settings.source
    window = Window.of(choose_day(day, source, settings), settings.time_zone)
    run_id = str(runtime.flow_run.id)
    warehouse = open_warehouse(settings)
    summary = Summary(window.day, run_id, source)
    with run_log(settings.logs, window.day, run_id), warehouse.lease(window.day, run_id):
        before = _begin(warehouse, summary)
        try:
            await _run(window, source, settings, summary)
        except BaseException as error:
            logger.error("failed", exc_info=not isinstance(error, HnIntelError), extra={"error": str(error)})
            summary.status = "stopped" if isinstance(error, BudgetReached) else "failed"
            _end(warehouse, summary, error)
            raise
        with warehouse.transaction() as session:
            summary.count(session, settings, _now())
            if before is not None:
                summary.changed = contents.changed(before, contents.contents(session, warehouse))
        summary.status = "partial" if summary.dead_letters else "complete"
        _end(warehouse, summary)
        logger.info("ended", extra={"summary": summary.as_json()})
    return summary.as_json()


@cache
def _keep_what_is_imported() -> None:
    """Take what Prefect and dbt have loaded, half a million objects, out of the garbage collector's rounds.

    They live as long as the process, and looking them over took a second of a day's reading (bench/ingest.py).
    """
    gc.collect()
    gc.freeze()


def choose_day(day: date | None, source: str, settings: Settings) -> date:
    """The day asked for, or the source's default; refused where it has not begun or is before the first one wanted.

    The clock is read here, once, and it is that of the run's scheduled start: a late run does the right day.
    """
    context = FlowRunContext.get()
    now = runtime.flow_run.scheduled_start_time if context else datetime.now(UTC)
    opened = open_source(source, settings)
    chosen = day or opened.newest_day(settings.time_zone)
    if chosen is None and opened.name != "live":
        raise UsageError(f"{source} holds no story with a time: there is no day to run")
    chosen = chosen or yesterday(now, settings.time_zone)
    refuse_future(chosen, now, settings.time_zone)
    if chosen < settings.first_day:
        raise UsageError(f"{chosen} is before the first day wanted, HNINTEL_FIRST_DAY={settings.first_day}")
    return chosen


def _begin(warehouse: Warehouse, summary: Summary) -> dict[str, str] | None:
    """Note the run; what the tables hold now, where the day was run before."""
    with warehouse.transaction() as session:
        ledger.begin_run(session, summary.run_id, summary.day, summary.source, _now())
        if ledger.was_complete(session, summary.day, "publish"):
            return contents.contents(session, warehouse)
    return None


def _end(warehouse: Warehouse, summary: Summary, error: BaseException | None = None) -> None:
    """Note how the run ended. That it failed is known either way; failing to note it must not hide why."""
    told = summary.as_json() | ({"error": f"{type(error).__name__}: {error}"[:500]} if error else {})
    status: ledger.Status = "partial" if summary.dead_letters else "complete"
    if error:
        status = "stopped" if isinstance(error, BudgetReached) else "failed"
    try:
        with warehouse.transaction() as session:
            ledger.end_run(session, summary.run_id, status, told, _now())
            if not error:
                ledger.end_stage(session, summary.day, "publish", "complete", summary.run_id, _now())
    except HnIntelError:
        if not error:
            raise


async def _run(window: Window, source: str, settings: Settings, summary: Summary) -> None:
    shown = partial(checks.show.submit, window.day, summary.run_id)
    try:
        await _read(window, source, settings, summary)
        with _timed(summary, "enrich"):
            await _enrich(window, settings, summary)
        await _check("answers", window.day, summary)
    except HnIntelError:
        with suppress(Exception):  # that it cannot be shown must not hide why the run ended
            await _result(shown())
        raise
    await _result(shown())
    with _timed(summary, "transform"):
        summary.dbt = await asyncio.to_thread(transform, window.day, window.day, summary.run_id)
    with _timed(summary, "brief"):
        progress.update("brief", 0)
        summary.briefing = await _result(brief.brief.submit(window.day, summary.run_id))
        summary.page = await _result(brief.publish.submit(window.day))
        progress.finish("brief", f"{summary.briefing.claims} new claims")


async def _read(window: Window, source: str, settings: Settings, summary: Summary) -> None:
    # One client for all task runs: those of an async flow make two each, which read every authority of the web anew.
    with SyncClientContext.get_or_create():
        with _timed(summary, "ingest"):
            await _ingest(window, source, settings, summary)
        await _check("ingest", window.day, summary)
        with _timed(summary, "articles"):
            await _articles(window, source, settings, summary)


async def _ingest(window: Window, source: str, settings: Settings, summary: Summary) -> None:
    day, run_id = window.day, summary.run_id
    progress.update("list", 0)
    listing = await _result(ingest.list_day.submit(source, window))
    summary.listed, summary.notes = len(listing.ids), listing.notes
    progress.finish("list", f"{len(listing.ids)} stories, jobs and polls of {day}")
    await _result(ingest.begin.submit(day, ingest.STAGE, run_id))
    chunks = _chunks(listing.ids, settings.chunk_size)
    opened = open_source(source, settings)
    scraped = _cached(ingest.scrape, settings).map(chunks, source=source, identity=opened.identity, day=day)
    done = lost = 0
    async for readings in _as_done(scraped):
        read = sum(readings, Scraped())
        loaded = await _beside(ingest.load, read, day, run_id)
        if loaded.items.new and opened.pages() is not None:  # articles will come, and a process takes a second to start
            shared_pool(settings.article_workers, settings.article_extract_timeout).start()
        summary.loaded += loaded
        lost += len(read.lost)
        summary.notes.update(read.notes)
        done += len(readings)
        progress.update("scrape", min(done * settings.chunk_size, len(listing.ids)), len(listing.ids))
    await _result(ingest.end.submit(day, ingest.STAGE, run_id, len(listing.ids) - lost, lost))
    progress.finish("scrape", f"{len(listing.ids) - lost} taken, {lost} lost to the dead letters")


async def _check(part: Part, day: date, summary: Summary) -> None:
    """Check what is there of the day by now; what is downstream of a blocking check that fails does not run."""
    progress.update(f"check {part}", 0)
    results = await _result(checks.check.submit(part, day, summary.run_id))
    summary.checks += results
    progress.finish(f"check {part}", in_a_line(results))
    await _result(checks.go_on.submit(results, day, summary.run_id))


async def _articles(window: Window, source: str, settings: Settings, summary: Summary) -> None:
    day, run_id = window.day, summary.run_id
    opened = open_source(source, settings)
    await _result(ingest.begin.submit(day, articles.STAGE, run_id))
    wanted = await _result(articles.pending.submit(day, opened.pages() is not None))
    chunks = chunks_by_host(wanted, settings.chunk_size)
    read = _cached(articles.read, settings).map(chunks, source=source, identity=opened.identity, day=day)
    done = 0
    async for readings in _as_done(read):
        done += await _beside(articles.load, list(chain.from_iterable(readings)), day, run_id)
        progress.update("articles", done, len(wanted))
    statuses = await _result(articles.count.submit(day))
    due = statuses.get("retry_at", 0)
    await _result(ingest.end.submit(day, articles.STAGE, run_id, sum(statuses.values()) - due, due))
    progress.finish("articles", f"{len(wanted)} asked for; {due} of the day to be tried again")


async def _enrich(window: Window, settings: Settings, summary: Summary) -> None:
    """Fan every enrichment out as a subflow of its own, side by side but for those that come after others."""
    gate = asyncio.Semaphore(settings.enrich_concurrency)

    async def one(name: str, delay: float) -> None:
        async with gate:
            await asyncio.sleep(delay)
            summary.enrichments[name] = await enrich(name, window.day, summary.run_id)

    for layer in layers(load_enrichments(settings.enrichments_path)):
        ran = await asyncio.gather(
            *(one(enrichment.name, place * _STAGGER) for place, enrichment in enumerate(layer)), return_exceptions=True
        )
        failed = [error for error in ran if isinstance(error, BaseException)]
        if failed:  # every one had its turn first: what the others answered is kept
            raise failed[0]


def _cached(reading: Task[..., T], settings: Settings) -> Task[..., T]:
    """*reading* with the set lifetime of its cached results; with none, it is always read anew."""
    if not settings.cache_hours:
        return reading.with_options(cache_policy=NO_CACHE, persist_result=False)
    return reading.with_options(cache_expiration=timedelta(hours=settings.cache_hours))


async def _result(future: PrefectFuture[T]) -> T:
    """The result of a task, without holding up the subflows beside it, nor a thread while it runs."""
    loop, done = asyncio.get_running_loop(), asyncio.Event()

    def tell(_: PrefectFuture[T]) -> None:
        with suppress(RuntimeError):  # the loop is closed: the run was ended, and nobody waits any more
            loop.call_soon_threadsafe(done.set)

    future.add_done_callback(tell)
    await done.wait()
    return await asyncio.to_thread(future.result)


async def _beside(write: Task[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Run a task in a thread beside the runner's, where it would wait until everything submitted had its turn."""
    return await asyncio.to_thread(lambda: cast(T, write(*args, **kwargs)))


async def _as_done(futures: Sequence[PrefectFuture[T]]) -> AsyncIterator[list[T]]:
    """Results as they come, so that what was read is kept while the rest is still read; in batches."""
    waiting = {asyncio.ensure_future(_result(future)) for future in futures}
    while waiting:
        done, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        yield [one.result() for one in done]


def _chunks(ids: Sequence[int], size: int) -> list[list[int]]:
    return [list(ids[start : start + size]) for start in range(0, len(ids), size)]


@contextmanager
def _timed(summary: Summary, stage: str) -> Iterator[None]:
    began = time.monotonic()
    try:
        yield
    finally:
        summary.seconds[stage] = time.monotonic() - began


def _now() -> datetime:
    """A stamp for the ledger, UTC without a zone; what is done never depends on it."""
    return datetime.now(UTC).replace(tzinfo=None)

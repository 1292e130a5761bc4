"""The parent flow: list, scrape, enrich, transform, brief and publish one day of Hacker News.

Run it from anywhere: ``python flows/main.py --source sample``. Deployed as ``flows/main.py:hacker_news``.
"""

from __future__ import annotations

import sys
from pathlib import Path

if __package__ in (None, ""):  # run as a script: the folder of this file gives way to the root of the checkout
    sys.path[0] = str(Path(__file__).resolve().parent.parent)

if __name__ == "__main__":
    from flows.local.day import leave, main

    leave(main(sys.argv[1:]))

import asyncio
import gc
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, date, datetime
from functools import cache, partial
from itertools import groupby
from typing import Any, Literal

from prefect import flow, runtime
from prefect.context import FlowRunContext, SyncClientContext

from flows.asking import await_answers
from flows.enrich import enrich
from flows.futures import call
from flows.reading import read_articles, read_items
from flows.stage import Run, refuse_unready, stage
from flows.task_runner import task_runner
from flows.transform import transform
from hnintel.briefing.pages import path_of
from hnintel.checks.check import in_a_line
from hnintel.checks.run import Part
from hnintel.cost.usage import Enriched
from hnintel.enrich.declaration import layers
from hnintel.errors import BudgetReached, DeclarationError, HnIntelError, counted
from hnintel.events import ContinueBy
from hnintel.ledger import runs, stage_rows, statuses
from hnintel.ledger.leases import Leases
from hnintel.ledger.stage_names import ARTICLES, BRIEFING, ENRICH, INGEST, PUBLISH, TRANSFORM
from hnintel.partitions import announce, graph
from hnintel.partitions.calendar import Span
from hnintel.partitions.pipeline import Pipeline
from hnintel.partitions.state import spans_to_transform
from hnintel.planning.cut_short import close_dead
from hnintel.process import progress, stopping
from hnintel.runs.log import logger, run_log
from hnintel.runs.summary import Summary
from hnintel.settings import Settings, load_settings
from hnintel.sources import open_source, refuse_without_days
from hnintel.warehouse import open_warehouse, table_hashes
from hnintel.window import Window, day_of, refuse_before, refuse_future, utc_now, yesterday
from tasks import assets, brief, checks, own_stage
from tasks.events import ANNOUNCED

#: Seconds between the starts of two subflows: started at once, they fail on SQLite (database is locked).
_STAGGER = 0.2


@flow(name="hacker-news", flow_run_name="hacker news {day}", task_runner=task_runner(), **ANNOUNCED)
async def hacker_news(
    day: date | Literal["today"] | None = None,
    source: str | None = None,
    stages: Sequence[str] = (),
    again: bool = False,
    continue_by: ContinueBy = "parent",
    hours: bool = False,
) -> dict[str, Any]:
    """Turn a day of Hacker News into an enriched warehouse, marts and a briefing page.

    Safe to run twice: a done stage is skipped and not paid for again.

    Args:
        day: the partition; by default the last whole day at the run's scheduled start, or the newest day with items.
            ``today`` is the day in progress, up to now.
        source: ``live``, ``sample`` or ``replay:PATH``; by default the setting ``HNINTEL_SOURCE``.
        stages: only these, such as ``enrich:entities``; ``enrich:entities+`` adds all downstream stages. Default: all.
        again: run the stages even where they are done; a question that has an answer is still not asked again.
        continue_by: who runs the remaining stages: ``parent``, the caller, or ``event``, a run that the event starts.
        hours: read only the hours of the day that are over and not read yet, and stories that still change.
    """
    progress.finish("start", "Prefect is up")
    _freeze_imported_objects()
    settings = load_settings()
    source = source or settings.source
    window = Window.of(choose_day(day, source, settings), settings.time_zone)
    pipeline = Pipeline(open_warehouse(settings), settings, source)
    chosen = graph.choose(pipeline.stages, stages)
    refuse_without_runner(pipeline)
    summary = Summary(window.day, str(runtime.flow_run.id), source)
    with (
        stopping.on_signals(),
        run_log(settings.logs, window.day, summary.run_id),
        Leases(pipeline.warehouse, summary.run_id, settings) as leases,
    ):
        until = _scheduled() if hours else None
        run = Run(window.day, summary.run_id, pipeline, leases, chosen, summary, again, until)
        before = _begin(run)
        try:
            await _run(run)
        except BaseException as error:
            logger.error("failed", exc_info=not isinstance(error, HnIntelError), extra={"error": str(error)})
            summary.status = statuses.STOPPED if isinstance(error, BudgetReached) else statuses.FAILED
            _end(run, error)
            raise
        with pipeline.warehouse.transaction(stage="enrich") as session:
            summary.count(session, settings, utc_now())
            if before is not None:
                summary.changed = table_hashes.changed(before, table_hashes.contents(session, pipeline.warehouse))
        summary.status = statuses.of_done(not summary.dead_letters)
        _end(run, continue_by=continue_by)
        logger.info("ended", extra={"summary": summary.as_json()})
    return summary.as_json()


@cache
def _freeze_imported_objects() -> None:
    """Exclude what Prefect and dbt have loaded, half a million objects, from garbage collection.

    They live as long as the process, and scanning them took a second of a day's reading (bench/ingest.py).
    """
    gc.collect()
    gc.freeze()


def choose_day(day: date | Literal["today"] | None, source: str, settings: Settings) -> date:
    """Return the requested day or the source's default; refuse a day in the future or before the setting's first day.

    Today is the day of the run's scheduled start, so that a late run does the right day.
    """
    now = _scheduled()
    opened = open_source(source, settings)
    requested = day_of(now, settings.time_zone) if isinstance(day, str) else day
    chosen = requested or opened.newest_day(settings.time_zone)
    if chosen is None:
        refuse_without_days(opened, source, settings.time_zone)
    chosen = chosen or yesterday(now, settings.time_zone)
    refuse_future(chosen, now, settings.time_zone)
    refuse_before(chosen, settings.first_day)
    return chosen


def _scheduled() -> datetime:
    """Return the scheduled start of this run; outside of a run, now."""
    start: datetime = runtime.flow_run.scheduled_start_time if FlowRunContext.get() else datetime.now(UTC)
    return start


def _begin(run: Run) -> dict[str, str] | None:
    """Record the run's beginning; return the hashes of the tables where the day was published before, else None."""
    now, warehouse = utc_now(), run.pipeline.warehouse
    run.leases.take(run.day, f"run {run.run_id}")  # shows that the run is alive between two stages
    with warehouse.transaction(stage="enrich") as session:
        alive = close_dead(session, now)
        runs.begin_run(session, run.run_id, run.day, run.summary.source, now, alive)
        if stage_rows.was_complete(session, run.day, PUBLISH):
            return table_hashes.contents(session, warehouse)
    return None


def _end(run: Run, error: BaseException | None = None, continue_by: ContinueBy = "parent") -> None:
    """Record how the run ended, and announce the completed stages where it succeeded.

    An error while recording a failure must not hide the failure's own error.
    """
    status: statuses.Status = statuses.of_done(not run.summary.dead_letters)
    if error:
        status = statuses.STOPPED if isinstance(error, BudgetReached) else statuses.FAILED
    try:
        with run.pipeline.warehouse.transaction(stage="enrich") as session:
            run.summary.count_costs(session)  # also for a run that failed before the other counts
            summary = run.summary.as_json() | ({"error": f"{type(error).__name__}: {error}"[:500]} if error else {})
            runs.end_run(session, run.run_id, status, summary, utc_now())
            if not error:
                announce.announce_day(session, run.pipeline, run.day, continue_by, utc_now())
                announce.announce_given_up(session, run.pipeline, utc_now())
    except HnIntelError:
        if not error:
            raise


async def _run(run: Run) -> None:
    show_checks = partial(call, checks.show, run.day, run.run_id)
    try:
        await run_stages(run, [name for name in run.pipeline.stages if name not in run.pipeline.after_asking])
        if run.wants_any([name for name in run.pipeline.stages if name not in (INGEST, ARTICLES)]):
            await _check("answers", run)
    except HnIntelError:
        with suppress(Exception):  # a failure to show the checks must not hide the run's error
            await show_checks()
        raise
    await show_checks()
    await run_stages(run, run.pipeline.after_asking)
    run.summary.page = str(path_of(run.day, run.pipeline.settings))


async def run_stages(run: Run, names: Iterable[str]) -> None:
    """Run those of the stages *names* that were requested, in order; consecutive stages of a runner run in one call."""
    for runner, group in groupby(names, lambda name: run.pipeline.declared[name].runner):
        await RUNNERS[runner](run, list(group))


def refuse_without_runner(pipeline: Pipeline) -> None:
    """Raise DeclarationError where a stage names a runner that does not exist."""
    for declared in pipeline.declared.values():
        if declared.runner not in RUNNERS:
            runners = ", ".join(repr(name) for name in RUNNERS if name)
            raise DeclarationError(
                f"stage '{declared.name}' names the runner '{declared.runner}': give one of {runners}"
            )


async def _items(run: Run, _: Sequence[str]) -> None:
    # One client for all task runs: each would create two of its own, and each client loads all root certificates.
    with SyncClientContext.get_or_create():
        with _timed(run, INGEST):
            async with stage(run, INGEST) as to_do:
                if to_do:
                    await read_items(run, anew=to_do.is_done)
        if run.wants_any([INGEST, ARTICLES]):
            await _check("ingest", run)


async def _articles(run: Run, _: Sequence[str]) -> None:
    with SyncClientContext.get_or_create(), _timed(run, ARTICLES):
        async with stage(run, ARTICLES) as to_do:
            if to_do:
                await read_articles(run)


async def _check(part: Part, run: Run) -> None:
    """Run a part of the day's checks; a failed blocking check stops the run before the downstream stages."""
    progress.update(f"check {part}", 0)
    results = await call(checks.check, part, run.day, run.run_id)
    run.summary.checks += results
    progress.finish(f"check {part}", in_a_line(results))
    await call(checks.go_on, results, run.day, run.run_id)


async def _enrich(run: Run, names: Sequence[str]) -> None:
    """Run each enrichment as a subflow, in parallel except for enrichments that depend on others."""
    gate = asyncio.Semaphore(run.pipeline.settings.enrich_concurrency)

    async def run_enrichment(name: str, stage_name: str, delay: float) -> None:
        async with gate:
            await asyncio.sleep(delay)
            async with stage(run, stage_name) as to_do:
                if to_do:
                    run.summary.enrichments[name] = await enrich(name, run.day, run.run_id)

    run.summary.enrichments = {name: Enriched() for name in run.pipeline.enrichments} | run.summary.enrichments
    with _timed(run, ENRICH):
        for layer in layers(run.pipeline.enrichments):
            requested = [each for each in layer if each.stage in names]
            ran = await asyncio.gather(
                *(run_enrichment(each.name, each.stage, place * _STAGGER) for place, each in enumerate(requested)),
                return_exceptions=True,
            )
            failed = [error for error in ran if isinstance(error, BaseException)]
            if failed:  # raised only here, so that the answers of the others are stored
                raise failed[0]


async def _transform(run: Run, _: Sequence[str]) -> None:
    with _timed(run, TRANSFORM):
        if TRANSFORM not in run.stages:
            return
        with run.pipeline.warehouse.transaction(stage="enrich") as session:
            refuse_unready(session, run.pipeline, run.day, TRANSFORM, utc_now())
            due = spans_to_transform(session, run.pipeline, Span(run.day, run.day), utc_now(), run.again)
        if due:
            run.summary.dbt = await asyncio.to_thread(
                transform, run.day, run.day, run.run_id, run.pipeline.spec, run.again
            )
        else:
            run.summary.skipped.append(TRANSFORM)
            progress.finish(TRANSFORM, "complete, skipped")


async def _brief(run: Run, _: Sequence[str]) -> None:
    with _timed(run, "brief"):
        async with stage(run, BRIEFING) as to_do:
            if to_do:
                progress.update("brief", 0)
                run.summary.briefing = await await_answers(assets.of_briefing(brief.brief).submit(run.day, run.run_id))
                progress.finish("brief", f"{run.summary.briefing.claims} new claims")


async def _publish(run: Run, _: Sequence[str]) -> None:
    with _timed(run, "brief"):
        async with stage(run, PUBLISH) as to_do:
            if to_do:
                await call(brief.publish, run.day)


async def _by_themselves(run: Run, names: Sequence[str]) -> None:
    """Run stages that declare their own ``run``, each in a task."""
    for name in names:
        with _timed(run, name):
            async with stage(run, name) as to_do:
                if to_do:
                    progress.update(name, 0)
                    task = assets.of_own_stage(own_stage.run, run.pipeline.declared[name])
                    rows = await call(task, name, run.day, run.run_id, run.pipeline.spec)
                    progress.finish(name, counted(rows, "row"))


Runner = Callable[[Run, Sequence[str]], Awaitable[None]]
#: By name, the function that runs a sequence of consecutive stages; None: for stages that declare their own ``run``.
RUNNERS: Mapping[str | None, Runner] = {
    "read items": _items,
    "read articles": _articles,
    "enrich": _enrich,
    "build marts": _transform,
    "brief": _brief,
    "publish": _publish,
    None: _by_themselves,
}


@contextmanager
def _timed(run: Run, name: str) -> Iterator[None]:
    began = time.monotonic()
    try:
        yield
    finally:
        run.summary.seconds[name] = run.summary.seconds.get(name, 0.0) + time.monotonic() - began

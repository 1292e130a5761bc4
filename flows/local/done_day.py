"""A run of a day that has nothing to do: it is recorded as every run is, without Prefect."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import date
from typing import Any
from uuid import uuid4

from hnintel.briefing.pages import path_of
from hnintel.checks.check import in_a_line
from hnintel.checks.run import Part, run_checks, stop_if_blocked
from hnintel.cost.usage import Enriched
from hnintel.errors import HnIntelError
from hnintel.events import CheckFailed
from hnintel.ledger import outbox, runs, stage_rows, statuses
from hnintel.ledger.leases import Leases
from hnintel.ledger.stage_names import ARTICLES, INGEST, PUBLISH
from hnintel.partitions import announce
from hnintel.partitions.pipeline import Pipeline
from hnintel.partitions.state import Partition, grid
from hnintel.planning.cut_short import close_dead
from hnintel.process import progress
from hnintel.runs.log import logger, run_log
from hnintel.runs.summary import Summary
from hnintel.window import utc_now

#: The stages that a run would skip, each as it stands.
Skipped = Mapping[str, Partition]


def skipped(pipeline: Pipeline, day: date, chosen: Collection[str]) -> Skipped | None:
    """Return the *chosen* stages of *day* if a run would skip them all, else None."""
    with pipeline.warehouse.transaction(stage="enrich") as session:
        stages = grid(session, pipeline, day, day, utc_now())[day]
    partitions = {name: stages[name] for name in pipeline.stages if name in chosen}
    # A run reads a day again that was read in part, and waits for a stage that another run is at.
    is_moving = any(partition.status == statuses.RUNNING for partition in partitions.values())
    is_read_again = INGEST in partitions and partitions[INGEST].status == statuses.PARTIAL
    upstream = {before for name in partitions for before in pipeline.stages[name]}
    is_there = all(stages[name].is_done for name in upstream.union(partitions))
    return (
        partitions
        if is_there and not (is_moving or is_read_again or any(partition.due for partition in partitions.values()))
        else None
    )


def record(pipeline: Pipeline, day: date, partitions: Skipped) -> dict[str, Any]:
    """Record a run that skips all its stages, the *partitions* of :func:`skipped`, and return its summary.

    The run has its row, its checks, its log and its events, as every run.

    Raises:
        QualityError: a blocking check of the day fails by now.
        HnIntelError: the warehouse refused.
    """
    settings, warehouse = pipeline.settings, pipeline.warehouse
    summary = Summary(day, str(uuid4()), pipeline.spec)
    with run_log(settings.logs, day, summary.run_id), Leases(warehouse, summary.run_id, settings) as leases:
        leases.take(day, f"run {summary.run_id}")
        with warehouse.transaction(stage="enrich") as session:
            runs.begin_run(session, summary.run_id, day, pipeline.spec, utc_now(), close_dead(session, utc_now()))
            summary.changed = [] if stage_rows.was_complete(session, day, PUBLISH) else None
        try:
            _skip(pipeline, summary, partitions)
        except HnIntelError as error:
            logger.error("failed", extra={"error": str(error)})
            summary.status = statuses.FAILED
            _end(pipeline, summary, error)
            raise
        with warehouse.transaction(stage="enrich") as session:
            summary.count(session, settings, utc_now())
        summary.status = statuses.of_done(not summary.dead_letters)
        _end(pipeline, summary)
        logger.info("ended", extra={"summary": summary.as_json()})
    return summary.as_json()


def _skip(pipeline: Pipeline, summary: Summary, partitions: Skipped) -> None:
    summary.enrichments = {name: Enriched() for name in pipeline.enrichments}
    for name, partition in partitions.items():
        summary.skipped.append(name)
        progress.finish(name, f"{partition.status}, skipped{f': {partition.why}' if partition.why else ''}")
    reading = {INGEST, ARTICLES}
    parts: list[Part] = ["ingest"] if reading.intersection(partitions) else []
    parts += [] if reading.issuperset(partitions) else ["answers"]
    for part in parts:
        results = run_checks(pipeline.warehouse, summary.day, pipeline.settings, summary.run_id, [part])
        summary.checks += results
        progress.finish(f"check {part}", in_a_line(results))
        failed = [
            CheckFailed(
                day=summary.day,
                run_id=summary.run_id,
                check=result.name,
                blocking=result.blocking,
                detail=result.detail,
            )
            for result in results
            if not result.passed
        ]
        with pipeline.warehouse.transaction(stage="enrich") as session:
            outbox.put_all(session, failed, utc_now())
        stop_if_blocked(pipeline.warehouse, results, summary.day, pipeline.settings, summary.run_id)
    summary.page = str(path_of(summary.day, pipeline.settings))


def _end(pipeline: Pipeline, summary: Summary, error: HnIntelError | None = None) -> None:
    shown = summary.as_json() | ({"error": f"{type(error).__name__}: {error}"[:500]} if error else {})
    status: statuses.Status = statuses.FAILED if error else statuses.of_done(not summary.dead_letters)
    with pipeline.warehouse.transaction(stage="enrich") as session:
        runs.end_run(session, summary.run_id, status, shown, utc_now())
        if not error:
            announce.announce_day(session, pipeline, summary.day, "parent", utc_now())
            announce.announce_given_up(session, pipeline, utc_now())

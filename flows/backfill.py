"""Run the main flow over a range of days: a child run reads and enriches each day, then the marts are built once.

``python flows/backfill.py --from 2026-10-01 --to 2026-10-31 --plan`` only prints the plan. Deployed as
``flows/backfill.py:backfill``.
"""

from __future__ import annotations

import sys
from pathlib import Path

if __package__ in (None, ""):  # run as a script: the folder of this file gives way to the root of the checkout
    sys.path[0] = str(Path(__file__).resolve().parent.parent)

if __name__ == "__main__":
    from flows.local.backfill import main
    from flows.local.command import leave

    leave(main(sys.argv[1:]))

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Annotated, Any, Literal

from prefect import flow, runtime
from pydantic import Field

from flows.approval import approval
from flows.backfill_children import Child, as_subflow, through_deployment
from flows.futures import call
from flows.main import run_stages
from flows.stage import Run
from flows.transform import transform
from hnintel.errors import DayFailed, HnIntelError, UsageError, counted, of_several
from hnintel.ledger.leases import ALL_DAYS, Leases
from hnintel.ledger.stage_names import TRANSFORM
from hnintel.partitions import announce, graph
from hnintel.partitions.calendar import Span
from hnintel.partitions.pipeline import Pipeline
from hnintel.partitions.state import grid
from hnintel.planning.backfill import plan_backfill
from hnintel.planning.work import Only, Work, choose_work, lease_of
from hnintel.process import progress, stopping
from hnintel.runs.summary import Summary
from hnintel.settings import load_settings
from hnintel.warehouse import open_warehouse
from hnintel.window import refuse_future, utc_now
from tasks.backfill import show
from tasks.events import ANNOUNCED

_STAGGER = 0.2

Order = Literal["oldest", "newest"]
Through = Literal["auto", "subflows", "deployment"]


@dataclass
class Backfill:
    """A backfill under way: the work to do, and the error of each day that failed."""

    pipeline: Pipeline
    run_id: str
    works: list[Work]
    again: bool
    failed: dict[date, str] = field(default_factory=dict)
    errors: list[HnIntelError] = field(default_factory=list)

    def fail(self, day: date, error: HnIntelError) -> None:
        """Record that a day failed; the backfill continues."""
        self.failed.setdefault(day, str(error))
        self.errors.append(error)
        progress.finish(f"backfill {day}", f"failed: {error}")


@flow(name="backfill", flow_run_name="backfill {from_day} to {to_day}", **ANNOUNCED)
async def backfill(
    from_day: Annotated[date, Field(description="The first day.")],
    to_day: Annotated[date, Field(description="The last day, included.")],
    source: Annotated[
        str | None, Field(description="live, sample or replay:PATH; by default the setting HNINTEL_SOURCE.")
    ] = None,
    stages: Annotated[
        Sequence[str], Field(description="Only these, such as enrich:entities; with a + what is downstream too.")
    ] = (),
    only: Annotated[
        Only, Field(description="Which partitions: all that is due, or one kind; all: done or not.")
    ] = "due",
    concurrency: Annotated[int, Field(ge=1, le=64, description="How many days are read and enriched at once.")] = 2,
    order: Annotated[Order, Field(description="Which days come first.")] = "oldest",
    plan: Annotated[bool, Field(description="Only say what it would fetch, ask and cost; asks nothing.")] = False,
    through: Annotated[
        Through, Field(description="Children as subflows or as runs of the deployment; auto: as this run itself is.")
    ] = "auto",
    approved: Annotated[bool, Field(description="Whether a person has seen what it may cost, and said yes.")] = False,
    deployment: Annotated[str, Field(description="Whose runs the children are.")] = "hacker-news/day",
) -> dict[str, Any]:
    """Run the stages that are due on each day of a range; done stages are skipped, so a second start does the rest.

    Raises:
        UsageError: the range is empty, starts before the setting's first day, or ends in the future.
        BudgetReached: the backfill may cost more than the set limit, and was not approved.
        HnIntelError: some days failed; the other days were run.
    """
    settings = load_settings()
    pipeline = Pipeline(open_warehouse(settings), settings, source or settings.source)
    span = _checked(Span(from_day, to_day), pipeline)
    chosen = graph.choose(pipeline.stages, stages)
    with pipeline.warehouse.transaction(stage="enrich") as session:
        works = choose_work(session, pipeline, span, chosen, only, utc_now(), newest_first=order == "newest")
    planned = await asyncio.to_thread(plan_backfill, pipeline.warehouse, pipeline, works, chosen)
    total = planned.total
    described = f"{counted(len(works), 'day')}, {counted(total.rows, 'question')}, {total.cost_in_words()}"
    await call(show, "backfill-plan", planned.rows(), f"**Backfill of {span.first} to {span.last}**: {described}")
    if plan or not works:
        return {"status": "planned" if plan else "complete", **planned.as_json()}
    if not approved:
        await approval(total, settings, planned.as_markdown(), len(planned.unpriced))
    deployed = through == "deployment" or (through == "auto" and runtime.deployment.id is not None)
    child = through_deployment(pipeline, deployment) if deployed else as_subflow(pipeline)
    batch = Backfill(pipeline, str(runtime.flow_run.id), works, again=only == "all")
    with stopping.on_signals(), Leases(pipeline.warehouse, batch.run_id, settings) as leases:
        await asyncio.to_thread(leases.take, ALL_DAYS, lease_of(span, batch.run_id))
        await _days(batch, child, concurrency)
        await _marts(batch)
        await _briefings(batch, leases)
    return await _close(batch, span)


def _checked(span: Span, pipeline: Pipeline) -> Span:
    now, settings = runtime.flow_run.scheduled_start_time, pipeline.settings
    if span.last < span.first:
        raise UsageError(f"{span.last} comes before {span.first}: give the first day first")
    refuse_future(span.last, now, settings.time_zone)
    span.refuse_before(settings.first_day)
    return span


async def _days(batch: Backfill, child: Child, concurrency: int) -> None:
    """Run a child for each day with stages to read or enrich, *concurrency* at once; a failed child stops no other."""
    gate = asyncio.Semaphore(concurrency)
    works = [
        (work, [stage for stage in work.stages if stage not in batch.pipeline.after_asking]) for work in batch.works
    ]

    async def run_child(work: Work, stages: list[str], delay: float) -> None:
        async with gate:
            await asyncio.sleep(delay)  # subflows that start at the same moment lock each other out on SQLite
            try:
                await child(work, stages, batch.again)
            except HnIntelError as error:
                batch.fail(work.day, error)
                return
            except Exception as error:
                batch.fail(work.day, DayFailed.of_unforeseen(error))
                return
            progress.finish(f"backfill {work.day}", "read and enriched")

    jobs = [(work, stages) for work, stages in works if stages]
    await asyncio.gather(*(run_child(*job, (place % concurrency) * _STAGGER) for place, job in enumerate(jobs)))


async def _marts(batch: Backfill) -> None:
    """Build the marts once for all days that are ready; a failed build fails all of these days."""
    days = [work.day for work in batch.works if TRANSFORM in work.stages and work.day not in batch.failed]
    if not days:
        return
    try:
        await asyncio.to_thread(transform, min(days), max(days), batch.run_id, batch.pipeline.spec, batch.again)
    except HnIntelError as error:
        for day in days:
            batch.fail(day, error)


async def _briefings(batch: Backfill, leases: Leases) -> None:
    """Run the stages downstream of the marts, oldest day first, since a page links to the page of the day before."""
    works = sorted((work for work in batch.works if work.day not in batch.failed), key=lambda work: work.day)
    for work in works:
        stages = frozenset(work.stages).intersection(batch.pipeline.after_asking) - {TRANSFORM}
        if not stages:
            continue
        summary = Summary(work.day, batch.run_id, batch.pipeline.spec)
        try:
            run = Run(work.day, batch.run_id, batch.pipeline, leases, stages, summary, batch.again)
            await run_stages(run, [name for name in batch.pipeline.after_asking if name in stages])
            _announce(batch, work.day)
        except HnIntelError as error:
            batch.fail(work.day, error)
        else:
            progress.finish(f"backfill {work.day}", "published")


def _announce(batch: Backfill, day: date) -> None:
    """Announce what was completed for the day after its child ended: its published page."""
    with batch.pipeline.warehouse.transaction(stage="enrich") as session:
        announce.announce_day(session, batch.pipeline, day, "parent", utc_now())


async def _close(batch: Backfill, span: Span) -> dict[str, Any]:
    """Report the status of each day of the backfill from the ledger; raise where days failed."""
    days = [work.day for work in batch.works]
    with batch.pipeline.warehouse.transaction(stage="enrich") as session:
        states = grid(session, batch.pipeline, min(days), max(days), utc_now())
    rows = []
    for work in batch.works:
        left = [stage for stage in work.stages if not (state := states[work.day][stage]).is_done or state.due]
        status = "failed" if work.day in batch.failed else "left" if left else "complete"
        rows.append(
            {
                "day": work.day.isoformat(),
                "status": status,
                "left": ", ".join(left),
                "error": batch.failed.get(work.day, ""),
            }
        )
    complete = sum(row["status"] == "complete" for row in rows)
    described = f"{complete} of {counted(len(rows), 'day')} complete, {len(batch.failed)} failed"
    await call(show, "backfill", rows, f"**Backfill of {span.first} to {span.last}**: {described}")
    if batch.errors:
        raise of_several(batch.errors, f"{described}: run it again for the rest. First error: {batch.errors[0]}")
    return {"status": "complete" if complete == len(rows) else "partial", "told": described, "days": rows}

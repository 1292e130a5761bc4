"""``hnintel backfill``: its arguments, a line for each day, and its closing table."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Annotated, Any, Literal

import typer

from flows.local import backfill_plan
from flows.local.command import Ran, flow_at, in_prefect, load_dbt, refuse_days_not_held, writable
from flows.local.options import AsJson, PrefectLogs, Source, Stages, guarded_with_json, run_script
from hnintel.cost.budget import refuse_unapproved
from hnintel.enrich import accepted
from hnintel.errors import UsageError
from hnintel.ledger import stage_names
from hnintel.partitions import graph
from hnintel.partitions.calendar import Span, in_words, parse_range
from hnintel.partitions.pipeline import Pipeline
from hnintel.planning.backfill import BackfillPlan, plan_backfill
from hnintel.planning.work import Only, choose_work, not_ready
from hnintel.process.progress import Lines
from hnintel.settings import Settings, load_settings
from hnintel.sources import refuse_without_days
from hnintel.warehouse import open_warehouse
from hnintel.window import refuse_future, utc_now, yesterday

EXAMPLE = "hnintel backfill --from 2026-10 --plan"


class _Days(Lines):
    """Reports days only: the stages of concurrent days would be mixed."""

    def update(self, stage: str, done: int, total: int | None = None, note: str = "") -> None:
        """Ignore the progress of stages."""

    def finish(self, stage: str, note: str = "") -> None:
        """Print a line when a day progresses, and for the marts of all days."""
        if stage.startswith("backfill ") or stage == stage_names.TRANSFORM:
            print(f"{stage.removeprefix('backfill ')}: {note}", file=sys.stderr, flush=True)


@dataclass(frozen=True)
class _Asked:
    """The arguments."""

    first: str
    last: str | None
    source: str | None
    stages: list[str]
    only: Only
    concurrency: int
    order: Literal["oldest", "newest"]
    plan: bool
    yes: bool
    as_json: bool
    prefect_logs: bool


def run(
    first: Annotated[
        str,
        typer.Option("--from", metavar="DAY", help="The first day (2026-10-22), week (2026-W43) or month (2026-10)."),
    ],
    last: Annotated[
        str | None, typer.Option("--to", metavar="DAY", help="The last day, week or month (default: that of --from).")
    ] = None,
    source: Source = None,
    stage: Stages = None,
    only: Annotated[
        Only, typer.Option(help="Which stages to run: due, a kind of due stage, or all, done or not.")
    ] = "due",
    concurrency: Annotated[int, typer.Option(min=1, max=64, metavar="N", help="How many days to run at once.")] = 2,
    order: Annotated[Literal["oldest", "newest"], typer.Option(help="Which days to run first.")] = "oldest",
    plan: Annotated[
        bool, typer.Option("--plan", help="Only print what would be fetched and asked, and its cost; ask nothing.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Begin without asking for approval of the cost.")] = False,
    as_json: AsJson = False,
    prefect_logs: PrefectLogs = False,
) -> int:
    """Run the stages that are due of every day in a range of days, weeks or months."""
    words = list(stage or [])
    options = _Asked(first, last, source, words, only, concurrency, order, plan, yes, as_json, prefect_logs)
    return guarded_with_json(lambda: _run(options), as_json)


def main(argv: list[str]) -> int:
    """``python flows/backfill.py``: the same command as a script; the exit code."""
    return run_script(run, "flows/backfill.py", EXAMPLE.replace("hnintel backfill", "python flows/backfill.py"), argv)


def _run(options: _Asked) -> int:
    settings = load_settings(source=options.source)
    pipeline = Pipeline(open_warehouse(settings), settings, settings.source)
    accepted.refuse_changed(pipeline.enrichments, settings.enrichments_path)
    now = datetime.now(UTC)
    span = parse_range(options.first, options.last or options.first, yesterday(now, settings.time_zone))
    chosen = graph.choose(pipeline.stages, options.stages)
    refuse_future(span.last, now, settings.time_zone)
    span.refuse_before(settings.first_day)
    refuse_without_days(pipeline.source, settings.source, settings.time_zone)
    if stage_names.INGEST in chosen:
        span = refuse_days_not_held(pipeline.source, settings.source, settings.time_zone, span.first, span.last)
    writable(settings.folder)
    planned = _planned(pipeline, span, chosen, options)
    backfill_plan.show(planned, span)
    approved = not options.plan and bool(planned.works) and _agreed(options, planned, settings)
    report: dict[str, Any] = {"status": "planned" if options.plan else "complete", **planned.as_json()}
    if planned.works and not options.plan:

        def start() -> Ran:
            if stage_names.TRANSFORM in chosen:
                load_dbt()
            words = [
                span.first,
                span.last,
                settings.source,
                options.stages,
                options.only,
                options.concurrency,
                options.order,
            ]
            return partial(flow_at("flows/backfill.py:backfill"), *words, approved=approved)

        report = in_prefect(settings, options.prefect_logs, start, _Days())
        _close(report)
    if options.as_json:
        print(json.dumps(report, default=str), flush=True)
    return 0


def _planned(pipeline: Pipeline, span: Span, chosen: frozenset[str], options: _Asked) -> BackfillPlan:
    """Return the plan of the days with stages to run.

    Raises:
        UsageError: no day can run, because the inputs of its stages are missing.
    """
    now = utc_now()
    with pipeline.warehouse.transaction(stage="enrich") as session:
        works = choose_work(session, pipeline, span, chosen, options.only, now, newest_first=options.order == "newest")
        missing = not_ready(session, pipeline, works, now)
    if missing:
        days = in_words(sorted(missing))
        why = f"{next(iter(missing.values()))}: leave out --stage, or run those days first"
        if len(missing) == len(works):
            raise UsageError(f"nothing can be done of {days}: {why}")
        print(f"note: nothing can be done of {days}: {why}", file=sys.stderr)
    return plan_backfill(pipeline.warehouse, pipeline, works, chosen)


def _agreed(options: _Asked, planned: BackfillPlan, settings: Settings) -> bool:
    """Whether the cost is approved: a person at a terminal is asked, a script gives ``--yes``.

    Raises:
        UsageError: the answer was no, or a script may spend too much without having said so.
    """
    if options.yes:
        return True
    if not sys.stdin.isatty():
        refuse_unapproved(planned.total, settings, len(planned.unpriced))
        return False
    print("begin? [y/N] ", end="", file=sys.stderr, flush=True)
    if sys.stdin.readline().strip().lower() not in ("y", "yes"):
        raise UsageError("nothing was begun: say yes, or give --yes")
    return True


def _close(report: Mapping[str, Any]) -> None:
    print(report["told"], file=sys.stderr)
    backfill_plan.print_rows(
        [[row["day"], row["status"], row["left"]] for row in report["days"]], ("day", "status", "left")
    )

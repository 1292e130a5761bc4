"""``hnintel run``: its arguments, its progress, its closing table, and its errors."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import partial
from typing import Annotated, Any, Literal

import typer
from rich.console import Console
from rich.table import Table

from flows.local import prefect_home
from flows.local.command import (
    Ran,
    check_warehouse,
    flow_at,
    in_prefect,
    leave,
    load_dbt,
    refuse_days_not_held,
    tell,
    writable,
)
from flows.local.options import AsJson, PrefectLogs, Source, Stages, guarded_with_json, run_script
from hnintel.cli.exit_codes import UNEXPECTED
from hnintel.enrich import accepted
from hnintel.errors import counted
from hnintel.ledger import stage_names
from hnintel.partitions import graph
from hnintel.partitions.pipeline import Pipeline
from hnintel.planning.day import plan as plan_day
from hnintel.process import progress
from hnintel.runs.summary import as_rows
from hnintel.settings import Settings, load_settings
from hnintel.sources import open_source, refuse_without_days
from hnintel.warehouse import open_warehouse
from hnintel.window import day_of, parse_day, refuse_before, refuse_future, yesterday

__all__ = ["leave", "main", "run"]

EXAMPLE = "hnintel run --source sample --day 2026-10-22"


@dataclass(frozen=True)
class _Asked:
    """The arguments."""

    source: str | None
    day: str | None
    stages: list[str]
    hours: bool
    again: bool
    plan: bool
    as_json: bool
    prefect_logs: bool


def run(
    day: Annotated[
        str | None,
        typer.Option(
            metavar="YYYY-MM-DD",
            help="The day to run, or today or yesterday (default: live: yesterday, with --hours today; other sources: "
            "their newest day).",
        ),
    ] = None,
    source: Source = None,
    stage: Stages = None,
    hours: Annotated[
        bool,
        typer.Option(
            "--hours",
            help="Read only the finished hours that were not read yet, and stories whose scores still change.",
        ),
    ] = False,
    again: Annotated[bool, typer.Option("--again", help="Run stages again that are already done.")] = False,
    plan: Annotated[
        bool, typer.Option("--plan", help="Only print what AI would be asked and its cost; ask nothing.")
    ] = False,
    as_json: AsJson = False,
    prefect_logs: PrefectLogs = False,
) -> int:
    """Run the whole pipeline for one day; stages that are already done are skipped."""
    options = _Asked(source, day, list(stage or []), hours, again, plan, as_json, prefect_logs)

    def do() -> int:
        return _print_plan(options) if options.plan else _close(_one_day(options), as_json)

    return guarded_with_json(do, as_json)


def main(argv: list[str]) -> int:
    """``python flows/main.py``: the same command as a script; the exit code."""
    return run_script(run, "flows/main.py", EXAMPLE.replace("hnintel run", "python flows/main.py"), argv)


def _one_day(options: _Asked) -> dict[str, Any]:
    began = time.monotonic()
    settings = load_settings(source=options.source)
    pipeline = Pipeline(open_warehouse(settings), settings, settings.source)
    chosen = graph.choose(pipeline.stages, options.stages)
    day: date | Literal["today"] | None = _checked(options.day, settings, reads=stage_names.INGEST in chosen)
    if options.hours and day is None and settings.source == "live":
        day = "today"
    accepted.refuse_changed(pipeline.enrichments, settings.enrichments_path)
    writable(settings.folder)
    check_warehouse(settings)
    summary = None if options.hours or options.again else _done_already(pipeline, _default(options, settings), chosen)
    if summary is None:

        def start() -> Ran:
            if stage_names.TRANSFORM in chosen:
                load_dbt()
            return partial(
                flow_at("flows/main.py:hacker_news"),
                day,
                settings.source,
                options.stages,
                options.again,
                hours=options.hours,
            )

        summary = in_prefect(settings, options.prefect_logs, start)
    summary["seconds"]["all"] = round(time.monotonic() - began, 2)
    return summary


def _done_already(pipeline: Pipeline, day: date, chosen: frozenset[str]) -> dict[str, Any] | None:
    """Return the summary of a run with nothing to do; None if a stage is due, or if Prefect has to record the run.

    With a Prefect API of the user's own, every run is recorded there.
    """
    settings = pipeline.settings
    if settings.warehouse == "snowflake" and settings.snowflake_block:
        return None
    from flows.local import done_day  # imports what writes pages: not for --help or --plan

    skipped = done_day.skipped(pipeline, day, chosen)
    if skipped is None or prefect_home.own_api() is not None:
        return None
    progress.use(progress.Lines())
    return done_day.record(pipeline, day, skipped)


def _default(options: _Asked, settings: Settings) -> date:
    """Return the requested day, else the newest day of the source, else yesterday."""
    now, zone = datetime.now(UTC), settings.time_zone
    if options.day is not None:
        return parse_day(options.day, day_of(now, zone))
    return open_source(settings.source, settings).newest_day(zone) or yesterday(now, zone)


def _print_plan(options: _Asked) -> int:
    """Print what the run would ask and its cost; without Prefect, writing nothing but a new home folder."""
    settings = load_settings(source=options.source)
    _checked(options.day, settings)
    day = _default(options, settings)
    writable(settings.folder)
    planned = plan_day(open_warehouse(settings), day, settings)
    total = planned.total
    title = f"What a run of {day} would ask about its {counted(planned.items, 'stored item')}"
    table = Table(title=title, title_justify="left", box=None, pad_edge=False)
    for name in ("stage", "questions", "tokens in", "tokens out", "cost"):
        table.add_column(name, justify="left" if name == "stage" else "right", overflow="fold")
    for name, estimate in [*planned.stages.items(), ("together", total)]:
        table.add_row(
            name, str(estimate.rows), str(estimate.input_tokens), str(estimate.output_tokens), estimate.cost_in_words()
        )
    console = Console(stderr=True, soft_wrap=True)
    console.print(table)
    if not planned.items:
        console.print("no item of this day is stored yet: the questions are known once its items are read")
    if options.as_json:
        print(json.dumps(planned.as_json()), flush=True)
    return 0


def _checked(requested: str | None, settings: Settings, reads: bool = True) -> date | None:
    """Check the arguments before anything is started or written, and return the day if it was given.

    Args:
        requested: the day, in words.
        settings: with the source.
        reads: whether the day is to be read from it.
    """
    now = datetime.now(UTC)
    day = parse_day(requested, day_of(now, settings.time_zone)) if requested is not None else None
    source = open_source(settings.source, settings)
    if day is not None:
        refuse_future(day, now, settings.time_zone)
        refuse_before(day, settings.first_day)
    refuse_without_days(source, settings.source, settings.time_zone)  # reads a dump: a broken one ends here
    if day is not None and reads:
        refuse_days_not_held(source, settings.source, settings.time_zone, day, day)
    return day


def _close(summary: dict[str, Any], as_json: bool) -> int:
    """Print the closing table, and the JSON; a failure to print does not fail the run."""
    table = Table(
        title=f"Hacker News on {summary['day']}, from {summary['source']}: {summary['status']}", show_header=False
    )
    for name, line in as_rows(summary):
        table.add_row(name, line)
    try:
        Console(stderr=True, soft_wrap=True).print(table)
        if as_json:
            print(json.dumps(summary, default=str), flush=True)
    except OSError as error:
        return tell(f"the run is done, but its summary could not be written ({error.strerror})", UNEXPECTED)
    return 0

"""``hnintel reconcile``: its arguments and what it prints."""

from __future__ import annotations

import json
import sys
from functools import partial
from typing import Annotated, Any

import typer

from flows.local.command import Ran, flow_at, in_prefect, writable
from flows.local.options import AsJson, PrefectLogs, Source, guarded_with_json, run_script
from hnintel.partitions.calendar import in_words
from hnintel.partitions.pipeline import Pipeline
from hnintel.planning.cut_short import close_dead
from hnintel.planning.due import days_due, left_to_people
from hnintel.planning.remedy import command_for
from hnintel.settings import load_settings
from hnintel.sources import open_source
from hnintel.warehouse import open_warehouse
from hnintel.window import utc_now

EXAMPLE = "hnintel reconcile --plan"


def run(
    source: Source = None,
    plan: Annotated[bool, typer.Option("--plan", help="Only print which days are due, and why.")] = False,
    as_json: AsJson = False,
    prefect_logs: PrefectLogs = False,
) -> int:
    """Run every day that is due: missed, failed or settling days, and days with dead letters to retry."""
    return guarded_with_json(lambda: _run(source, plan, as_json, prefect_logs), as_json)


def main_reconcile(argv: list[str]) -> int:
    """``python flows/reconcile.py``: the same command as a script; the exit code."""
    line = EXAMPLE.replace("hnintel reconcile", "python flows/reconcile.py")
    return run_script(run, "flows/reconcile.py", line, argv)


def _run(source: str | None, plan: bool, as_json: bool, prefect_logs: bool) -> int:
    settings = load_settings(source=source)
    open_source(settings.source, settings)
    writable(settings.folder)
    pipeline = Pipeline(open_warehouse(settings), settings, settings.source)
    with pipeline.warehouse.transaction(stage="enrich") as session:
        due = days_due(session, pipeline, now := utc_now())
        left = left_to_people(session, pipeline, due)
        if not plan:
            close_dead(session, now)
    for due_day in due:
        print(
            f"{due_day.day}: {due_day.why}{f' (only {due_day.stages[0]})' if due_day.stages else ''}", file=sys.stderr
        )
    if not due:
        print("nothing is due", file=sys.stderr)
    if left:
        days = in_words(left)
        does = f"{command_for(left, pipeline)} does {'it' if len(left) == 1 else 'them'}"
        print(f"left, for it failed too long ago or too often: {days}; {does}", file=sys.stderr)
    report: dict[str, Any] = {
        "source": settings.source,
        "days": {str(due_day.day): {"why": due_day.why} for due_day in due},
    }
    if due and not plan:

        def start() -> Ran:
            return partial(flow_at("flows/reconcile.py:reconcile"), settings.source)

        report = in_prefect(settings, prefect_logs, start)
    if as_json:
        print(json.dumps(report, default=str))
    return 0

"""``python flows/main.py``: arguments in, progress and a closing table out, one line and an exit code for an error."""

from __future__ import annotations

import argparse
import json
import sys
import time
from datetime import UTC, date, datetime
from functools import partial
from typing import Any, Literal

from rich.console import Console
from rich.table import Table

from flows.local.command import (
    UNEXPECTED,
    Parser,
    Ran,
    add_stages,
    guarded,
    in_prefect,
    leave,
    load_dbt,
    parser,
    tell,
    tell_of_no_story,
    writable,
)
from hnintel.enrich import accepted
from hnintel.enrich.declaration import load_enrichments
from hnintel.errors import HnIntelError, UsageError
from hnintel.partitions import graph
from hnintel.partitions.calendar import in_words
from hnintel.partitions.pipeline import Making
from hnintel.planning.cut_short import close_dead
from hnintel.planning.day import plan
from hnintel.planning.due import days_due, left_to_people
from hnintel.planning.remedy import command_for
from hnintel.runs.summary import as_rows
from hnintel.settings import Settings, load_settings
from hnintel.sources import open_source, refuse_without_days
from hnintel.warehouse import open_warehouse
from hnintel.window import day_of, parse_day, refuse_future, yesterday

__all__ = ["leave", "main", "main_reconcile", "main_watch"]


def main(argv: list[str]) -> int:
    """``flows/main.py``: run one day as the arguments say; the exit code."""

    def run() -> int:
        asked = _arguments(argv)
        try:
            if asked.plan:
                return _tell_plan(asked)
            told = _one_day(asked)
        except HnIntelError as error:
            if asked.json:  # a script that reads stdout is told too
                print(json.dumps({"status": "failed", "error": str(error), "exit_code": error.exit_code}))
            raise
        return _close(told, as_json=asked.json)

    return guarded(run)


def _one_day(asked: argparse.Namespace) -> dict[str, Any]:
    settings = load_settings(source=asked.source)
    day: date | Literal["today"] | None = _checked(asked.day, settings)
    if asked.hours and day is None and settings.source == "live":
        day = "today"
    enrichments = load_enrichments(settings.enrichments_path)
    accepted.refuse_changed(enrichments, settings.enrichments_path)
    chosen = graph.choose(graph.stages_of(enrichments), asked.stage)

    def start() -> Ran:
        from flows.main import hacker_news

        if graph.TRANSFORM in chosen:
            load_dbt()
        return partial(hacker_news, day, settings.source, asked.stage, asked.again, hours=asked.hours)

    began = time.monotonic()
    told = in_prefect(settings, asked.prefect_logs, start)
    told["seconds"]["all"] = round(time.monotonic() - began, 2)
    return told


def _tell_plan(asked: argparse.Namespace) -> int:
    """What the run would ask and what that would cost; no Prefect, no question, nothing written but a new home."""
    settings = load_settings(source=asked.source)
    now = datetime.now(UTC)
    newest = open_source(settings.source, settings).newest_day(settings.time_zone)
    day = _checked(asked.day, settings) or newest or yesterday(now, settings.time_zone)
    writable(settings.folder)
    planned = plan(open_warehouse(settings), day, settings)
    total = planned.total
    table = Table(title=f"What a run of {day} would ask about the {planned.items} items that are here")
    for name in ("stage", "questions", "tokens in", "tokens out", "cost"):
        table.add_column(name, justify="left" if name == "stage" else "right")
    for name, one in [*planned.stages.items(), ("together", total)]:
        table.add_row(name, str(one.rows), str(one.input_tokens), str(one.output_tokens), one.cost_in_words())
    console = Console(stderr=True, soft_wrap=True)
    console.print(table)
    if not planned.items:
        console.print("nothing of this day is here yet: what it would ask is known once its items are read")
    if asked.json:
        print(json.dumps(planned.as_json()), flush=True)
    return 0


def main_reconcile(argv: list[str]) -> int:
    """``flows/reconcile.py``: run again what is due, or with ``--plan`` only say what that is; the exit code."""

    def run() -> int:
        made = parser(
            "flows/reconcile.py", "Run what was missed, what failed, what settles, and dead letters that are due."
        )
        made.add_argument("--plan", action="store_true", help="only say which days are due, and why")
        asked = made.parse_args(argv)
        settings = load_settings(source=asked.source)
        open_source(settings.source, settings)
        writable(settings.folder)
        making = Making(open_warehouse(settings), settings, settings.source)
        with making.warehouse.transaction() as session:
            due = days_due(session, making, now := datetime.now(UTC).replace(tzinfo=None))
            left = left_to_people(session, making, due)
            if not asked.plan:
                close_dead(session, now)
        for one in due:
            print(f"{one.day}: {one.why}{f' (only {one.stages[0]})' if one.stages else ''}", file=sys.stderr)
        if not due:
            print("nothing is due", file=sys.stderr)
        if left:
            days = in_words(left)
            does = f"{command_for(left, making)} does {'it' if len(left) == 1 else 'them'}"
            print(f"left, for it failed too long ago or too often: {days}; {does}", file=sys.stderr)
        told: dict[str, Any] = {"source": settings.source, "days": {str(one.day): {"why": one.why} for one in due}}
        if due and not asked.plan:

            def start() -> Ran:
                from flows.reconcile import reconcile

                return partial(reconcile, settings.source)

            told = in_prefect(settings, asked.prefect_logs, start)
        if asked.json:
            print(json.dumps(told, default=str))
        return 0

    return guarded(run)


def main_watch(argv: list[str]) -> int:
    """``flows/watch.py``: poll once, and say what was announced and what was left out; the exit code."""

    def run() -> int:
        made = Parser(
            prog="python flows/watch.py",
            description="Poll once: announce what is new at the source (HNINTEL_SOURCE) and in HNINTEL_WATCH_DUMPS.",
            epilog="Deployed as flows/watch.py:watch it polls every five minutes. Who is to hear of it listens at "
            "PREFECT_API_URL: where that is not set, the run's own server takes what is announced, and ends with it.",
        )
        made.add_argument("--json", action="store_true", help="end with one JSON object on stdout")
        made.add_argument("--prefect-logs", action="store_true", help="show Prefect's own logs too")
        asked = made.parse_args(argv)

        def start() -> Ran:
            from flows.watch import watch

            return watch  # type: ignore[return-value]  # of a state, Prefect gives the caller what is in it

        told = in_prefect(load_settings(), asked.prefect_logs, start)
        for line in [*(f"announced: {event}" for event in told["told"]), *told["skipped"]]:
            print(line, file=sys.stderr)
        if asked.json:
            print(json.dumps(told))
        return 0

    return guarded(run)


def _arguments(argv: list[str]) -> argparse.Namespace:
    made = parser("flows/main.py", "Run one day of Hacker News through the whole pipeline.")
    made.add_argument(
        "--day",
        metavar="YYYY-MM-DD",
        help="the day to run, or today (default: of live yesterday, or with --hours today; else the newest with items)",
    )
    add_stages(made)
    made.add_argument(
        "--hours",
        action="store_true",
        help="read only the hours of the day that are over and were not read yet, and what moves",
    )
    made.add_argument("--again", action="store_true", help="do stages that are done once more")
    made.add_argument(
        "--plan", action="store_true", help="only say what would be asked of AI, and what it would cost; asks nothing"
    )
    return made.parse_args(argv)


def _checked(asked: str | None, settings: Settings) -> date | None:
    """Refuse what can be refused before anything is started or written."""
    now = datetime.now(UTC)
    day = day_of(now, settings.time_zone) if asked == "today" else parse_day(asked) if asked is not None else None
    source = open_source(settings.source, settings)
    if day is not None:
        refuse_future(day, now, settings.time_zone)
        if day < settings.first_day:
            raise UsageError(f"{day} is before the first day wanted, HNINTEL_FIRST_DAY={settings.first_day}")
    refuse_without_days(source, settings.source, settings.time_zone)  # reads a dump: a broken one ends here
    if day is not None:
        tell_of_no_story(source, settings, day, day)
    return day


def _close(told: dict[str, Any], as_json: bool) -> int:
    """The table, and the JSON; the run is done and kept, whether or not anybody can be told."""
    table = Table(title=f"Hacker News on {told['day']}, from {told['source']}: {told['status']}", show_header=False)
    for name, line in as_rows(told):
        table.add_row(name, line)
    try:
        Console(stderr=True, soft_wrap=True).print(table)
        if as_json:
            print(json.dumps(told, default=str), flush=True)
    except OSError as error:
        return tell(f"the run is done, but its summary could not be written ({error.strerror})", UNEXPECTED)
    return 0

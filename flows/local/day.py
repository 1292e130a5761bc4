"""``python flows/main.py``: arguments in, progress and a closing table out, one line and an exit code for an error."""

from __future__ import annotations

import argparse
import json
import time
from datetime import UTC, date, datetime
from functools import partial
from typing import Any, Literal

from rich.console import Console
from rich.table import Table

from flows.local.command import (
    UNEXPECTED,
    Ran,
    add_stages,
    flow_at,
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
from hnintel.errors import HnIntelError
from hnintel.ledger import stage_names
from hnintel.partitions import graph
from hnintel.partitions.stage import load_stages
from hnintel.planning.day import plan
from hnintel.runs.summary import as_rows
from hnintel.settings import Settings, load_settings
from hnintel.sources import open_source, refuse_without_days
from hnintel.warehouse import open_warehouse
from hnintel.window import day_of, parse_day, refuse_before, refuse_future, yesterday

__all__ = ["leave", "main"]


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
    chosen = graph.choose(graph.ordered(load_stages(enrichments, settings.stages_path)), asked.stage)

    def start() -> Ran:
        if stage_names.TRANSFORM in chosen:
            load_dbt()
        return partial(
            flow_at("flows/main.py:hacker_news"), day, settings.source, asked.stage, asked.again, hours=asked.hours
        )

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
        refuse_before(day, settings.first_day)
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

"""``python flows/backfill.py``: arguments in, a line a day, a closing table out."""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any

from rich.console import Console
from rich.table import Column, Table

from flows.local.command import (
    Ran,
    add_stages,
    flow_at,
    guarded,
    in_prefect,
    load_dbt,
    parser,
    tell_of_no_story,
    writable,
)
from hnintel.cost.budget import refuse_unapproved
from hnintel.enrich import accepted
from hnintel.errors import HnIntelError, UsageError
from hnintel.ledger import stage_names
from hnintel.partitions import graph
from hnintel.partitions.calendar import Span, parse_range
from hnintel.partitions.pipeline import Pipeline
from hnintel.planning.backfill import BackfillPlan, cost_of, plan_backfill
from hnintel.planning.work import ONLY, choose_work
from hnintel.process.progress import Lines
from hnintel.settings import Settings, load_settings
from hnintel.sources import refuse_without_days
from hnintel.warehouse import open_warehouse
from hnintel.window import refuse_future, utc_now, yesterday


class _Days(Lines):
    """Tells of days alone: the stages of several at once would be all mixed up."""

    def update(self, stage: str, done: int, total: int | None = None, note: str = "") -> None:
        """Nothing of a stage."""

    def finish(self, stage: str, note: str = "") -> None:
        """A line where a day has come further, and for the marts of all of them."""
        if stage.startswith("backfill ") or stage == stage_names.TRANSFORM:
            print(f"{stage.removeprefix('backfill ')}: {note}", file=sys.stderr, flush=True)


def main(argv: list[str]) -> int:
    """``flows/backfill.py``: do what is left of a range of days, or with ``--plan`` say what; the exit code."""

    def run() -> int:
        asked = _arguments(argv)
        try:
            return _run(asked)
        except HnIntelError as error:
            if asked.json:  # a script that reads stdout is told too
                print(json.dumps({"status": "failed", "error": str(error), "exit_code": error.exit_code}))
            raise

    return guarded(run)


def _run(asked: argparse.Namespace) -> int:
    settings = load_settings(source=asked.source)
    pipeline = Pipeline(open_warehouse(settings), settings, settings.source)
    accepted.refuse_changed(pipeline.enrichments, settings.enrichments_path)
    now = datetime.now(UTC)
    span = parse_range(asked.first, asked.last or asked.first, yesterday(now, settings.time_zone))
    chosen = graph.choose(pipeline.stages, asked.stage)
    refuse_future(span.last, now, settings.time_zone)
    span.refuse_before(settings.first_day)
    refuse_without_days(pipeline.source, settings.source, settings.time_zone)
    tell_of_no_story(pipeline.source, settings, span.first, span.last)
    writable(settings.folder)
    planned = _planned(pipeline, span, chosen, asked)
    _tell_plan(planned, span)
    approved = not asked.plan and bool(planned.works) and _agreed(asked, planned, settings)
    told: dict[str, Any] = {"status": "complete", **planned.as_json()}
    if asked.plan or planned.works:

        def start() -> Ran:
            if stage_names.TRANSFORM in chosen:
                load_dbt()
            words = [span.first, span.last, settings.source, asked.stage, asked.only, asked.concurrency, asked.order]
            return partial(flow_at("flows/backfill.py:backfill"), *words, asked.plan, approved=approved)

        told = in_prefect(settings, asked.prefect_logs, start, _Days())
    if told["status"] != "planned" and planned.works:
        _close(told)
    if asked.json:
        print(json.dumps(told, default=str), flush=True)
    return 0


def _arguments(argv: list[str]) -> argparse.Namespace:
    made = parser("flows/backfill.py", "Do what is left of a range of days.")
    made.add_argument("--from", dest="first", required=True, metavar="DAY", help="the first day, or a week or month")
    made.add_argument("--to", dest="last", metavar="DAY", help="the last day, or a week or month (default: as --from)")
    add_stages(made)
    made.add_argument("--only", choices=ONLY, default="due", help="which partitions (default: all that is due)")
    made.add_argument("--concurrency", type=_at_once, default=2, metavar="N", help="days at once (2)")
    made.add_argument("--order", choices=("oldest", "newest"), default="oldest", help="which days come first")
    made.add_argument("--plan", action="store_true", help="only say what it would fetch, ask and cost; asks nothing")
    made.add_argument("--yes", action="store_true", help="do not ask before it begins what costs money")
    return made.parse_args(argv)


def _at_once(given: str) -> int:
    """How many days at once; argparse's own choices would print every number."""
    if not given.isdecimal() or not 1 <= int(given) <= 64:
        raise argparse.ArgumentTypeError(f"'{given}' is no number from 1 to 64")
    return int(given)


def _planned(pipeline: Pipeline, span: Span, chosen: frozenset[str], asked: argparse.Namespace) -> BackfillPlan:
    now = utc_now()
    with pipeline.warehouse.transaction(stage="enrich") as session:
        works = choose_work(session, pipeline, span, chosen, asked.only, now, newest_first=asked.order == "newest")
    return plan_backfill(pipeline.warehouse, pipeline, works, chosen)


def _agreed(asked: argparse.Namespace, planned: BackfillPlan, settings: Settings) -> bool:
    """Whether a person has said yes: one at a terminal is asked, a script says so by ``--yes``.

    Raises:
        UsageError: the answer was no, or a script may spend too much without having said so.
    """
    if asked.yes:
        return True
    if not sys.stdin.isatty():
        refuse_unapproved(planned.total, settings, len(planned.unpriced))
        return False
    print("begin? [y/N] ", end="", file=sys.stderr, flush=True)
    if sys.stdin.readline().strip().lower() not in ("y", "yes"):
        raise UsageError("nothing was begun: say yes, or give --yes")
    return True


def _tell_plan(planned: BackfillPlan, span: Span) -> None:
    total = planned.total
    title = f"{span.first} to {span.last}: {len(planned.works)} days have something to be done ({planned.stages})"
    if not planned.works:
        print(f"{span.first} to {span.last}: nothing is left to be done ({planned.stages})", file=sys.stderr)
        return
    rows = planned.rows()
    shown = [
        row | {"by": row["estimated_from"], "cost": cost_of(row), "does": _in_short(row["stages"])} for row in rows
    ]
    _print(title, shown, ("day", "does", "fetches", "questions", "tokens", "cost", "by", "why"))
    fetches = sum(planned.fetches.values())
    tokens = total.input_tokens + total.output_tokens
    together = f"{fetches} fetches, {total.rows} questions, {tokens} tokens, {total.cost_in_words()}"
    unknown = f"; of {len(planned.unknown)} days nothing is known yet" if planned.unknown else ""
    print(f"together: {together}{unknown}", file=sys.stderr)


def _in_short(stages: str) -> str:
    """Enrichments are counted: ``enrich:topic, enrich:entities, transform`` is ``2 enrich, transform``."""
    kinds = Counter(stage.partition(":")[0] for stage in stages.split(", "))
    return ", ".join(kind if count == 1 else f"{count} {kind}" for kind, count in kinds.items())


def _close(told: Mapping[str, Any]) -> None:
    _print(told["told"], told["days"], ("day", "status", "left"))


def _print(title: str, rows: Sequence[Mapping[str, Any]], names: Sequence[str]) -> None:
    table = Table(*(Column(name, no_wrap=name != "does" and name != "why") for name in names), title=title)
    for row in rows:
        table.add_row(*("?" if row[name] is None else str(row[name]) for name in names))
    Console(stderr=True).print(table)

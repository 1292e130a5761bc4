"""``python flows/reconcile.py``: its arguments and what it prints."""

from __future__ import annotations

import json
import sys
from functools import partial
from typing import Any

from flows.local.command import (
    Ran,
    flow_at,
    guarded,
    in_prefect,
    parser,
    writable,
)
from hnintel.partitions.calendar import in_words
from hnintel.partitions.pipeline import Pipeline
from hnintel.planning.cut_short import close_dead
from hnintel.planning.due import days_due, left_to_people
from hnintel.planning.remedy import command_for
from hnintel.settings import load_settings
from hnintel.sources import open_source
from hnintel.warehouse import open_warehouse
from hnintel.window import utc_now


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
        pipeline = Pipeline(open_warehouse(settings), settings, settings.source)
        with pipeline.warehouse.transaction(stage="enrich") as session:
            due = days_due(session, pipeline, now := utc_now())
            left = left_to_people(session, pipeline, due)
            if not asked.plan:
                close_dead(session, now)
        for one in due:
            print(f"{one.day}: {one.why}{f' (only {one.stages[0]})' if one.stages else ''}", file=sys.stderr)
        if not due:
            print("nothing is due", file=sys.stderr)
        if left:
            days = in_words(left)
            does = f"{command_for(left, pipeline)} does {'it' if len(left) == 1 else 'them'}"
            print(f"left, for it failed too long ago or too often: {days}; {does}", file=sys.stderr)
        told: dict[str, Any] = {"source": settings.source, "days": {str(one.day): {"why": one.why} for one in due}}
        if due and not asked.plan:

            def start() -> Ran:
                return partial(flow_at("flows/reconcile.py:reconcile"), settings.source)

            told = in_prefect(settings, asked.prefect_logs, start)
        if asked.json:
            print(json.dumps(told, default=str))
        return 0

    return guarded(run)

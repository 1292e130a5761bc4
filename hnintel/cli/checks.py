"""``python -m hnintel checks``: run the data checks of a day."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, date, datetime
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from hnintel.checks.check import in_a_line
from hnintel.checks.run import NO_DAY, day_to_check, refuse_if_blocked, run_checks
from hnintel.cli.present import has_warehouse
from hnintel.errors import UsageError
from hnintel.ledger.check_results import Result
from hnintel.settings import load_settings
from hnintel.warehouse import open_warehouse
from hnintel.window import day_of, parse_day

#: The run id of results of this command: it is no run, so its next results for the day replace these.
BY_HAND = "by-hand"
#: Columns of a line in a pipe, so that each check is one line.
_PIPED = 200


def checks(
    day: Annotated[
        str | None, typer.Option(help="The day: YYYY-MM-DD, today or yesterday (default: the newest day that was run).")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout.")] = False,
) -> None:
    """Run the data checks of a day without running its stages; exit with 6 if a blocking check fails."""
    settings = load_settings()
    requested = parse_day(day, day_of(datetime.now(UTC), settings.time_zone)) if day is not None else None
    if not has_warehouse(settings):
        raise UsageError(NO_DAY)
    warehouse = open_warehouse(settings)
    with warehouse.transaction(stage="enrich") as session:
        checked = day_to_check(session, requested)
    results = run_checks(warehouse, checked, settings, BY_HAND)
    if as_json:
        outcomes = [asdict(result) for result in results]
        print(json.dumps({"day": checked.isoformat(), "run_id": BY_HAND, "checks": outcomes}))
    else:
        _print(checked, results)
    refuse_if_blocked(results, checked, settings)


def _print(day: date, results: Sequence[Result]) -> None:
    table = Table(box=None, pad_edge=False)
    for heading in ("outcome", "blocking", "check", "detail"):
        table.add_column(heading)
    for result in results:
        table.add_row(result.outcome, "yes" if result.blocking else "no", result.name, result.detail)
    console = Console(width=None if sys.stdout.isatty() else _PIPED, markup=False, highlight=False)
    console.print(table)
    console.print(f"{day}: {in_a_line(results)}")

"""``python -m hnintel bill``: billed and estimated cost, a row for each day and currency."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from hnintel.checks.run import bill_checked
from hnintel.cost import billing
from hnintel.cost.bill import Bill, bills
from hnintel.settings import load_settings
from hnintel.warehouse import open_warehouse
from hnintel.window import parse_day

#: The run id of the check's results when this command runs it.
_RUN = "bill"


def bill(
    since: Annotated[
        str | None, typer.Option(metavar="YYYY-MM-DD", help=f"The first day (default: {billing.DAYS} days ago).")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout.")] = False,
) -> None:
    """Compare the cost that Snowflake billed with the estimate, for each day."""
    settings = load_settings()
    today = datetime.now(UTC).date()  # the bill's days are UTC
    first = parse_day(since, today) if since is not None else today - timedelta(days=billing.DAYS)
    warehouse = open_warehouse(settings)
    if settings.warehouse == "snowflake":
        days = bill_checked(warehouse, settings, _RUN, first)
    else:
        print(f"{settings.warehouse} sends no bill: these are estimates", file=sys.stderr)
        with warehouse.transaction(stage="enrich") as session:
            days = bills(session, first)
    if as_json:
        print(json.dumps({"since": str(first), "days": _by_day(days)}))
        return
    _print(days)


def _by_day(rows: Sequence[Bill]) -> dict[str, dict[str, Any]]:
    """Return the bill of each day; further currencies of a day are below ``other_currencies`` of its first."""
    days: dict[str, dict[str, Any]] = {}
    for row in rows:
        bill = {**asdict(row), "day": str(row.day), "ratio": row.ratio}
        first = days.setdefault(str(row.day), bill)
        if first is not bill:
            first.setdefault("other_currencies", {})[row.currency] = bill
    return days


def _print(rows: Sequence[Bill]) -> None:
    table = Table(box=None, pad_edge=False)
    for heading in ("day", "currency", "estimated", "billed", "ratio", "billed without answers", "warehouses"):
        table.add_column(heading, justify="left" if heading in ("day", "currency") else "right")
    for row in rows:
        ratio = f"{row.ratio:.2f}" if row.ratio else "-"
        figures = (row.estimated, row.billed, ratio, row.without_answers, row.compute)
        table.add_row(
            str(row.day), row.currency, *(cell if isinstance(cell, str) else f"{cell:.4f}" for cell in figures)
        )
    Console(highlight=False).print(table)

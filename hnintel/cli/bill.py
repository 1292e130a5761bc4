"""``python -m hnintel bill``: what was billed beside what was estimated, day by day, each currency by itself."""

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

#: What the results of the check are kept under, where no flow run asks.
_RUN = "bill"


def bill(
    since: Annotated[
        str | None, typer.Option(metavar="YYYY-MM-DD", help=f"The first day (default: {billing.DAYS} days ago).")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")] = False,
) -> None:
    """Read from Snowflake's usage views what was billed, and show it beside what was estimated."""
    settings = load_settings()
    today = datetime.now(UTC).date()  # the bill's days are UTC
    first = parse_day(since, today) if since is not None else today - timedelta(days=billing.DAYS)
    warehouse = open_warehouse(settings)
    if settings.warehouse == "snowflake":
        found = bill_checked(warehouse, settings, _RUN, first)
    else:
        print(f"{settings.warehouse} sends no bill; this is what was estimated", file=sys.stderr)
        with warehouse.transaction(stage="enrich") as session:
            found = bills(session, first)
    if as_json:
        print(json.dumps({"since": str(first), "days": _by_day(found)}))
        return
    _print(found)


def _by_day(found: Sequence[Bill]) -> dict[str, dict[str, Any]]:
    """The bill of each day; where it has several currencies, the others stand within that of the first."""
    days: dict[str, dict[str, Any]] = {}
    for one in found:
        bill = {**asdict(one), "day": str(one.day), "ratio": one.ratio}
        first = days.setdefault(str(one.day), bill)
        if first is not bill:
            first.setdefault("other_currencies", {})[one.currency] = bill
    return days


def _print(found: Sequence[Bill]) -> None:
    table = Table(box=None, pad_edge=False)
    for heading in ("day", "currency", "estimated", "billed", "ratio", "billed without answers", "warehouses"):
        table.add_column(heading, justify="left" if heading in ("day", "currency") else "right")
    for one in found:
        ratio = f"{one.ratio:.2f}" if one.ratio else "-"
        figures = (one.estimated, one.billed, ratio, one.without_answers, one.compute)
        table.add_row(
            str(one.day), one.currency, *(given if isinstance(given, str) else f"{given:.4f}" for given in figures)
        )
    Console(highlight=False).print(table)

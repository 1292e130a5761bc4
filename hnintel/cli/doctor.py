"""``python -m hnintel doctor``: whether all is there that a run needs, and what mends it."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from hnintel.doctor.finding import Finding, mends, missing
from hnintel.doctor.run import examine
from hnintel.errors import WarehouseError
from hnintel.settings import load_settings

#: Columns of a line where no terminal says how many it has.
_PIPED = 240


def doctor(
    warehouse: Annotated[str | None, typer.Option(help="duckdb or snowflake, in place of HNINTEL_WAREHOUSE.")] = None,
    ask: Annotated[bool, typer.Option("--ask", help="Ask each AI function one short question; this may cost.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")] = False,
    prefect_api_url: Annotated[
        str | None, typer.Option("--prefect", envvar="PREFECT_API_URL", help="Where Prefect's server is, if anywhere.")
    ] = None,
) -> None:
    """Look whether all is there that a run needs; say what is missing and what mends it, and then exit with code 4."""
    settings = load_settings(warehouse=warehouse)
    found = list(examine(settings, ask, prefect_api_url))
    if as_json:
        print(json.dumps({"warehouse": settings.warehouse, "checks": [asdict(one) for one in found]}))
    else:
        _print(found)
    lacks = missing(found)
    if lacks:
        names = ", ".join(one.name for one in lacks)
        raise WarehouseError(f"{len(lacks)} of {len(found)} checks are not met: {names}")


def _print(found: Sequence[Finding]) -> None:
    table = Table(box=None, pad_edge=False)
    for heading in ("outcome", "check", "detail"):
        table.add_column(heading)
    for one in found:
        table.add_row(one.outcome, one.name, one.detail)
    console = Console(width=None if sys.stdout.isatty() else _PIPED, markup=False, highlight=False)
    console.print(table)
    wanted = list(mends(found))
    if wanted:
        console.print("\nwhat mends it:")
        for mend in wanted:
            print(mend)  # never wrapped: it is to be copied

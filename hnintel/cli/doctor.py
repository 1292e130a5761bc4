"""``python -m hnintel doctor``: check what a run requires, and print how to fix what is missing."""

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
from hnintel.errors import WarehouseError
from hnintel.settings import load_settings

#: Columns of a line in a pipe.
_PIPED = 240


def doctor(
    warehouse: Annotated[str | None, typer.Option(help="duckdb or snowflake (default: HNINTEL_WAREHOUSE).")] = None,
    ask: Annotated[
        bool, typer.Option("--ask", help="Also send each AI function a short question, which may cost money.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout.")] = False,
    prefect_api_url: Annotated[
        str | None,
        typer.Option("--prefect", envvar="PREFECT_API_URL", help="The URL of Prefect's API, if a server runs."),
    ] = None,
) -> None:
    """Check everything that a run requires; print how to fix what is missing, and exit with 4 if anything is."""
    from hnintel.doctor.run import examine  # imports every engine: not for --help

    settings = load_settings(warehouse=warehouse)
    findings = list(examine(settings, ask, prefect_api_url))
    if as_json:
        print(json.dumps({"warehouse": settings.warehouse, "checks": [asdict(finding) for finding in findings]}))
    else:
        _print(findings)
    unmet = missing(findings)
    if unmet:
        names = ", ".join(finding.name for finding in unmet)
        raise WarehouseError(f"{len(unmet)} of {len(findings)} checks are not met: {names}")


def _print(findings: Sequence[Finding]) -> None:
    table = Table(box=None, pad_edge=False)
    for heading in ("outcome", "check", "detail"):
        table.add_column(heading)
    for finding in findings:
        table.add_row(finding.outcome, finding.name, finding.detail)
    console = Console(width=None if sys.stdout.isatty() else _PIPED, markup=False, highlight=False)
    console.print(table)
    commands = list(mends(findings))
    if commands:
        console.print("\nto fix it:")
        for command in commands:
            print(command)  # never wrapped: it is to be copied

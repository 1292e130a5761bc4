"""What several commands share: the option ``--json``, and whether the warehouse exists."""

from __future__ import annotations

from typing import Annotated

import typer

from hnintel.settings import Settings

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout.")]


def has_warehouse(settings: Settings) -> bool:
    """Whether the DuckDB file exists; a Snowflake warehouse is assumed to."""
    return settings.warehouse != "duckdb" or settings.warehouse_file.exists()


def no_warehouse(settings: Settings) -> str:
    """The part of a sentence that says that the warehouse's file does not exist."""
    return f"there is no warehouse at {settings.warehouse_file}"

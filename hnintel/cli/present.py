"""Whether there is a warehouse to look at: a command that only looks makes none."""

from __future__ import annotations

from hnintel.settings import Settings


def has_warehouse(settings: Settings) -> bool:
    """Whether the warehouse is there; one in Snowflake is asked itself."""
    return settings.warehouse != "duckdb" or settings.warehouse_file.exists()


def no_warehouse(settings: Settings) -> str:
    """The part of a sentence that says where none is."""
    return f"there is no warehouse at {settings.warehouse_file}"

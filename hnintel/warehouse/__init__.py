"""Where data and AI live; ``open_warehouse`` turns settings into a Warehouse."""

from __future__ import annotations

from functools import lru_cache

from hnintel.settings import Settings, private_files
from hnintel.warehouse.base import Warehouse


@lru_cache(maxsize=8)
def open_warehouse(settings: Settings) -> Warehouse:
    """The warehouse that the settings name; the same one for the same settings, so that its turns are kept.

    What is written from now on is its user's alone (hnintel.settings.private_files): each process comes by here.
    """
    private_files.protect(settings)
    if settings.warehouse == "snowflake":
        from hnintel.warehouse.snowflake.adapter import SnowflakeWarehouse

        return SnowflakeWarehouse(settings)
    from hnintel.engines import open_engine
    from hnintel.warehouse.duckdb.adapter import DuckDBWarehouse

    return DuckDBWarehouse(settings.warehouse_file, open_engine(settings), settings.lock_wait, settings.folder)

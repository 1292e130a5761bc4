"""Where data and AI live; ``open_warehouse`` turns settings into a Warehouse."""

from __future__ import annotations

from functools import lru_cache

from hnintel.settings import Settings
from hnintel.warehouse.base import Warehouse


@lru_cache(maxsize=8)
def open_warehouse(settings: Settings) -> Warehouse:
    """The warehouse that the settings name; the same one for the same settings, so that its turns are kept."""
    if settings.warehouse == "snowflake":
        from hnintel.warehouse.snowflake.adapter import SnowflakeWarehouse

        return SnowflakeWarehouse(settings)
    from hnintel.warehouse.duckdb import DuckDBWarehouse
    from hnintel.warehouse.engines import open_engine

    return DuckDBWarehouse(settings.warehouse_file, open_engine(settings), settings.lock_wait)

"""The warehouses, which store the data and run the AI functions; ``open_warehouse`` opens the warehouse set."""

from __future__ import annotations

from functools import lru_cache

from hnintel.settings import Settings, private_files
from hnintel.warehouse.base import Warehouse


@lru_cache(maxsize=8)
def open_warehouse(settings: Settings) -> Warehouse:
    """Return the warehouse that *settings* name; equal settings return the same object, so that its turns are shared.

    Files written afterwards are readable by this user only (hnintel.settings.private_files): every process opens a
    warehouse.
    """
    private_files.protect(settings)
    if settings.warehouse == "snowflake":
        from hnintel.warehouse.snowflake.adapter import SnowflakeWarehouse

        return SnowflakeWarehouse(settings)
    from hnintel.engines import open_engine
    from hnintel.warehouse.duckdb.adapter import DuckDBWarehouse

    return DuckDBWarehouse(settings.warehouse_file, open_engine(settings), settings.lock_wait, settings.folder)

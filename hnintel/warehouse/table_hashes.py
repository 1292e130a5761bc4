"""A hash of each table's contents without load times; an equal hash before and after means an unchanged table."""

from __future__ import annotations

from collections.abc import Mapping

from hnintel.warehouse.base import Session, Warehouse
from hnintel.warehouse.catalog import columns_of_tables

SCHEMAS = ("raw", "enriched", "marts")
#: Columns that record when and by which run a row was written.
VOLATILE = frozenset({"run_id", "loaded_at", "enriched_at", "fetched_at", "taken_at", "written_at"})


def contents(session: Session, warehouse: Warehouse) -> dict[str, str]:
    """The content hash of every table in ``raw``, ``enriched`` and ``marts``, by table name."""
    hashes: dict[str, str] = {}
    for table, columns in columns_of_tables(session, SCHEMAS).items():
        if names := [column for column in columns if column not in VOLATILE]:
            hashes[table] = str(session.execute(f"SELECT {warehouse.dialect.row_hash(names)} FROM {table}")[0][0])
    return hashes


def changed(before: Mapping[str, str], after: Mapping[str, str]) -> list[str]:
    """The tables whose contents have changed, that are new, or that are gone."""
    return sorted(table for table in before.keys() | after.keys() if before.get(table) != after.get(table))

"""A number for what each table holds, load times apart: equal before and after, so nothing has changed."""

from __future__ import annotations

from collections.abc import Mapping

from hnintel.warehouse.base import Session, Warehouse

SCHEMAS = ("raw", "enriched", "marts")
#: Columns that say when and by which run a row was written, not what it says.
VOLATILE = frozenset({"run_id", "loaded_at", "enriched_at", "fetched_at", "taken_at", "written_at"})


def contents(session: Session, warehouse: Warehouse) -> dict[str, str]:
    """The content hash of every table in ``raw``, ``enriched`` and ``marts``, by its name."""
    columns: dict[str, list[str]] = {}
    for table, column in session.execute(
        "SELECT lower(c.table_schema) || '.' || lower(c.table_name), lower(c.column_name) "
        "FROM information_schema.columns AS c JOIN information_schema.tables AS t "
        "ON t.table_schema = c.table_schema AND t.table_name = c.table_name "
        f"WHERE t.table_type = 'BASE TABLE' AND lower(c.table_schema) IN ({', '.join('?' for _ in SCHEMAS)}) "
        "ORDER BY 1, c.ordinal_position",
        list(SCHEMAS),
    ):
        if column not in VOLATILE:
            columns.setdefault(table, []).append(column)
    return {
        table: str(session.execute(f"SELECT {warehouse.dialect.row_hash(names)} FROM {table}")[0][0])
        for table, names in columns.items()
    }


def changed(before: Mapping[str, str], after: Mapping[str, str]) -> list[str]:
    """The tables that hold something else than before, are new, or are gone."""
    return sorted(table for table in before.keys() | after.keys() if before.get(table) != after.get(table))

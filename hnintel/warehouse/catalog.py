"""Read the warehouse's catalog: the existing tables and views with their columns."""

from __future__ import annotations

from collections.abc import Sequence

from hnintel.warehouse.base import Session
from hnintel.warehouse.statements import statement


def columns_of(session: Session, name: str) -> dict[str, str]:
    """The columns of a table or view with their types, in table order.

    Args:
        session: the transaction.
        name: the table or view with its schema, in lower case: ``marts.stories``.

    Returns:
        The type, as the catalog names it, by column name in lower case; empty where the table does not exist.
    """
    rows = session.execute(
        "SELECT lower(column_name), data_type FROM information_schema.columns "
        "WHERE lower(table_schema) = ? AND lower(table_name) = ? ORDER BY ordinal_position",
        name.split("."),
    )
    return {str(column): str(kind) for column, kind in rows}


def columns_of_tables(session: Session, schemas: Sequence[str]) -> dict[str, list[str]]:
    """The columns of every table of *schemas*, in table order, by table name (``raw.items``); views are left out.

    Args:
        session: the transaction.
        schemas: schema names in lower case; at least one.
    """
    columns: dict[str, list[str]] = {}
    for table, column in session.execute(statement("warehouse/table_columns", schemas=len(schemas)), list(schemas)):
        columns.setdefault(str(table), []).append(str(column))
    return columns

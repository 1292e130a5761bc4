"""What the warehouse's catalog says of its tables and views: which there are, with which columns."""

from __future__ import annotations

from collections.abc import Sequence

from hnintel.warehouse.base import Session
from hnintel.warehouse.statements import statement


def columns_of(session: Session, name: str) -> dict[str, str]:
    """The columns of a table or view with their types, in their order.

    Args:
        session: the transaction.
        name: of the table or view with its schema, in lower case: ``marts.stories``.

    Returns:
        the type, as the catalog names it, by the name of the column in lower case; nothing where the warehouse has
        no such table.
    """
    rows = session.execute(
        "SELECT lower(column_name), data_type FROM information_schema.columns "
        "WHERE lower(table_schema) = ? AND lower(table_name) = ? ORDER BY ordinal_position",
        name.split("."),
    )
    return {str(column): str(kind) for column, kind in rows}


def columns_of_tables(session: Session, schemas: Sequence[str]) -> dict[str, list[str]]:
    """The columns, in their order, of every table of *schemas* by its name, ``raw.items``; views are left out.

    Args:
        session: the transaction.
        schemas: their names, in lower case; at least one.
    """
    columns: dict[str, list[str]] = {}
    for table, column in session.execute(statement("warehouse/table_columns", schemas=len(schemas)), list(schemas)):
        columns.setdefault(str(table), []).append(str(column))
    return columns

"""The table and the view of an enrichment, with the columns that it declares."""

from __future__ import annotations

from collections.abc import Iterable

from hnintel.enrich.declaration import Enrichment
from hnintel.enrich.question import fingerprint_of
from hnintel.errors import DeclarationError
from hnintel.settings import Settings
from hnintel.warehouse.base import Session, Warehouse
from hnintel.warehouse.catalog import columns_of
from hnintel.warehouse.statements import statement


def prepare(session: Session, warehouse: Warehouse, enrichment: Enrichment, settings: Settings) -> None:
    """Create the enrichment's table and view, and add declared columns that the table lacks.

    Raises:
        DeclarationError: a column's declared type differs from its type in the table.
    """
    session.execute(
        statement("enrich/table", table=enrichment.table, columns=enrichment.columns, dialect=warehouse.dialect)
    )
    types = columns_of(session, enrichment.table)
    for column in enrichment.columns:
        kind = warehouse.dialect.type_name(column.kind)
        if column.name not in types:
            session.execute(f"ALTER TABLE {enrichment.table} ADD COLUMN {column.name} {kind}")
        elif types[column.name] != kind:
            raise DeclarationError(
                f"{enrichment.name}.py: column {column.name} is declared as {kind}, but {enrichment.table} has "
                f"{types[column.name]}: give it another name, which leaves the old answers unchanged"
            )
    fingerprint = fingerprint_of(warehouse, enrichment, settings)
    session.execute(
        statement("enrich/view", table=enrichment.table, columns=enrichment.columns, fingerprint=fingerprint)
    )


def prepare_missing(
    session: Session, warehouse: Warehouse, enrichments: Iterable[Enrichment], settings: Settings
) -> None:
    """Prepare each enrichment whose view lacks a declared column, such as one that never ran."""
    existing = set(
        session.execute(
            "SELECT lower(table_name), lower(column_name) FROM information_schema.columns "
            "WHERE lower(table_schema) = 'enriched'"
        )
    )
    for enrichment in enrichments:
        if any((f"{enrichment.name}_current", column.name) not in existing for column in enrichment.columns):
            prepare(session, warehouse, enrichment, settings)

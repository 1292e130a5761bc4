"""Migrate a warehouse to this code's schema version; reject a warehouse with a newer version."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

from hnintel.errors import WarehouseError
from hnintel.warehouse.base import Session
from hnintel.warehouse.catalog import columns_of
from hnintel.warehouse.statements import FOLDER, statement, statements
from hnintel.window import utc_now

#: Begins a transaction, committed when its block ends without an error.
Begin = Callable[[], AbstractContextManager[Session]]


def known_migrations(folder: Path = FOLDER / "migrations") -> dict[int, Path]:
    """The migration files of *folder*, by number."""
    return {int(path.name[:4]): path for path in sorted(folder.glob("[0-9][0-9][0-9][0-9]_*.sql"))}


def migrate(begin: Begin, folder: Path = FOLDER / "migrations") -> list[int]:
    """Apply the missing migrations in order, each in its own transaction; return the numbers applied.

    A migration may be applied again after a crash half-way: where CREATE TABLE commits by itself, a part of it remains.
    So a migration uses IF NOT EXISTS, and creates its tables before it writes rows.

    Raises:
        WarehouseError: a newer version of this code has migrated the warehouse.
    """
    known = known_migrations(folder)
    with begin() as session:
        applied = _applied(session)
    newer = sorted(applied - known.keys())
    if newer:
        raise WarehouseError(
            f"the warehouse has schema version {newer[-1]}, this code knows {max(known)}: update the code"
        )
    missing = [number for number in known if number not in applied]
    for number in missing:
        with begin() as session:
            for sql in statements(known[number].read_text(encoding="utf-8")):
                session.execute(sql)
            now = utc_now()
            session.execute("INSERT INTO ops.schema_versions VALUES (?, ?, ?)", [number, known[number].stem, now])
    return missing


def _applied(session: Session) -> set[int]:
    """The numbers of the migrations applied; creates their table only where it is missing: not every role may."""
    if not columns_of(session, "ops.schema_versions"):
        for sql in statements(statement("warehouse/schema_versions")):
            session.execute(sql)
    return {int(row[0]) for row in session.execute("SELECT version FROM ops.schema_versions")}

"""Bring a warehouse up to the shape this code wants; refuse one that is ahead of it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

from hnintel.errors import WarehouseError
from hnintel.warehouse.base import Session
from hnintel.warehouse.catalog import columns_of
from hnintel.warehouse.statements import FOLDER, statement, statements
from hnintel.window import utc_now

#: Begins a transaction, committed when its block ends well.
Begin = Callable[[], AbstractContextManager[Session]]


def known_migrations(folder: Path = FOLDER / "migrations") -> dict[int, Path]:
    """The numbered migrations there are, by number."""
    return {int(path.name[:4]): path for path in sorted(folder.glob("[0-9][0-9][0-9][0-9]_*.sql"))}


def migrate(begin: Begin, folder: Path = FOLDER / "migrations") -> list[int]:
    """Apply what is missing, in order, each in a transaction of its own; the numbers that were applied.

    A migration can be applied again after a crash half-way, for where making a table commits by itself, part of it is
    there then. So it says IF NOT EXISTS, and writes rows after it has made its tables.

    Raises:
        WarehouseError: the warehouse was made by a newer version of this code.
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
    """The migrations that the warehouse has seen; nothing is made where they are known, for not every role may."""
    if not columns_of(session, "ops.schema_versions"):
        for sql in statements(statement("warehouse/schema_versions")):
            session.execute(sql)
    return {int(row[0]) for row in session.execute("SELECT version FROM ops.schema_versions")}

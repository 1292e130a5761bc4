"""Bring a warehouse up to the shape this code wants; refuse one that is ahead of it."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from hnintel.errors import WarehouseError
from hnintel.warehouse.base import Session
from hnintel.warehouse.statements import FOLDER, statement, statements


def known_migrations(folder: Path = FOLDER / "migrations") -> dict[int, Path]:
    """The numbered migrations there are, by number."""
    return {int(path.name[:4]): path for path in sorted(folder.glob("[0-9][0-9][0-9][0-9]_*.sql"))}


def migrate(session: Session, folder: Path = FOLDER / "migrations") -> list[int]:
    """Apply what is missing, in order, inside the caller's transaction; the numbers that were applied.

    Raises:
        WarehouseError: the warehouse was made by a newer version of this code.
    """
    known = known_migrations(folder)
    for sql in statements(statement("schema_versions")):
        session.execute(sql)
    applied = {int(row[0]) for row in session.execute("SELECT version FROM ops.schema_versions")}
    newer = sorted(applied - known.keys())
    if newer:
        raise WarehouseError(
            f"the warehouse has schema version {newer[-1]}, this code knows {max(known)}: update the code"
        )
    missing = [number for number in known if number not in applied]
    for number in missing:
        for sql in statements(known[number].read_text(encoding="utf-8")):
            session.execute(sql)
        now = datetime.now(UTC).replace(tzinfo=None)
        session.execute("INSERT INTO ops.schema_versions VALUES (?, ?, ?)", [number, known[number].stem, now])
    return missing

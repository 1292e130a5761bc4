"""Hashes for fingerprints and inputs: of files of the checkout, of the rows of a table by day."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from functools import cache
from pathlib import Path

from hnintel.hashes import hash_of_values
from hnintel.settings import ROOT
from hnintel.warehouse import catalog
from hnintel.warehouse.base import Session, Warehouse
from hnintel.warehouse.table_hashes import VOLATILE

#: Stands for a day without rows.
NO_ROWS = "0"


@cache
def of_files(*names: str) -> str:
    """The hash of files of the checkout, and of the files below its folders.

    Computed once a process: the code that is loaded is what was there at its start.

    Args:
        names: relative to the root of the checkout.
    """
    found = [path for name in names for path in sorted([ROOT / name, *(ROOT / name).rglob("*")]) if _is_code(path)]
    return hash_of_values([[str(path.relative_to(ROOT)), path.read_text(encoding="utf-8")] for path in found])


def of_rows(
    session: Session, warehouse: Warehouse, rows: str, columns: Sequence[str], params: Sequence[date]
) -> dict[date, str]:
    """The hash of rows, for each day that has some.

    Args:
        session: the transaction they are read in.
        warehouse: whose SQL it is.
        rows: what stands behind FROM; it has a column ``day``.
        columns: what is hashed of each row.
        params: of *rows*.
    """
    hashed = warehouse.dialect.row_hash(columns)
    return {day: str(value) for day, value in session.execute(f"SELECT day, {hashed} FROM {rows} GROUP BY day", params)}


def together(hashes: Iterable[Mapping[date, str]]) -> dict[date, str]:
    """One hash a day of several; a day that none of them has is left out."""
    listed = list(hashes)
    days = {day for one in listed for day in one}
    return {day: hash_of_values([one.get(day, NO_ROWS) for one in listed]) for day in days}


def columns_of(session: Session, name: str) -> list[str]:
    """The columns of a table or view, without those that say when and by which run a row was written.

    None where there is no such table.
    """
    return [column for column in catalog.columns_of(session, name) if column not in VOLATILE]


def _is_code(path: Path) -> bool:
    return path.is_file() and path.suffix in (".py", ".sql", ".yml", ".css", ".jinja")

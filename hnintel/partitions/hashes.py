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
    """Hash files of the checkout, and the files below folders of it.

    Computed once per process: the loaded code is that of the process's start.

    Args:
        names: relative to the root of the checkout.
    """
    paths = [path for name in names for path in sorted([ROOT / name, *(ROOT / name).rglob("*")]) if _is_code(path)]
    return hash_of_values([[str(path.relative_to(ROOT)), path.read_text(encoding="utf-8")] for path in paths])


def of_rows(
    session: Session, warehouse: Warehouse, rows: str, columns: Sequence[str], params: Sequence[date]
) -> dict[date, str]:
    """Hash rows, for each day that has rows.

    Args:
        session: the transaction.
        warehouse: for its SQL dialect.
        rows: the FROM clause, with a column ``day``.
        columns: the columns that are hashed.
        params: the parameters of *rows*.
    """
    hashed = warehouse.dialect.row_hash(columns)
    return {day: str(value) for day, value in session.execute(f"SELECT day, {hashed} FROM {rows} GROUP BY day", params)}


def together(hashes: Iterable[Mapping[date, str]]) -> dict[date, str]:
    """Combine several hashes per day into one; a day that none of them has is left out."""
    listed = list(hashes)
    days = {day for by_day in listed for day in by_day}
    return {day: hash_of_values([by_day.get(day, NO_ROWS) for by_day in listed]) for day in days}


def columns_of(session: Session, name: str) -> list[str]:
    """Return the columns of a table or view, without those that record when and by which run a row was written.

    Empty where the table does not exist.
    """
    return [column for column in catalog.columns_of(session, name) if column not in VOLATILE]


def _is_code(path: Path) -> bool:
    return path.is_file() and path.suffix in (".py", ".sql", ".yml", ".css", ".jinja")

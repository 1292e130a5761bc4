"""Letting go of what is older than it is to be kept: raw text in the warehouse, cached results in a folder."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from hnintel.warehouse.base import Session
from hnintel.warehouse.statements import statement

#: The tables that hold raw text, and the statement that says which rows of them are past their time.
_TABLES = ("items", "comments", "articles")


@dataclass(frozen=True, slots=True)
class Pruned:
    """Rows of each raw table whose text went, or would go."""

    items: int = 0
    comments: int = 0
    articles: int = 0


def prune_raw(session: Session, keep_days: int | None, today: date, dry_run: bool = False) -> Pruned:
    """Empty the raw text of days more than *keep_days* before *today*; titles, counts and answers stay.

    An article goes by the newest day that names it. Its status and hash stay, so that it is not read again; an item's
    content hash stays too, so that reading it again does not bring its text back unless it has changed at the source.
    An enrichment that is run again over a pruned day has only the titles to go by.

    Args:
        session: the transaction it is part of.
        keep_days: None keeps everything.
        today: the business day to count from.
        dry_run: count only.
    """
    if keep_days is None:
        return Pruned()
    before = today - timedelta(days=keep_days)
    pruned: dict[str, int] = {}
    for table in _TABLES:
        condition = statement(f"warehouse/past_retention_{table}")
        pruned[table] = int(session.execute(f"SELECT count(*) FROM raw.{table} WHERE {condition}", [before])[0][0])
        if pruned[table] and not dry_run:
            session.execute(f"UPDATE raw.{table} SET text = NULL WHERE {condition}", [before])
    return Pruned(**pruned)


@dataclass(frozen=True, slots=True)
class Removed:
    """Files that went, or would go, and their bytes."""

    files: int = 0
    bytes: int = 0


def prune_cache(folder: Path, keep_days: float, now: float | None = None, dry_run: bool = False) -> Removed:
    """Remove the files below *folder* that were written more than *keep_days* ago; nothing else collects them.

    Links are neither followed nor removed. A file that goes while we look was somebody else's to remove.

    Args:
        folder: Prefect's local storage of results; one that does not exist holds nothing.
        keep_days: days since a file was last written.
        now: seconds since 1970; by default the clock's.
        dry_run: count only.
    """
    before = (time.time() if now is None else now) - keep_days * 86_400
    files = size = 0
    for file in _plain_files(folder):
        try:
            told = file.lstat()
            if told.st_mtime >= before:
                continue
            if not dry_run:
                file.unlink()
        except FileNotFoundError:
            continue
        files, size = files + 1, size + told.st_size
    return Removed(files, size)


def _plain_files(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.iterdir()) if folder.is_dir() else []:
        if path.is_symlink():
            continue
        if path.is_dir():
            yield from _plain_files(path)
        elif path.is_file():
            yield path

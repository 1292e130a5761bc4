"""Retention: delete raw text in the warehouse and cached results in a folder after a set number of days."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from hnintel.warehouse.base import Session
from hnintel.warehouse.statements import statement

#: The tables with raw text, and its columns; the statement ``warehouse/past_retention_<table>`` selects what to prune.
_TEXTS = {"items": ("text",), "comments": ("text",), "articles": ("text", "description")}


@dataclass(frozen=True, slots=True)
class Pruned:
    """The number of rows of each raw table whose text was deleted, or would be in a dry run."""

    items: int = 0
    comments: int = 0
    articles: int = 0


def prune_raw(session: Session, keep_days: int | None, today: date, dry_run: bool = False) -> Pruned:
    """Delete the raw text of days more than *keep_days* before *today*; titles, counts and answers stay.

    The newest day that links to an article decides for it. Its status and hash stay, so that it is not read again; an
    item's content hash stays too, so that another reading restores its text only if the item has changed at the source.
    An enrichment that runs again over a pruned day sees only the titles.

    Args:
        session: the transaction to write in.
        keep_days: None deletes nothing.
        today: the business day to count from.
        dry_run: count only.
    """
    if keep_days is None:
        return Pruned()
    before = today - timedelta(days=keep_days)
    pruned: dict[str, int] = {}
    for table in _TEXTS:
        condition = statement(f"warehouse/past_retention_{table}")
        pruned[table] = int(session.execute(f"SELECT count(*) FROM raw.{table} WHERE {condition}", [before])[0][0])
        if pruned[table] and not dry_run:
            gone = ", ".join(f"{column} = NULL" for column in _TEXTS[table])
            session.execute(f"UPDATE raw.{table} SET {gone} WHERE {condition}", [before])
    return Pruned(**pruned)


@dataclass(frozen=True, slots=True)
class Removed:
    """The number of files removed, or to be removed in a dry run, and their size in bytes."""

    files: int = 0
    bytes: int = 0


def prune_cache(folder: Path, keep_days: float, now: float | None = None, dry_run: bool = False) -> Removed:
    """Remove the files below *folder* that were written more than *keep_days* ago; nothing else removes them.

    Links are neither followed nor removed. A file that another process removes meanwhile is not counted.

    Args:
        folder: Prefect's local storage of results; it may be missing.
        keep_days: days since a file was last written.
        now: seconds since 1970; by default the clock's.
        dry_run: count only.
    """
    before = (time.time() if now is None else now) - keep_days * 86_400
    files = size = 0
    for file in _plain_files(folder):
        try:
            status = file.lstat()
            if status.st_mtime >= before:
                continue
            if not dry_run:
                file.unlink()
        except FileNotFoundError:
            continue
        files, size = files + 1, size + status.st_size
    return Removed(files, size)


def _plain_files(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.iterdir()) if folder.is_dir() else []:
        if path.is_symlink():
            continue
        if path.is_dir():
            yield from _plain_files(path)
        elif path.is_file():
            yield path

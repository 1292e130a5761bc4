"""Traces of an embedded warehouse around its file, which distinguish an emptied or missing warehouse from a new one.

Also checks, without opening it, that the path can be a warehouse file at all.
"""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from pathlib import Path

from hnintel.errors import WarehouseError


def remains(path: Path, home: Path) -> Path | None:
    """The path that shows that the empty file at *path* had rows once; None where nothing does.

    A log written after the file was emptied or created is no evidence: the run that sees the empty file writes a log.

    Args:
        path: of the file, which exists.
        home: the folder with the pages and the logs.
    """
    if wal := _log_of(path):
        return wal
    if any((home / "site").glob("*.html")):
        return home / "site"
    with suppress(OSError):
        emptied = path.stat().st_mtime
        if any(log.stat().st_mtime < emptied for log in (home / "logs").glob("*.jsonl")):
            return home / "logs"
    return None


def new_warehouse_notice(path: Path, home: Path, opened_before: bool) -> str | None:
    """The notice for a user whose warehouse is gone, before a new file is created; None without traces of an old one.

    Args:
        path: of the file, which is missing.
        home: the folder with the pages and the logs.
        opened_before: whether an earlier process left its lock file. Without it, logs may be those of this very run.

    Raises:
        WarehouseError: DuckDB's log of the missing file has rows that no other file has; DuckDB would delete it.
    """
    if wal := _log_of(path.resolve()):
        raise WarehouseError(
            f"{path} is gone, and {wal} has its newest rows: restore the file; to begin anew, delete {wal.name}"
        )
    pages = sum(1 for _ in (home / "site").glob("????-??-??.html"))
    if pages:
        traces = f"pages of {pages} {'day' if pages == 1 else 'days'} in {home / 'site'}"
    elif opened_before and any((home / "logs").glob("*.jsonl")):
        traces = f"logs of earlier runs in {home / 'logs'}"
    else:
        return None
    return f"creating a new warehouse at {path}, but there are {traces}: restore the old file to keep its answers"


def refuse_what_is_no_file(path: Path) -> None:
    """Reject *path* unless it is a file or missing; it is not opened, since opening a FIFO would never return.

    Raises:
        WarehouseError: *path* is a broken link, a folder, a FIFO, a socket or a device.
        OSError: *path* cannot be examined.
    """
    try:
        mode = path.stat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        if path.is_symlink():
            target = os.readlink(path)
            raise WarehouseError(
                f"{path} is a link to {target}, which is missing: restore {target}, or remove the link"
            ) from None
        return
    if not stat.S_ISREG(mode):
        raise WarehouseError(f"{path} is {_kind(mode)}, not a file: move it away, or give another HNINTEL_DUCKDB_PATH")


def _kind(mode: int) -> str:
    kinds = ((stat.S_ISDIR, "a folder"), (stat.S_ISFIFO, "a FIFO"), (stat.S_ISSOCK, "a socket"))
    return next((name for has_kind, name in kinds if has_kind(mode)), "a device")


def _log_of(path: Path) -> Path | None:
    """DuckDB's log of rows that are not in the file at *path* yet; None where it is missing or empty."""
    wal = path.with_name(f"{path.name}.wal")
    with suppress(OSError):
        if wal.stat().st_size:
            return wal
    return None

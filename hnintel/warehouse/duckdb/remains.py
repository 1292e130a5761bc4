"""What an embedded warehouse leaves around its file: by that, one that lost its contents or is gone is told from new.

Whether what lies at the file's place can be a warehouse at all is told here too, without opening it.
"""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from pathlib import Path

from hnintel.errors import WarehouseError


def remains(path: Path, home: Path) -> Path | None:
    """What shows that the empty file at *path* held rows once; None where nothing does.

    A log that was written after the file was emptied, or made, says nothing: the run that finds it empty has one.

    Args:
        path: of the file; it is there.
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


def begun_anew(path: Path, home: Path, opened_before: bool) -> str | None:
    """The sentence for a user whose warehouse is gone, where a file is about to be made at *path*; None where none was.

    Args:
        path: of the file; it is absent.
        home: the folder with the pages and the logs.
        opened_before: whether the lock of an earlier process lay beside it. Logs alone may be those of this very run.

    Raises:
        WarehouseError: DuckDB's own log lies there with rows that no other file has; DuckDB would delete it.
    """
    if wal := _log_of(path.resolve()):
        raise WarehouseError(
            f"{path} is gone, and {wal} holds its newest rows: put the file back; to begin anew, delete {wal.name}"
        )
    pages = sum(1 for _ in (home / "site").glob("????-??-??.html"))
    if pages:
        beside = f"pages of {pages} {'day lie' if pages == 1 else 'days lie'} in {home / 'site'}"
    elif opened_before and any((home / "logs").glob("*.jsonl")):
        beside = f"logs of earlier runs lie in {home / 'logs'}"
    else:
        return None
    return (
        f"a new warehouse is begun at {path}: {beside}, made of another that is gone; put it back to keep its answers"
    )


def refuse_what_is_no_file(path: Path) -> None:
    """Let *path* be a file, or absent; nothing is opened, since a FIFO would never come back.

    Raises:
        WarehouseError: it is a link to nothing, a folder, a FIFO, a socket or a device.
        OSError: it cannot be looked at.
    """
    try:
        mode = path.stat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        if path.is_symlink():
            told = f"{path} is a link to {os.readlink(path)}, which is not there: bring that back, or remove the link"
            raise WarehouseError(told) from None
        return
    if not stat.S_ISREG(mode):
        told = f"{path} is {_kind(mode)}, and no file: move it away, or give another HNINTEL_DUCKDB_PATH"
        raise WarehouseError(told)


def _kind(mode: int) -> str:
    kinds = ((stat.S_ISDIR, "a folder"), (stat.S_ISFIFO, "a FIFO"), (stat.S_ISSOCK, "a socket"))
    return next((name for is_one, name in kinds if is_one(mode)), "a device")


def _log_of(path: Path) -> Path | None:
    """DuckDB's log of what is not in the file at *path* yet, where it holds anything."""
    wal = path.with_name(f"{path.name}.wal")
    with suppress(OSError):
        if wal.stat().st_size:
            return wal
    return None

"""What an embedded warehouse leaves around its file: by that, a file that lost its contents is told from a new one."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path


def remains(path: Path, home: Path) -> Path | None:
    """What shows that the empty file at *path* held rows once; None where nothing does.

    A log that was written after the file was emptied, or made, says nothing: the run that finds it empty has one.

    Args:
        path: of the file; it is there.
        home: the folder with the pages and the logs.
    """
    wal = path.with_name(f"{path.name}.wal")
    with suppress(OSError):
        if wal.stat().st_size:
            return wal
    if any((home / "site").glob("*.html")):
        return home / "site"
    with suppress(OSError):
        emptied = path.stat().st_mtime
        if any(log.stat().st_mtime < emptied for log in (home / "logs").glob("*.jsonl")):
            return home / "logs"
    return None

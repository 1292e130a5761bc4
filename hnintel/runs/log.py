"""One JSON log per run below the home folder: its beginning, progress and end. No text, only counts."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from datetime import date
from pathlib import Path

from pythonjsonlogger.json import JsonFormatter

from hnintel.errors import WarehouseError
from hnintel.warehouse.query_tags import tagged

#: For the run's log only: its records carry fields, which a console does not show.
logger = logging.getLogger("hnintel.runs.log")
logger.setLevel(logging.INFO)
logger.propagate = False
_WARNINGS = logging.getLogger("hnintel")
_run: ContextVar[str] = ContextVar("run", default="")


class _Handler(logging.FileHandler):
    """Ignores write errors: a full disk ends the run where rows are committed, with a message."""

    def handleError(self, record: logging.LogRecord) -> None:
        """Do nothing: the default prints a traceback to stderr for each line."""

    def close(self) -> None:
        """Close the file, whether or not its last lines could be written."""
        with suppress(OSError):
            super().close()


@contextmanager
def run_log(folder: Path, day: date, run_id: str) -> Iterator[Path]:
    """Log the records of the block to ``<folder>/<day>-<run id>.jsonl``.

    Raises:
        WarehouseError: the folder cannot be written.
    """
    path = folder / f"{day}-{run_id}.jsonl"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        handler = _Handler(path, encoding="utf-8")
    except OSError as error:
        raise WarehouseError(f"{folder} cannot be written ({error.strerror}): give another HNINTEL_HOME") from None
    handler.setFormatter(
        JsonFormatter("{asctime}{levelname}{message}", style="{", static_fields={"run_id": run_id, "day": str(day)})
    )
    # Runs of several days may share a process; each log has only its own run's lines.
    handler.addFilter(lambda record: _run.get() == run_id)
    token = _run.set(run_id)
    for source in (logger, _WARNINGS):
        source.addHandler(handler)
    try:
        with tagged(run=run_id, day=day):
            yield path
    finally:
        for source in (logger, _WARNINGS):
            source.removeHandler(handler)
        handler.close()
        _run.reset(token)

"""Reports the progress of a run's stages to a person: a line or a bar a stage, with counts."""

from __future__ import annotations

import logging
import sys
import time
from typing import Protocol

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

#: The log of the run (hnintel/runs/log.py); it writes only while a run is in progress.
logger = logging.getLogger("hnintel.runs.log")


class Reporter(Protocol):
    """Receives the progress of stages."""

    def update(self, stage: str, done: int, total: int | None = None, note: str = "") -> None:
        """*done* of *total* (None: not known yet) units of *stage* are finished."""

    def finish(self, stage: str, note: str = "") -> None:
        """*stage* is finished."""


class Silent:
    """A reporter without output."""

    def update(self, stage: str, done: int, total: int | None = None, note: str = "") -> None:
        """Do nothing."""

    def finish(self, stage: str, note: str = "") -> None:
        """Do nothing."""


class Lines:
    """A line on stderr when a stage begins to move and one when it ends: for logs and pipes."""

    _PAUSE = 5.0

    def __init__(self) -> None:
        self._began: dict[str, float] = {}
        self._printed: dict[str, float] = {}

    def update(self, stage: str, done: int, total: int | None = None, note: str = "") -> None:
        """Print a line, at most every five seconds for each stage."""
        now = time.monotonic()
        self._began.setdefault(stage, now)
        if now - self._printed.get(stage, float("-inf")) >= self._PAUSE:
            self._printed[stage] = now
            counted = f" {done} of {total}" if total is not None else f" {done}" if done else ""
            self.tell(f"{stage}:{counted}{' ' + note if note else ''} …")

    def finish(self, stage: str, note: str = "") -> None:
        """Print the last line of a stage, with its duration."""
        now = time.monotonic()
        seconds = now - self._began.get(stage, now)
        self.tell(f"{stage}: {note or 'done'} ({seconds:.1f} s)")

    def tell(self, line: str) -> None:
        """Print *line* to stderr."""
        print(line, file=sys.stderr, flush=True)


class Bars:
    """Progress bars, for a terminal."""

    def __init__(self) -> None:
        self._progress = Progress(
            TextColumn("{task.description:<22}"),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("{task.fields[note]}"),
            console=Console(stderr=True),
        )
        self._tasks: dict[str, TaskID] = {}
        self._progress.start()

    def update(self, stage: str, done: int, total: int | None = None, note: str = "") -> None:
        """Move the stage's bar."""
        if stage not in self._tasks:
            self._tasks[stage] = self._progress.add_task(stage, total=total, note="")
        self._progress.update(self._tasks[stage], completed=done, total=total, note=note)

    def finish(self, stage: str, note: str = "") -> None:
        """Fill the stage's bar."""
        self.update(stage, 0)
        task = self._tasks[stage]
        total = next(bar.total for bar in self._progress.tasks if bar.id == task)
        self._progress.update(task, total=total or 1, completed=total or 1, note=note or "done")
        self._progress.stop_task(task)

    def tell(self, line: str) -> None:
        """Print *line* above the bars."""
        self._progress.console.print(line, markup=False, highlight=False)

    def close(self) -> None:
        """Stop updating the bars and release the terminal."""
        self._progress.stop()


class _Current:
    reporter: Reporter = Silent()


def use(reporter: Reporter) -> None:
    """Set the reporter of this process."""
    _Current.reporter = reporter


def update(stage: str, done: int, total: int | None = None, note: str = "") -> None:
    """Report a stage's progress to the reporter and the run's log."""
    _Current.reporter.update(stage, done, total, note)
    logger.info("progress", extra={"stage": stage, "done": done, "total": total})


def say(line: str) -> None:
    """Print a line that belongs to no stage, through the reporter or to stderr, and write it to the run's log."""
    reporter = _Current.reporter
    if isinstance(reporter, Lines | Bars):
        reporter.tell(line)
    else:
        print(line, file=sys.stderr, flush=True)
    logger.info("said", extra={"said": line})


def finish(stage: str, note: str = "") -> None:
    """Report to the reporter and the run's log that a stage is finished."""
    _Current.reporter.finish(stage, note)
    logger.info("finished", extra={"stage": stage, "note": note})

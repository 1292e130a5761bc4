"""What a person sees while a run is going on: a line a stage, with how many of how many."""

from __future__ import annotations

import logging
import sys
import time
from typing import Protocol

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

#: The log of the run (hnintel/runs/log.py), which writes where a run is under way.
logger = logging.getLogger("hnintel.runs.log")


class Reporter(Protocol):
    """Is told how stages get on."""

    def update(self, stage: str, done: int, total: int | None = None, note: str = "") -> None:
        """*done* of *total* (None: not known yet) things of *stage*."""

    def finish(self, stage: str, note: str = "") -> None:
        """*stage* is done."""


class Silent:
    """Says nothing."""

    def update(self, stage: str, done: int, total: int | None = None, note: str = "") -> None:
        """Nothing."""

    def finish(self, stage: str, note: str = "") -> None:
        """Nothing."""


class Lines:
    """A line on stderr when a stage begins to move and one when it ends: for logs and pipes."""

    _PAUSE = 5.0

    def __init__(self) -> None:
        self._began: dict[str, float] = {}
        self._told: dict[str, float] = {}

    def update(self, stage: str, done: int, total: int | None = None, note: str = "") -> None:
        """A line, at most one every five seconds a stage."""
        now = time.monotonic()
        self._began.setdefault(stage, now)
        if now - self._told.get(stage, float("-inf")) >= self._PAUSE:
            self._told[stage] = now
            counted = f" {done} of {total}" if total is not None else f" {done}" if done else ""
            self.tell(f"{stage}:{counted}{' ' + note if note else ''} …")

    def finish(self, stage: str, note: str = "") -> None:
        """The line that ends a stage."""
        now = time.monotonic()
        seconds = now - self._began.get(stage, now)
        self.tell(f"{stage}: {note or 'done'} ({seconds:.1f} s)")

    def tell(self, line: str) -> None:
        """Where a line goes."""
        print(line, file=sys.stderr, flush=True)


class Bars:
    """Bars that move: for a terminal."""

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
        total = next(one.total for one in self._progress.tasks if one.id == task)
        self._progress.update(task, total=total or 1, completed=total or 1, note=note or "done")
        self._progress.stop_task(task)

    def tell(self, line: str) -> None:
        """A line above the bars."""
        self._progress.console.print(line, markup=False, highlight=False)

    def close(self) -> None:
        """Leave the bars as they are and give the terminal back."""
        self._progress.stop()


class _Current:
    reporter: Reporter = Silent()


def use(reporter: Reporter) -> None:
    """Report to *reporter* from here on, in this process."""
    _Current.reporter = reporter


def update(stage: str, done: int, total: int | None = None, note: str = "") -> None:
    """Tell the reporter, and the run's log, how a stage gets on."""
    _Current.reporter.update(stage, done, total, note)
    logger.info("progress", extra={"stage": stage, "done": done, "total": total})


def say(line: str) -> None:
    """Say a sentence that is of no stage: beside what the reporter shows, else on stderr; and in the run's log."""
    reporter = _Current.reporter
    if isinstance(reporter, Lines | Bars):
        reporter.tell(line)
    else:
        print(line, file=sys.stderr, flush=True)
    logger.info("said", extra={"said": line})


def finish(stage: str, note: str = "") -> None:
    """Tell the reporter, and the run's log, that a stage is done."""
    _Current.reporter.finish(stage, note)
    logger.info("finished", extra={"stage": stage, "note": note})

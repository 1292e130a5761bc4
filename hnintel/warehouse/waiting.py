"""Waiting for a file or a lease of another process: one limit for this whole process, a line after five seconds."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from hnintel.process import stopping

#: Seconds after which a wait is reported.
REPORTED_AFTER = 5.0
#: Seconds for which a run that was asked to end still waits for the warehouse file, to store its answers.
_AFTER_A_STOP = 10.0
#: Seconds after a wait that timed out for which this process does not wait as long again.
_AFTERWARDS = 30.0


def pause(seconds: float, grace: float = _AFTER_A_STOP) -> None:
    """Sleep between two tries for a file or a lease.

    Args:
        seconds: the seconds to sleep.
        grace: the seconds for which a run that was asked to end goes on trying, to store its answers.

    Raises:
        Stopped: the run was asked to end longer ago than *grace*.
    """
    stopping.sleep(seconds, grace)


class Aloud:
    """Prints once, after five seconds, what this process waits for."""

    def __init__(self) -> None:
        self._began = time.monotonic()
        self._has_reported = False

    def report(self, line: Callable[[], str]) -> None:
        """Print *line* if the wait is long enough and no line was printed yet."""
        if self._has_reported or time.monotonic() - self._began < REPORTED_AFTER:
            return
        self._has_reported = True
        from hnintel.process import progress  # loads rich, which a process that only locks does not need

        progress.say(line())


class Patience:
    """The time that this process has waited for one file, so that its next try does not wait the whole limit again.

    A run that timed out records and publishes its failure and releases its leases: each step needs the same file, and
    would wait as long again.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waited = 0.0
        self._ended = float("-inf")

    def left(self, bound: float) -> float:
        """The seconds left of *bound*."""
        with self._lock:
            recent = time.monotonic() - self._ended < _AFTERWARDS
            return max(0.0, bound - self._waited) if recent else max(0.0, bound)

    def in_vain(self, bound: float) -> None:
        """Record a wait that timed out after *bound* seconds."""
        with self._lock:
            if bound > self._waited or time.monotonic() - self._ended >= _AFTERWARDS:
                self._waited, self._ended = bound, time.monotonic()

    def got_it(self) -> None:
        """Record that the file was acquired: the next wait is for another holder, and may last the whole limit."""
        with self._lock:
            self._waited, self._ended = 0.0, float("-inf")

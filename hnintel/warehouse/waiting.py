"""Waiting for what another process holds: one bound for a whole process, and a sentence after five seconds."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from hnintel.process import stopping

#: Seconds after which a wait is told.
TOLD_AFTER = 5.0
#: Seconds after a run was asked to end in which it still waits for the file that it keeps its answers in.
_AFTER_A_STOP = 10.0
#: Seconds after a wait that was in vain in which nobody of this process waits as long again.
_AFTERWARDS = 30.0


def pause(seconds: float, grace: float = _AFTER_A_STOP) -> None:
    """Sleep between two tries for a file or a lease.

    Args:
        seconds: to sleep.
        grace: for so many seconds after a run was asked to end it goes on trying, to keep what was answered.

    Raises:
        Stopped: the run was asked to end longer ago than that.
    """
    stopping.sleep(seconds, grace)


class Aloud:
    """Says once, after five seconds, what is waited for."""

    def __init__(self) -> None:
        self._began = time.monotonic()
        self._is_told = False

    def tell(self, line: Callable[[], str]) -> None:
        """Say *line* where it is time and it was not said yet."""
        if self._is_told or time.monotonic() - self._began < TOLD_AFTER:
            return
        self._is_told = True
        from hnintel.process import progress  # loads rich, which what only holds a lock can do without

        progress.say(line())


class Patience:
    """How long this process has waited for one thing, so that the next try does not wait the whole bound anew.

    A run that could not get it notes that it failed, announces that, and gives its leases back: each of these wants the
    same thing, and would wait as long again.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waited = 0.0
        self._ended = float("-inf")

    def left(self, bound: float) -> float:
        """What is left of *bound* seconds."""
        with self._lock:
            recent = time.monotonic() - self._ended < _AFTERWARDS
            return max(0.0, bound - self._waited) if recent else max(0.0, bound)

    def in_vain(self, bound: float) -> None:
        """It was waited for until *bound* seconds were over."""
        with self._lock:
            if bound > self._waited or time.monotonic() - self._ended >= _AFTERWARDS:
                self._waited, self._ended = bound, time.monotonic()

    def got_it(self) -> None:
        """Who had it has let go of it: the next wait is for somebody else."""
        with self._lock:
            self._waited, self._ended = 0.0, float("-inf")

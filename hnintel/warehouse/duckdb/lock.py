"""The lock beside the embedded warehouse's file, acquired before DuckDB opens the file and released after it closes it.

DuckDB's own lock is acquired only after DuckDB has read where the newest rows are: it misses the commits of another
process in between, and overwrites them (docs/decisions/0017-a-lock-around-the-file.md).
"""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

from hnintel.errors import WarehouseBusy, WarehouseError
from hnintel.warehouse.duckdb.remains import refuse_what_is_no_file
from hnintel.warehouse.waiting import Aloud, Patience, pause

#: Seconds between two tries of a waiting process.
TRIES_EVERY = 0.05


class HeldElsewhere(Exception):
    """Another process has locked the file; the message names it, if it wrote its name into the lock file."""


class Hold:
    """This process's lock on a file, counted: all of its threads may have the file open at once."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = FileLock(f"{path}.lock", thread_local=False, poll_interval=TRIES_EVERY)
        self._own = threading.Lock()
        self._holders = 0
        self.patience = Patience()

    def take(self, wait: float, aloud: bool = False) -> None:
        """Acquire the lock, waiting for it.

        Args:
            wait: seconds to wait; 0 tries once.
            aloud: print after five seconds which process has the lock.

        Raises:
            HeldElsewhere: another process had the lock all the time.
            OSError: the lock file cannot be created.
        """
        with self._own:
            if not self._holders:
                self._acquire(wait, Aloud() if aloud else None)
                with suppress(OSError):  # the name only serves the messages of other processes
                    Path(self._lock.lock_file).write_text(f"process {os.getpid()} ({Path(sys.executable).name})")
            self._holders += 1

    def _acquire(self, wait: float, aloud: Aloud | None) -> None:
        deadline = time.monotonic() + wait
        while True:
            with suppress(Timeout):
                self._lock.acquire(timeout=0)
                return
            left = deadline - time.monotonic()
            if left <= 0:
                raise HeldElsewhere(self._holder())
            if aloud is not None:
                aloud.report(lambda: waiting_for(self._path, self._holder(), deadline))
            pause(min(TRIES_EVERY, left))

    def give_back(self) -> None:
        """Release the lock once; the last release of this process frees it for other processes."""
        with self._own:
            self._holders -= 1
            if not self._holders:
                self._lock.release()

    @contextmanager
    def taken(self, wait: float) -> Iterator[None]:
        """Hold the lock for the block; see :meth:`take`."""
        self.take(wait)
        try:
            yield
        finally:
            self.give_back()

    @property
    def was_taken(self) -> bool:
        """Whether any process has ever acquired the lock."""
        return Path(self._lock.lock_file).exists()

    def _holder(self) -> str:
        with suppress(OSError):
            return Path(self._lock.lock_file).read_text() or "another process"
        return "another process"


#: The locks of this process, by the file's path: one for each file.
_holds: dict[Path, Hold] = {}
_holds_lock = threading.Lock()


def hold_on(path: Path) -> Hold:
    """This process's lock on the file at *path*."""
    with _holds_lock:
        real = path.resolve()  # all names of a file share one lock
        if real not in _holds:
            _holds[real] = Hold(real)
        return _holds[real]


def take_hold(hold: Hold, path: Path, left: float, wait: float) -> None:
    """Lock the file at *path* within *left* of the *wait* seconds set; after five, print which process has it.

    Raises:
        WarehouseBusy: another process had the lock all the time.
        WarehouseError: the file cannot be written, or *path* is not a file.
    """
    try:
        refuse_what_is_no_file(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        hold.take(left, aloud=True)
    except HeldElsewhere as error:
        hold.patience.in_vain(wait)
        raise busy(path, str(error), wait) from None
    except OSError as error:
        raise WarehouseError(f"{path} cannot be written ({error.strerror}): give another HNINTEL_HOME") from None


def waiting_for(path: Path, holder: str, deadline: float) -> str:
    """The progress line while another process has the file."""
    left = max(0.0, deadline - time.monotonic())
    return f"waiting for {path}, held by {holder}, for {left:.0f} s more at most (HNINTEL_LOCK_WAIT)"


def busy(path: Path, holder: str, wait: float) -> WarehouseBusy:
    """The error where another process has the file for longer than *wait* seconds."""
    return WarehouseBusy(
        f"{path} is held by {holder}; waited {wait:g} s (HNINTEL_LOCK_WAIT): end that process, then start again"
    )

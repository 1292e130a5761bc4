"""The lock beside the embedded warehouse's file, held from before DuckDB opens the file until after it has closed it.

DuckDB has a lock of its own, but takes it after it has read where the newest rows lie. What another process commits in
between, it does not see, and writes over (docs/decisions/0017-a-lock-around-the-file.md).
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

#: Seconds between two tries of a process that waits.
TRIES_EVERY = 0.05


class HeldElsewhere(Exception):
    """Another process has the file; the message says which, as far as it told."""


class Hold:
    """One process's hold on a file, counted: all of its threads may have the file open at once."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = FileLock(f"{path}.lock", thread_local=False, poll_interval=TRIES_EVERY)
        self._own = threading.Lock()
        self._holders = 0
        self.patience = Patience()

    def take(self, wait: float, aloud: bool = False) -> None:
        """Have the file, or wait for it.

        Args:
            wait: seconds; 0 tries once.
            aloud: whether to say after five seconds who has it.

        Raises:
            HeldElsewhere: another process had it all the time.
            OSError: there can be no file beside it.
        """
        with self._own:
            if not self._holders:
                self._acquire(wait, Aloud() if aloud else None)
                with suppress(OSError):  # it only helps to say who has it
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
        """Let it go; the last one of this process lets others have the file."""
        with self._own:
            self._holders -= 1
            if not self._holders:
                self._lock.release()

    @contextmanager
    def taken(self, wait: float) -> Iterator[None]:
        """Have it for the block; see :meth:`take`."""
        self.take(wait)
        try:
            yield
        finally:
            self.give_back()

    @property
    def was_taken(self) -> bool:
        """Whether any process has had it, now or earlier."""
        return Path(self._lock.lock_file).exists()

    def _holder(self) -> str:
        with suppress(OSError):
            return Path(self._lock.lock_file).read_text() or "another process"
        return "another process"


#: By the file's path: a process has one hold on a file, however often it opens it.
_holds: dict[Path, Hold] = {}
_holds_lock = threading.Lock()


def hold_on(path: Path) -> Hold:
    """This process's hold on the file at *path*."""
    with _holds_lock:
        real = path.resolve()  # one lock, by whatever name the file is called
        if real not in _holds:
            _holds[real] = Hold(real)
        return _holds[real]


def take_hold(hold: Hold, path: Path, left: float, wait: float) -> None:
    """Have the file at *path* within *left* of the *wait* seconds that were set; after five, it is said who has it.

    Raises:
        WarehouseBusy: another process had it all the time.
        WarehouseError: there can be no file, or what is there is none.
    """
    try:
        refuse_what_is_no_file(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        hold.take(left, aloud=True)
    except HeldElsewhere as held:
        hold.patience.in_vain(wait)
        raise busy(path, str(held), wait) from None
    except OSError as error:
        told = f"{path} cannot be written ({error.strerror}): give another HNINTEL_HOME"
        raise WarehouseError(told) from None


def waiting_for(path: Path, holder: str, deadline: float) -> str:
    """What is said while another process has the file."""
    left = max(0.0, deadline - time.monotonic())
    return f"waiting for {path}, held by {holder}, for {left:.0f} s more at most (HNINTEL_LOCK_WAIT)"


def busy(path: Path, holder: str, wait: float) -> WarehouseBusy:
    """What is told where another process has the file."""
    return WarehouseBusy(
        f"{path} is held by {holder}; waited {wait:g} s (HNINTEL_LOCK_WAIT): close it there, then start again"
    )

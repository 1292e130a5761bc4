"""Turns on the embedded warehouse's file: the threads of one process use it one after another."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import duckdb

from hnintel.warehouse.duckdb.file import OpenFile
from hnintel.warehouse.duckdb.lock import TRIES_EVERY, Hold, hold_on, take_hold

#: Seconds for which threads of this process may pass on the open file, and seconds for which the file is then free:
#: longer than the pause between two tries of a waiting process.
_LONGEST_HELD, _LEFT_FREE = 4.0, 3 * TRIES_EVERY


class Turns:
    """The turns of this process's threads on one file.

    Opening and closing the file takes longer than many transactions, so a thread that ends its transaction leaves the
    file open for the next waiting thread.
    """

    def __init__(self, hold: Hold) -> None:
        self.hold = hold
        self._lock = threading.RLock()
        self._count = threading.Lock()
        self._waiting = 0
        self._sharing = 0
        self._left_open: OpenFile | None = None
        self._in_use: OpenFile | None = None
        self._held_since = 0.0
        self._free_until = 0.0

    @property
    def shared(self) -> bool:
        """Whether other code of this process may open the file as well."""
        return self._sharing > 0

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Wait for this thread's turn, and keep it for the block."""
        with self._count:
            self._waiting += 1
        try:
            self._lock.acquire()
        finally:
            with self._count:
                self._waiting -= 1
        try:
            yield
        finally:
            self._lock.release()

    @contextmanager
    def connection(self, opened: Callable[[], OpenFile]) -> Iterator[duckdb.DuckDBPyConnection]:
        """A connection for the block, within :meth:`turn`: to the file left open, else to the file that *opened* opens.

        If the block raises, its uncommitted changes are rolled back.
        """
        if self._in_use is not None:  # nested in a transaction of this thread, since it has the turn
            with closing(self._in_use.connection()) as connection:
                yield connection
            return
        file, self._left_open = self._left_open, None
        if file is None:
            time.sleep(max(0.0, self._free_until - time.monotonic()))
            self._held_since = time.monotonic()
            file = opened()
        self._in_use = file
        try:
            with closing(file.connection()) as connection:
                yield connection
        except BaseException:  # also an interrupt: closing the file rolls back; the error is raised again
            self._close(file, well=False)
            raise
        finally:
            self._in_use = None
        self._leave(file)

    @contextmanager
    def sharing(self) -> Iterator[None]:
        """Allow other code of this process to open the file within the block as well."""
        with self.turn():  # no thread has the file attached then
            file, self._left_open = self._left_open, None
            if file is not None:
                self._close(file)
            with self._count:
                self._sharing += 1
        try:
            yield
        finally:
            with self._count:
                self._sharing -= 1

    def _leave(self, file: OpenFile) -> None:
        """Leave *file* open if a thread waits for it; close it otherwise, or to let other processes have it."""
        if not self._waiting:
            self._close(file)
        elif time.monotonic() - self._held_since < _LONGEST_HELD:
            self._left_open = file
        else:
            self._close(file)
            self._free_until = time.monotonic() + _LEFT_FREE

    def _close(self, file: OpenFile, well: bool = True) -> None:
        """Close *file*, and only then release the lock."""
        try:
            file.close(well)
        finally:
            self.hold.give_back()


#: By the file's path, because two warehouses of one process may use the same file.
_turns: dict[Path, Turns] = {}
_turns_lock = threading.Lock()


def turns_on(path: Path) -> Turns:
    """The turns of this process's threads on the file at *path*."""
    with _turns_lock:
        return _turns.setdefault(path.resolve(), Turns(hold_on(path)))


@contextmanager
def only_here(path: Path, wait: float) -> Iterator[None]:
    """Lock the file against other processes for the block, in which other code than a transaction opens it.

    Raises:
        WarehouseBusy: another process had the file for longer than *wait* seconds.
        WarehouseError: the file cannot be written.
    """
    turns = turns_on(path)
    take_hold(turns.hold, path, turns.hold.patience.left(wait), wait)
    try:
        with turns.sharing():
            yield
    finally:
        turns.hold.give_back()

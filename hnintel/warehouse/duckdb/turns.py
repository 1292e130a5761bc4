"""Whose turn it is on the embedded warehouse's file: threads of one process take it one after the other."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import duckdb

from hnintel.warehouse.duckdb.file import OpenFile
from hnintel.warehouse.duckdb.lock import TRIES_EVERY, Hold, hold_on, take_hold

#: How long threads of this process may hand an open file on to each other, and for how long it then is free: longer
#: than another process, which asks for it again and again, waits in between.
_LONGEST_HELD, _LEFT_FREE = 4.0, 3 * TRIES_EVERY


class Turns:
    """Whose turn it is on a file, of the threads of this process.

    To open the file and to close it takes longer than many a transaction does, so who ends one leaves it open for a
    thread that waits.
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
        """Something else of this process may open the file as well."""
        return self._sharing > 0

    @contextmanager
    def taken(self) -> Iterator[None]:
        """Wait for one's turn and have it for the block."""
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
        """A connection for the block, in one's turn, to the file as it was left open or else is *opened*.

        What the block has begun and not committed is rolled back where it does not end well.
        """
        if self._in_use is not None:  # within a transaction of this very thread, since it has the turn
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
        except BaseException:  # an interrupt too: what it left half done goes with the file, and it is told on
            self._close(file, well=False)
            raise
        finally:
            self._in_use = None
        self._leave(file)

    @contextmanager
    def sharing(self) -> Iterator[None]:
        """Let something else of this process open the file within the block as well."""
        with self.taken():  # nobody has it attached then
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
        """Close *file*, the last thread that wants it; or the one after which another process may have it."""
        if not self._waiting:
            self._close(file)
        elif time.monotonic() - self._held_since < _LONGEST_HELD:
            self._left_open = file
        else:
            self._close(file)
            self._free_until = time.monotonic() + _LEFT_FREE

    def _close(self, file: OpenFile, well: bool = True) -> None:
        """Close *file*, and only then let go of it."""
        try:
            file.close(well)
        finally:
            self.hold.give_back()


#: By the file's path, because two warehouses of one process may be opened on the same one.
_turns: dict[Path, Turns] = {}
_turns_lock = threading.Lock()


def turns_on(path: Path) -> Turns:
    """The turns of this process's threads on the file at *path*."""
    with _turns_lock:
        return _turns.setdefault(path.resolve(), Turns(hold_on(path)))


@contextmanager
def only_here(path: Path, wait: float) -> Iterator[None]:
    """Keep other processes off the file for the block, in which something else than a transaction opens it.

    Raises:
        WarehouseBusy: another process had it for longer than *wait* seconds.
        WarehouseError: there can be no file.
    """
    turns = turns_on(path)
    take_hold(turns.hold, path, turns.hold.patience.left(wait), wait)
    try:
        with turns.sharing():
            yield
    finally:
        turns.hold.give_back()

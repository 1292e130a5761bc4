"""The embedded warehouse: one DuckDB file, opened for a transaction and closed again."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from functools import partial
from pathlib import Path

import duckdb
import pyarrow as pa

from hnintel.engines.base import AskingStopped, Engine
from hnintel.errors import HnIntelError, Stopped, WarehouseError, first_line
from hnintel.settings.snowflake import Stage
from hnintel.warehouse.base import Dialect, Query, Session, Step, T
from hnintel.warehouse.duckdb.ai_functions import Meter, connect_with_functions
from hnintel.warehouse.duckdb.dialect import DuckDBDialect
from hnintel.warehouse.duckdb.file import OpenFile, held_by, is_of_another_kind, open_file
from hnintel.warehouse.duckdb.lock import busy, take_hold, waiting_for
from hnintel.warehouse.duckdb.remains import begun_anew, remains
from hnintel.warehouse.duckdb.session import DuckDBSession, begun
from hnintel.warehouse.duckdb.turns import turns_on
from hnintel.warehouse.migrations import migrate
from hnintel.warehouse.waiting import Aloud, pause

_FIRST_PAUSE, _LONGEST_PAUSE = 0.02, 0.5
#: How many times the set wait answers are held ready for a file that another process holds.
_WAITS_WITH_ANSWERS = 10


class DuckDBWarehouse:
    """A DuckDB file and the embedded AI functions.

    DuckDB lets one process at a time write a file, and no other even read it meanwhile; so every transaction opens the
    file, waiting a bounded time for it, and closes it. Inside this process transactions take turns.
    """

    name = "duckdb"
    dialect: Dialect = DuckDBDialect()

    def __init__(self, path: Path, engine: Engine, lock_wait: float = 60.0, home: Path | None = None) -> None:
        """*home* is the folder with the pages and logs that are made of it; by default the file's own."""
        self.path = path
        self._home = home or path.parent
        self._engine = engine
        self._lock_wait = lock_wait
        self._turns = turns_on(path)
        self._migrated = False
        self._said_to_be_new = False

    def transaction(self, *, stage: Stage) -> AbstractContextManager[DuckDBSession]:
        """Open the file, begin, and commit when the block ends well; else nothing of it stays. A file has no roles."""
        return self._transaction(self._lock_wait)

    @contextmanager
    def _transaction(self, wait: float) -> Iterator[DuckDBSession]:
        with self._turns.taken():
            self._migrated = self._migrated and self.path.exists()  # who deletes the file wants a new one
            with self._turns.connection(lambda: self._open(wait)) as connection, _told_in_one_line(self.path):
                if not self._migrated:
                    migrate(lambda: begun(connection))
                    self._migrated = True
                with begun(connection) as session:
                    yield session

    def model(self, asked_for: str, asker: str = "") -> str:
        """The model of the engine that answers here, whoever asks."""
        return self._engine.model(asked_for)

    def fall_back(self, model: str) -> bool:
        """There is no other than the engine's own."""
        return False

    def ask(self, pending: Query, steps: Sequence[Step], then: Callable[[Session], T], *, stage: Stage) -> T | None:
        """Ask in memory, with the file closed, so that a slow endpoint never holds other processes up."""
        with self.transaction(stage=stage) as session:
            rows = session.arrow(pending)
        if rows.num_rows == 0:
            return None
        stopped: HnIntelError | None = None
        lost: list[HnIntelError] = []
        meter = Meter()
        with _told_in_one_line(self.path), connect_with_functions(self._engine, lost, meter) as memory:
            memory.register("pending", rows)
            for step in steps:
                memory.execute(f"CREATE TEMP TABLE {step.table} AS {step.sql}")
                if lost and not step.answers:
                    raise _with_unbooked(lost[0], meter, kept=0)
                if lost:
                    memory.execute(f"DELETE FROM {step.table} WHERE {step.answers} IS NULL")
                    stopped = stopped or lost[0]
                    lost.clear()  # what was made by this step can still be asked about in the next
            answers = memory.sql(f"SELECT {_without_json(memory, steps[-1].table)}").to_arrow_table()
        if stopped is not None and answers.num_rows == 0:
            raise _with_unbooked(stopped, meter, kept=0)
        kept = self._hand_over(steps[-1].table, answers, then)
        if stopped is not None:
            raise _with_unbooked(stopped, meter, kept=answers.num_rows)
        return kept

    def _hand_over(self, table: str, answers: pa.Table, then: Callable[[Session], T]) -> T:
        """Have what was answered kept; it may be paid for, so who holds the file is waited for long."""

        with self._transaction(self._lock_wait * _WAITS_WITH_ANSWERS) as session:
            session.take(table, answers)
            return then(session)

    def _open(self, wait: float) -> OpenFile:
        """The file, opened; who closes it gives the hold on it back. It is waited for so many seconds, in all."""
        hold, aloud = self._turns.hold, Aloud()
        deadline, next_pause = time.monotonic() + hold.patience.left(wait), _FIRST_PAUSE
        mended, opened_before = False, hold.was_taken
        while True:
            take_hold(hold, self.path, deadline - time.monotonic(), wait)
            with ExitStack() as undone:
                undone.callback(hold.give_back)
                self._say_if_another_is_gone(opened_before)
                try:
                    file = open_file(self.path, self._turns.shared)
                    undone.pop_all()
                    hold.patience.got_it()
                    return file
                except duckdb.Error as error:
                    holder = held_by(error)
                    if holder is None:
                        self._mend_or_refuse(error, mended)
                        mended = True
                        continue
                    if time.monotonic() >= deadline:  # by one that does not know of our lock, or cannot end
                        hold.patience.in_vain(wait)
                        raise busy(self.path, holder, wait) from None
                    aloud.report(partial(waiting_for, self.path, holder, deadline))
            pause(min(next_pause, max(0.0, deadline - time.monotonic())))
            next_pause = min(next_pause * 2, _LONGEST_PAUSE)

    def _say_if_another_is_gone(self, opened_before: bool) -> None:
        """Before a file is made: say once that pages or logs are of another, which somebody may want to put back."""
        if self.path.exists():
            return
        line = begun_anew(self.path, self._home, opened_before)
        if line and not self._said_to_be_new:
            from hnintel.process import progress  # loads rich

            progress.say(line)
            self._said_to_be_new = True

    def _mend_or_refuse(self, error: duckdb.Error, mended: bool) -> None:
        if self._is_empty():  # `touch` or mktemp made it; DuckDB takes no file for a new one, but not this
            if left := remains(self.path, self._home):
                raise WarehouseError(
                    f"{self.path} is empty, and {left} is of a time when it was not: put a copy of it in its place, or "
                    "give another HNINTEL_HOME; to begin anew, and pay for every answer again, delete the file"
                )
            self.path.unlink()
            if not mended:
                return
        why = "it is no DuckDB file" if is_of_another_kind(error) else first_line(error).rstrip("!.")
        told = f"{self.path} cannot be opened: {why}"
        if _is_full(error):  # DuckDB itself leaves an empty file then
            raise WarehouseError(f"{told}: make room in {self.path.parent}, then run it again") from None
        if not os.access(self.path, os.W_OK):
            raise WarehouseError(f"{told}: let it be written, or give another HNINTEL_HOME") from None
        raise WarehouseError(f"{told}: move that file away, or give another HNINTEL_DUCKDB_PATH") from None

    def _is_empty(self) -> bool:
        try:
            return self.path.is_file() and self.path.stat().st_size == 0
        except OSError:
            return False


def _with_unbooked(stopped: HnIntelError, meter: Meter, kept: int) -> HnIntelError:
    """Why asking ended; where it was stopped, with what *kept* rows do not account for."""
    if isinstance(stopped, Stopped):
        return AskingStopped(str(stopped), unbooked=meter.unbooked(kept))
    return stopped


@contextmanager
def _told_in_one_line(path: Path) -> Iterator[None]:
    try:
        yield
    except duckdb.Error as error:
        mend = ""
        if _is_full(error):
            mend = f": make room in {path.parent}, then run it again; what was committed is kept"
        elif _is_damaged(error):
            mend = ": the file is damaged; put a copy of it in its place, or move it away"
        raise WarehouseError(f"{path.name}: {first_line(error)}{mend}") from error


def _without_json(connection: duckdb.DuckDBPyConnection, table: str) -> str:
    """JSON columns leave as text: Arrow's extension type for them does not come back in."""
    columns = connection.execute(f"DESCRIBE {table}").fetchall()
    names = [f"CAST({name} AS VARCHAR) AS {name}" if kind == "JSON" else name for name, kind, *_ in columns]
    return f"{', '.join(names)} FROM {table}"


def _is_full(error: duckdb.Error) -> bool:
    return "Could not write file" in str(error) or "No space left" in str(error)


def _is_damaged(error: duckdb.Error) -> bool:
    return "Could not read" in str(error) or "Corrupt database file" in str(error)

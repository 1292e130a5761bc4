"""The embedded warehouse: one DuckDB file, opened for each transaction and closed after it."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from functools import partial
from pathlib import Path

import duckdb
import pyarrow as pa

from hnintel.engines.base import Account, AskingStopped, ChargingEngine, Engine
from hnintel.errors import HnIntelError, Stopped, WarehouseError, first_line
from hnintel.settings.snowflake import Stage
from hnintel.warehouse.base import Dialect, Query, Session, Step, T
from hnintel.warehouse.duckdb.ai_functions import Meter, connect_with_functions
from hnintel.warehouse.duckdb.dialect import DuckDBDialect
from hnintel.warehouse.duckdb.file import OpenFile, holder_in, is_of_another_kind, open_file
from hnintel.warehouse.duckdb.lock import busy, take_hold, waiting_for
from hnintel.warehouse.duckdb.remains import new_warehouse_notice, remains
from hnintel.warehouse.duckdb.session import DuckDBSession, begun
from hnintel.warehouse.duckdb.turns import turns_on
from hnintel.warehouse.migrations import migrate
from hnintel.warehouse.waiting import Aloud, pause

_FIRST_PAUSE, _LONGEST_PAUSE = 0.02, 0.5
#: Factor on ``lock_wait`` where answers wait to be stored: they may be paid for.
_WAITS_WITH_ANSWERS = 10


class DuckDBWarehouse:
    """A DuckDB file and the embedded AI functions.

    While a process writes a DuckDB file, no other process can write or read it; so every transaction opens the file,
    waiting for it up to a limit, and closes it. Within this process transactions take turns.
    """

    name = "duckdb"
    dialect: Dialect = DuckDBDialect()

    def __init__(self, path: Path, engine: Engine, lock_wait: float = 60.0, home: Path | None = None) -> None:
        """*home* is the folder with the pages and logs of this warehouse; by default the file's folder."""
        self.path = path
        self._home = home or path.parent
        self._engine = engine
        self._lock_wait = lock_wait
        self._turns = turns_on(path)
        self._migrated = False
        self._has_reported_new = False

    def transaction(self, *, stage: Stage) -> AbstractContextManager[DuckDBSession]:
        """Open the file, begin, and commit; roll back if the block raises. *stage* is ignored: a file has no roles."""
        return self._transaction(self._lock_wait)

    @contextmanager
    def _transaction(self, wait: float) -> Iterator[DuckDBSession]:
        with self._turns.turn():
            self._migrated = self._migrated and self.path.exists()  # a deleted file is created anew
            with self._turns.connection(lambda: self._open(wait)) as connection, _translated(self.path):
                if not self._migrated:
                    migrate(lambda: begun(connection))
                    self._migrated = True
                with begun(connection) as session:
                    yield session

    def model(self, asked_for: str, asker: str = "") -> str:
        """The model of this engine, for every asker."""
        return self._engine.model(asked_for)

    def fall_back(self, model: str) -> bool:
        """False: the engine has one model only."""
        return False

    @property
    def charges_requests(self) -> bool:
        """Whether the engine asks an endpoint."""
        return isinstance(self._engine, ChargingEngine)

    def ask(
        self,
        pending: Query,
        steps: Sequence[Step],
        then: Callable[[Session], T],
        *,
        stage: Stage,
        account: Account | None = None,
    ) -> T | None:
        """Ask in memory, with the file closed, so that a slow endpoint does not block other processes."""
        with self.transaction(stage=stage) as session:
            rows = session.arrow(pending)
        if rows.num_rows == 0:
            return None
        stopped: HnIntelError | None = None
        lost: list[HnIntelError] = []
        meter = Meter()
        engine = self._engine
        if account is not None and isinstance(engine, ChargingEngine):
            engine = engine.charged_to(account)
        with _translated(self.path), connect_with_functions(engine, lost, meter) as memory:
            memory.register("pending", rows)
            for step in steps:
                meter.most_tokens = step.most_tokens
                memory.execute(f"CREATE TEMP TABLE {step.table} AS {step.sql}")
                if lost and not step.answers:
                    raise _with_unbooked(lost[0], meter, stored=0)
                if lost:
                    memory.execute(f"DELETE FROM {step.table} WHERE {step.answers} IS NULL")
                    stopped = stopped or lost[0]
                    lost.clear()  # the next step can still ask about the rows of this step
            answers = memory.sql(f"SELECT {_without_json(memory, steps[-1].table)}").to_arrow_table()
        if stopped is not None and answers.num_rows == 0:
            raise _with_unbooked(stopped, meter, stored=0)
        result = self._hand_over(steps[-1].table, answers, then)
        if stopped is not None:
            raise _with_unbooked(stopped, meter, stored=answers.num_rows)
        return result

    def _hand_over(self, table: str, answers: pa.Table, then: Callable[[Session], T]) -> T:
        """Call *then* with the answers in *table*; answers may be paid for, so this waits longer for the file."""

        with self._transaction(self._lock_wait * _WAITS_WITH_ANSWERS) as session:
            session.load(table, answers)
            return then(session)

    def _open(self, wait: float) -> OpenFile:
        """Lock and open the file, waiting *wait* seconds in all; the caller closes it and releases the lock."""
        hold, aloud = self._turns.hold, Aloud()
        deadline, next_pause = time.monotonic() + hold.patience.left(wait), _FIRST_PAUSE
        mended, opened_before = False, hold.was_taken
        while True:
            take_hold(hold, self.path, deadline - time.monotonic(), wait)
            with ExitStack() as undone:
                undone.callback(hold.give_back)
                self._report_lost_warehouse(opened_before)
                try:
                    file = open_file(self.path, self._turns.shared)
                    undone.pop_all()
                    hold.patience.got_it()
                    return file
                except duckdb.Error as error:
                    holder = holder_in(error)
                    if holder is None:
                        self._mend_or_refuse(error, mended)
                        mended = True
                        continue
                    if time.monotonic() >= deadline:  # the holder does not use our lock, or does not end
                        hold.patience.in_vain(wait)
                        raise busy(self.path, holder, wait) from None
                    aloud.report(partial(waiting_for, self.path, holder, deadline))
            pause(min(next_pause, max(0.0, deadline - time.monotonic())))
            next_pause = min(next_pause * 2, _LONGEST_PAUSE)

    def _report_lost_warehouse(self, opened_before: bool) -> None:
        """Before a file is created: print once that pages or logs of an earlier warehouse exist, to be restored."""
        if self.path.exists():
            return
        line = new_warehouse_notice(self.path, self._home, opened_before)
        if line and not self._has_reported_new:
            from hnintel.process import progress  # loads rich

            progress.say(line)
            self._has_reported_new = True

    def _mend_or_refuse(self, error: duckdb.Error, mended: bool) -> None:
        if self._is_empty():  # from `touch` or mktemp; DuckDB creates a missing file, but rejects an empty one
            if left := remains(self.path, self._home):
                raise WarehouseError(
                    f"{self.path} is empty, and {left} shows that it was not: restore a copy of the file, or "
                    "give another HNINTEL_HOME; to begin anew, and pay for every answer again, delete the file"
                )
            self.path.unlink()
            if not mended:
                return
        why = "it is no DuckDB file" if is_of_another_kind(error) else first_line(error).rstrip("!.")
        fault = f"{self.path} cannot be opened: {why}"
        if _is_full(error):  # DuckDB itself leaves an empty file then
            raise WarehouseError(f"{fault}: make room in {self.path.parent}, then run it again") from None
        if not os.access(self.path, os.W_OK):
            raise WarehouseError(f"{fault}: make it writable, or give another HNINTEL_HOME") from None
        raise WarehouseError(f"{fault}: move that file away, or give another HNINTEL_DUCKDB_PATH") from None

    def _is_empty(self) -> bool:
        try:
            return self.path.is_file() and self.path.stat().st_size == 0
        except OSError:
            return False


def _with_unbooked(stopped: HnIntelError, meter: Meter, stored: int) -> HnIntelError:
    """The error that ended asking; if a person stopped it, with the usage that *stored* rows do not account for."""
    if isinstance(stopped, Stopped):
        return AskingStopped(str(stopped), unbooked=meter.unbooked(stored))
    return stopped


@contextmanager
def _translated(path: Path) -> Iterator[None]:
    try:
        yield
    except duckdb.Error as error:
        mend = ""
        if _is_full(error):
            mend = f": make room in {path.parent}, then run it again; what was committed is kept"
        elif _is_damaged(error):
            mend = ": the file is damaged; restore a copy of it, or move it away"
        raise WarehouseError(f"{path.name}: {first_line(error)}{mend}") from error


def _without_json(connection: duckdb.DuckDBPyConnection, table: str) -> str:
    """A column list and table that read JSON columns as text: DuckDB does not load Arrow's extension type for JSON."""
    columns = connection.execute(f"DESCRIBE {table}").fetchall()
    names = [f"CAST({name} AS VARCHAR) AS {name}" if kind == "JSON" else name for name, kind, *_ in columns]
    return f"{', '.join(names)} FROM {table}"


def _is_full(error: duckdb.Error) -> bool:
    return "Could not write file" in str(error) or "No space left" in str(error)


def _is_damaged(error: duckdb.Error) -> bool:
    return "Could not read" in str(error) or "Corrupt database file" in str(error)

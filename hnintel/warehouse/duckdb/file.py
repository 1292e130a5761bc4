"""The embedded warehouse's file, open: attached to a DuckDB instance that stays, for to make one takes longer."""

from __future__ import annotations

import os
import re
import time
from contextlib import suppress
from pathlib import Path

import duckdb

from hnintel.warehouse.duckdb.ai_functions import connect

#: What DuckDB says where another of its instances in this process has the file attached.
_ATTACHED_HERE = "Unique file handle conflict"
#: What it says where a file cannot be attached and may yet be opened by itself.
_OPENED_BY_ITSELF = re.compile(f"{_ATTACHED_HERE}|database with name .* already exists")
#: A row where an instance can read Arrow tables, and the seconds that one is given to come that far.
_CAN_READ_ARROW = "SELECT 1 FROM duckdb_functions() WHERE function_name = 'python_arrow_scan'"
_PREPARED_WITHIN = 2.0
#: As many as transactions run on different files at once, which is seldom more than one.
_MOST_IDLE = 2
#: Instances that no file is attached to. To append and to pop is one step, whichever thread does it.
_idle: list[duckdb.DuckDBPyConnection] = []


class OpenFile:
    """A DuckDB file that is open, for one connection after the other."""

    def __init__(self, instance: duckdb.DuckDBPyConnection, name: str | None = None) -> None:
        """*name* is that of the database within the instance, where it is one that stays."""
        self._instance, self._name = instance, name

    def connection(self) -> duckdb.DuckDBPyConnection:
        """A new connection, with no table of another's; who asked for it closes it."""
        connection = self._instance.cursor()
        connection.execute("SET enable_progress_bar = false")  # hnintel.warehouse.duckdb.ai_functions.connect says why
        if self._name is not None:
            connection.execute(f"USE {_quoted(self._name)}.main")  # the name alone may be that of a schema
        return connection

    def close(self, well: bool = True) -> None:
        """Let go of the file. An instance that did not end *well*, or has written beside the file, goes with it."""
        stays = False
        try:
            if self._name is not None and well:
                with suppress(duckdb.Error):  # no room to merge the log into the file: it stays beside it, and is read
                    self._instance.execute(f"DETACH {_quoted(self._name)}")
                    self._instance.execute("SET temp_directory = ''")  # refused where the folder was used
                    stays = True
        finally:
            if stays:
                _keep(self._instance)
            else:
                self._instance.close()


def open_file(path: Path, shared: bool = False) -> OpenFile:
    """Open the file at *path*, which is made where there is none.

    Args:
        path: of the file.
        shared: something else of this process may have it open, or open it meanwhile. DuckDB lets two have it only
            where both open it by itself.

    Raises:
        duckdb.Error: it cannot be opened.
    """
    path = path.resolve()  # DuckDB takes the name from there
    attached = None if shared else _attached(path)
    return attached or OpenFile(_complete(connect(str(path))))


def held_by(error: duckdb.Error) -> str | None:
    """The process that holds the file, where *error* says that one does; such a file is sound."""
    told = str(error)
    if _ATTACHED_HERE in told:  # an interrupted thread of this process has not closed it yet
        return f"this process ({os.getpid()})"
    if "Could not set lock" not in told and "being used by another process" not in told:
        return None
    found = re.search(r"lock is held in (.{1,4096}?) \(PID (\d+)\)", told)
    return f"process {found.group(2)} ({Path(found.group(1)).name})" if found else "another process"


def is_of_another_kind(error: duckdb.Error) -> bool:
    """Whether *error* says that the file is no DuckDB file, or one that only an extension could read."""
    told = str(error)
    return "not a valid DuckDB database file" in told or ('Extension "' in told and "not found" in told)


def _complete(instance: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyConnection:
    """*instance* once it can read Arrow tables: another thread that opens the same file may be preparing it still.

    duckdb 2.0.0 hands the instance of a file to a second thread before the first has added that function to it.
    """
    until = time.monotonic() + _PREPARED_WITHIN
    while not instance.execute(_CAN_READ_ARROW).fetchall() and time.monotonic() < until:
        time.sleep(0.005)
    return instance


def _attached(path: Path) -> OpenFile | None:
    """None where it can only be opened by itself: others of this process have it, or an instance has its name."""
    instance = _taken()
    try:
        instance.execute(f"SET temp_directory = {_literal(path.with_name(f'{path.name}.tmp'))}")  # as where it opens it
        # By the name that DuckDB gives it, as where it opens it by itself; its kind is not guessed from its contents.
        instance.execute(f"ATTACH {_literal(path)} (TYPE duckdb)")
    except duckdb.Error as error:
        if _OPENED_BY_ITSELF.search(str(error)) is None:
            instance.close()
            raise
        _keep(instance)
        return None
    found = instance.execute("SELECT database_name FROM duckdb_databases() WHERE path = ?", [str(path)]).fetchone()
    if found is None:
        instance.close()
        return None
    return OpenFile(instance, found[0])


def _taken() -> duckdb.DuckDBPyConnection:
    with suppress(IndexError):
        return _idle.pop()
    return connect(":memory:")


def _keep(instance: duckdb.DuckDBPyConnection) -> None:
    if len(_idle) < _MOST_IDLE:
        _idle.append(instance)
    else:
        instance.close()


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _literal(path: Path) -> str:
    return "'" + str(path).replace("'", "''") + "'"


def _close_idle() -> None:
    while _idle:
        _idle.pop().close()


# A process that is forked has none of their threads, and could not even close them.
os.register_at_fork(before=_close_idle)

"""Open the embedded warehouse's file: attach it to a pooled DuckDB instance, since a new instance takes longer."""

from __future__ import annotations

import os
import re
import time
from contextlib import suppress
from pathlib import Path

import duckdb

from hnintel.warehouse.duckdb.ai_functions import connect

#: DuckDB's message where another of its instances in this process has attached the file.
_ATTACHED_HERE = "Unique file handle conflict"
#: DuckDB's messages where a file cannot be attached but may be opened by an instance of its own.
_OPENED_BY_ITSELF = re.compile(f"{_ATTACHED_HERE}|database with name .* already exists")
#: Returns a row once an instance can read Arrow tables; the seconds to wait for that.
_CAN_READ_ARROW = "SELECT 1 FROM duckdb_functions() WHERE function_name = 'python_arrow_scan'"
_PREPARED_WITHIN = 2.0
#: The size of the pool: the number of files with a transaction at once, which is seldom more than one.
_MOST_IDLE = 2
#: The pool: instances without an attached file. Append and pop are atomic between threads.
_idle: list[duckdb.DuckDBPyConnection] = []


class OpenFile:
    """An open DuckDB file, for one connection after another."""

    def __init__(self, instance: duckdb.DuckDBPyConnection, name: str | None = None) -> None:
        """*name* is the attached database's name if *instance* is pooled; None if the instance opened the file."""
        self._instance, self._name = instance, name

    def connection(self) -> duckdb.DuckDBPyConnection:
        """A new connection without the temporary tables of others; the caller closes it."""
        connection = self._instance.cursor()
        connection.execute("SET enable_progress_bar = false")  # hnintel.warehouse.duckdb.ai_functions.connect says why
        if self._name is not None:
            connection.execute(f"USE {_quoted(self._name)}.main")  # the name alone may also name a schema
        return connection

    def close(self, well: bool = True) -> None:
        """Close the file. The instance is pooled again, unless *well* is False or it has written temporary files."""
        stays = False
        try:
            if self._name is not None and well:
                with suppress(duckdb.Error):  # disk full: the log stays beside the file, and is read later
                    self._instance.execute(f"DETACH {_quoted(self._name)}")
                    self._instance.execute("SET temp_directory = ''")  # fails where the folder was used
                    stays = True
        finally:
            if stays:
                _pool(self._instance)
            else:
                self._instance.close()


def open_file(path: Path, shared: bool = False) -> OpenFile:
    """Open the file at *path*; create it where it is missing.

    Args:
        path: of the file.
        shared: other code of this process may open the file at the same time. DuckDB allows that only if both open it
            with an instance of its own.

    Raises:
        duckdb.Error: the file cannot be opened.
    """
    path = path.resolve()  # DuckDB names the database after it
    attached = None if shared else _attached(path)
    return attached or OpenFile(_complete(connect(str(path))))


def holder_in(error: duckdb.Error) -> str | None:
    """The process that has locked the file, if *error* says that one has; None for any other error."""
    message = str(error)
    if _ATTACHED_HERE in message:  # an interrupted thread of this process has not closed it yet
        return f"this process ({os.getpid()})"
    if "Could not set lock" not in message and "being used by another process" not in message:
        return None
    match = re.search(r"lock is held in (.{1,4096}?) \(PID (\d+)\)", message)
    return f"process {match.group(2)} ({Path(match.group(1)).name})" if match else "another process"


def is_of_another_kind(error: duckdb.Error) -> bool:
    """Whether *error* says that the file is not a DuckDB file, or that only an extension could read it."""
    message = str(error)
    return "not a valid DuckDB database file" in message or ('Extension "' in message and "not found" in message)


def _complete(instance: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyConnection:
    """Wait until *instance* can read Arrow tables: another thread that opens the same file may still prepare it.

    duckdb 2.0.0 returns the instance of a file to a second thread before the first has added that function to it.
    """
    until = time.monotonic() + _PREPARED_WITHIN
    while not instance.execute(_CAN_READ_ARROW).fetchall() and time.monotonic() < until:
        time.sleep(0.005)
    return instance


def _attached(path: Path) -> OpenFile | None:
    """Attach the file; None where it needs an instance of its own: this process has it open, or its name is used."""
    instance = _idle_instance()
    try:
        instance.execute(f"SET temp_directory = {_literal(path.with_name(f'{path.name}.tmp'))}")  # DuckDB's default
        # The name is DuckDB's default, as for a file that it opens; the type is given, not guessed from the contents.
        instance.execute(f"ATTACH {_literal(path)} (TYPE duckdb)")
    except duckdb.Error as error:
        if _OPENED_BY_ITSELF.search(str(error)) is None:
            instance.close()
            raise
        _pool(instance)
        return None
    row = instance.execute("SELECT database_name FROM duckdb_databases() WHERE path = ?", [str(path)]).fetchone()
    if row is None:
        instance.close()
        return None
    return OpenFile(instance, row[0])


def _idle_instance() -> duckdb.DuckDBPyConnection:
    with suppress(IndexError):
        return _idle.pop()
    return connect(":memory:")


def _pool(instance: duckdb.DuckDBPyConnection) -> None:
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


# A forked process lacks the threads of these instances, and could not even close them.
os.register_at_fork(before=_close_idle)

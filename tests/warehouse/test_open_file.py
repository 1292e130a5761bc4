"""The file is attached to a lasting DuckDB instance, which leaves nothing to the next transaction or file."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import duckdb
import psutil
import pyarrow as pa
import pytest

from hnintel.errors import WarehouseError
from hnintel.warehouse.duckdb import file
from hnintel.warehouse.duckdb.adapter import DuckDBWarehouse
from hnintel.warehouse.duckdb.ai_functions import connect
from hnintel.warehouse.duckdb.turns import only_here
from tests.conftest import ROOT
from tests.warehouse.other import other_process
from tests.warehouse.world import Answering, fetch, load, open_duckdb, story

#: More than the memory that it is given holds, so that DuckDB puts some of it on the disk.
TOO_MUCH = (
    "CREATE TEMP TABLE big AS SELECT range AS a, CAST(hash(range) AS VARCHAR) AS b FROM range(2000000) ORDER BY b"
)


def warehouse_at(path: Path) -> DuckDBWarehouse:
    return DuckDBWarehouse(path, Answering(), 5)


def test_an_instance_serves_one_file_after_the_other(tmp_path: Path) -> None:
    first, second = open_duckdb(tmp_path / "first"), open_duckdb(tmp_path / "second")
    load(first, [story(1)])
    (instance,) = file._idle[-1:]
    load(second, [story(2)])
    assert fetch(first, "SELECT id FROM raw.items") == [(1,)]
    assert fetch(second, "SELECT id FROM raw.items") == [(2,)]
    assert file._idle[-1] is instance
    assert instance.execute("SELECT path FROM duckdb_databases() WHERE path IS NOT NULL").fetchall() == []


def test_a_temporary_table_is_gone_in_the_next_transaction(tmp_path: Path) -> None:
    warehouse = open_duckdb(tmp_path)
    fetch(warehouse, "CREATE TEMP TABLE incoming AS SELECT 1 AS a")
    with pytest.raises(WarehouseError, match="incoming does not exist"):
        fetch(warehouse, "SELECT a FROM incoming")


@pytest.mark.parametrize(
    "name",
    ["memory.duckdb", "pg_catalog.duckdb", "temp.duckdb", "a.b.duckdb", "it's.duckdb", 'x"y z.duckdb', ".duckdb"],
)
def test_the_file_may_have_any_name_and_its_views_are_read_by_duckdb_itself(tmp_path: Path, name: str) -> None:
    warehouse = warehouse_at(tmp_path / name)
    load(warehouse, [story(1)])
    fetch(warehouse, "CREATE VIEW raw.seen AS SELECT id FROM raw.items")
    assert fetch(warehouse, "SELECT id FROM raw.seen") == [(1,)]
    named = fetch(warehouse, "SELECT current_database()")
    with duckdb.connect(str(tmp_path / name), read_only=True) as connection:
        assert connection.execute("SELECT id FROM raw.seen").fetchall() == [(1,)]
        assert connection.execute("SELECT current_database()").fetchall() == named


def test_a_link_opens_the_same_file_and_database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []
    monkeypatch.setattr(file, "connect", lambda database: opened.append(database) or connect(database))
    fetch(warehouse_at(tmp_path / "hnintel.duckdb"), "SELECT 1")
    (tmp_path / "link.duckdb").symlink_to(tmp_path / "hnintel.duckdb")
    load(warehouse_at(tmp_path / "link.duckdb"), [story(1)])
    for name in ("link.duckdb", "hnintel.duckdb"):
        assert fetch(warehouse_at(tmp_path / name), "SELECT id FROM hnintel.raw.items") == [(1,)]
    assert set(opened) <= {":memory:"}  # attached, by either name


def test_a_nested_transaction_of_a_thread_uses_the_same_file(tmp_path: Path) -> None:
    warehouse = open_duckdb(tmp_path)
    load(warehouse, [story(1)])
    with warehouse.transaction(stage="enrich") as session:
        session.execute("DELETE FROM raw.items")
        assert fetch(warehouse, "SELECT id FROM raw.items") == [(1,)]
        with pytest.raises(WarehouseError, match="nothing does not exist"):
            fetch(warehouse, "SELECT a FROM nothing")
    assert fetch(warehouse, "SELECT id FROM raw.items") == []


def test_a_closed_file_contains_all_written_rows(tmp_path: Path) -> None:
    load(open_duckdb(tmp_path), [story(1)])
    assert {one.name for one in tmp_path.iterdir()} == {"hnintel.duckdb", "hnintel.duckdb.lock"}
    assert str(tmp_path / "hnintel.duckdb") not in {one.path for one in psutil.Process().open_files()}


def test_an_instance_with_a_failed_transaction_is_discarded(tmp_path: Path) -> None:
    warehouse = open_duckdb(tmp_path)
    load(warehouse, [story(1)])
    (instance,) = file._idle[-1:]
    with pytest.raises(WarehouseError), warehouse.transaction(stage="enrich") as session:
        session.execute("DELETE FROM raw.items; SELECT a FROM nothing")
    assert instance not in file._idle
    with other_process("import duckdb; held = duckdb.connect(sys.argv[1])", warehouse.path):
        pass
    assert fetch(warehouse, "SELECT id FROM raw.items") == [(1,)]


@pytest.mark.slow  # sorts millions of rows
def test_spilled_data_lies_beside_the_file_and_is_removed_with_the_transaction(tmp_path: Path) -> None:
    warehouse = open_duckdb(tmp_path)
    beside = tmp_path / "hnintel.duckdb.tmp"
    beside.mkdir()  # as a process that was killed leaves it
    for _ in range(2):  # DuckDB takes no other folder once an instance has used one
        with warehouse.transaction(stage="enrich") as session:
            session.execute("SET memory_limit = '60MB'")
            session.execute(TOO_MUCH)
            assert list(beside.iterdir())
        assert not beside.exists() or not list(beside.iterdir())
    assert fetch(open_duckdb(tmp_path / "other"), "SELECT 1") == [(1,)]


def test_another_connection_of_this_process_works_beside_transactions(tmp_path: Path) -> None:
    warehouse = open_duckdb(tmp_path)
    load(warehouse, [story(1)])
    with duckdb.connect(str(warehouse.path)) as notebook:
        assert fetch(warehouse, "SELECT id FROM raw.items") == [(1,)]
        notebook.execute("DELETE FROM raw.items")
        assert fetch(warehouse, "SELECT id FROM raw.items") == []
    assert fetch(warehouse, "SELECT id FROM raw.items") == []


def test_dbt_may_open_the_file_whenever_a_thread_is_in_a_transaction(tmp_path: Path) -> None:
    warehouse = open_duckdb(tmp_path)
    load(warehouse, [story(1)])
    with only_here(warehouse.path, 0):
        with warehouse.transaction(stage="enrich"), connect(str(warehouse.path)) as dbt:
            assert dbt.execute("SELECT id FROM raw.items").fetchall() == [(1,)]
        with duckdb.connect(str(warehouse.path)), warehouse.transaction(stage="enrich") as session:
            assert session.execute("SELECT id FROM raw.items") == [(1,)]
    with warehouse.transaction(stage="enrich"), pytest.raises(duckdb.Error, match="already attached"):  # as it is else
        duckdb.connect(str(warehouse.path))


def test_dbt_waits_until_no_thread_has_the_file_attached(tmp_path: Path) -> None:
    warehouse = open_duckdb(tmp_path)
    load(warehouse, [story(1)])

    def many() -> None:
        for _ in range(50):
            fetch(warehouse, "SELECT 1")

    with ThreadPoolExecutor(3) as pool:
        jobs = [pool.submit(many) for _ in range(3)]
        for _ in range(10):
            with only_here(warehouse.path, 0), connect(str(warehouse.path)) as dbt:
                assert dbt.execute("SELECT id FROM raw.items").fetchall() == [(1,)]
        for job in jobs:
            job.result()


@pytest.mark.slow  # a process that imports the warehouse
def test_a_forked_process_has_separate_instances(tmp_path: Path) -> None:
    script = """
import os, signal
from contextlib import suppress
from hnintel.errors import WarehouseError
from tests.warehouse.world import *
warehouse = open_duckdb(Path(sys.argv[1]))
load(warehouse, [story(1)])
child = os.fork()
if child == 0:
    signal.alarm(60)
    own = open_duckdb(Path(sys.argv[1]) / "child")
    with suppress(WarehouseError):  # its instance is closed then, and that waits for the instance's threads
        fetch(own, "SELECT a FROM nothing")
    os._exit(0 if fetch(own, "SELECT 1") == [(1,)] else 1)  # as multiprocessing ends one
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
print(fetch(warehouse, "SELECT count(*) FROM raw.items"))
"""
    ended = subprocess.run(
        [sys.executable, "-c", f"import sys\n{script}", str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert (ended.returncode, ended.stdout) == (0, "[(1,)]\n"), ended.stderr
    assert "leaked" not in ended.stderr


class BeingPrepared:
    """An instance still being prepared by another thread: it reads Arrow tables from the third attempt on."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection
        self.asked = 0

    def execute(self, sql: str) -> duckdb.DuckDBPyConnection:
        self.asked += "python_arrow_scan" in sql
        return self._connection.execute(sql if self.asked > 2 else f"SELECT * FROM ({sql}) WHERE FALSE")

    def cursor(self) -> duckdb.DuckDBPyConnection:
        return self._connection.cursor()

    def close(self) -> None:
        self._connection.close()


def test_a_file_that_another_thread_is_opening_too_is_used_once_it_can_read_arrow_tables(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    instance = BeingPrepared(duckdb.connect(tmp_path / "hnintel.duckdb"))
    monkeypatch.setattr("hnintel.warehouse.duckdb.file.connect", lambda path: instance)
    opened = file.open_file(tmp_path / "hnintel.duckdb", shared=True)
    with closing(opened.connection()) as connection:
        connection.register("rows", pa.table({"a": [1, 2]}))
        assert connection.execute("SELECT sum(a) FROM rows").fetchall() == [(3,)]
    opened.close()
    assert instance.asked == 3

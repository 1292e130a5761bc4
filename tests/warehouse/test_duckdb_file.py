"""The embedded warehouse as a file: opening it, locking it, and the errors of an unavailable file."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, nullcontext
from functools import partial
from pathlib import Path
from threading import Event, Timer
from typing import Any

import duckdb
import pytest
import yaml

from hnintel.engines.base import Answer, EngineUnreachable
from hnintel.errors import WarehouseBusy, WarehouseError
from hnintel.warehouse.base import Query, Step
from hnintel.warehouse.duckdb.ai_functions import connect_with_functions
from hnintel.warehouse.duckdb.file import OpenFile, open_file
from hnintel.warehouse.duckdb.turns import only_here
from hnintel.warehouse.migrations import migrate
from tests.conftest import ROOT
from tests.warehouse.other import HAS_THE_LOCK, other_process
from tests.warehouse.world import Answering, fetch, load, open_duckdb, story

HOLDS_THE_FILE = "import duckdb; held = duckdb.connect(sys.argv[1])"
PENDING = "SELECT id AS item_id, title || ' ' AS input FROM raw.items"
ASKED = "SELECT item_id, AI_CLASSIFY(input, ['good', 'bad'], return_error_details => TRUE) AS answer FROM pending"


def migrations_of(folder: Path) -> int:
    return int(fetch(open_duckdb(folder), "SELECT count(*) FROM ops.schema_versions")[0][0])


@pytest.mark.parametrize("made", ["not there", "empty", "by hand", "by hand, with another schema"])
def test_a_warehouse_opens_however_its_file_was_created(tmp_path: Path, made: str) -> None:
    path = tmp_path / "hnintel.duckdb"
    if made == "empty":
        path.touch()
    elif made != "not there":
        with duckdb.connect(str(path)) as connection:
            connection.execute("CREATE SCHEMA raw; CREATE TABLE mine (a INT); INSERT INTO mine VALUES (7)")
    warehouse = open_duckdb(tmp_path)
    load(warehouse, [story(1)])
    assert fetch(warehouse, "SELECT id FROM raw.items") == [(1,)]
    if made.startswith("by hand"):
        assert fetch(warehouse, "SELECT a FROM mine") == [(7,)]


@pytest.mark.slow  # a process that imports the warehouse
def test_a_full_disk_is_reported_and_leaves_no_part_of_a_new_file(tmp_path: Path) -> None:
    script = """
import resource, sys
from tests.warehouse.world import *
warehouse = open_duckdb(Path(sys.argv[1]), None, 1)
resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))  # what a full disk is to it
fetch(warehouse, "SELECT 1")
"""
    ended = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    last = ended.stderr.strip().splitlines()[-1]
    assert "cannot be opened: IO Error: Could not write file" in last
    assert last.endswith(f": make room in {tmp_path}, then run it again")
    assert not (tmp_path / "hnintel.duckdb").exists()


def test_migrations_run_once(tmp_path: Path) -> None:
    first = migrations_of(tmp_path)
    assert first >= 1
    assert migrations_of(tmp_path) == first


def test_a_failed_migration_is_rolled_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    migrations = tmp_path / "migrations"
    migrations.mkdir()
    (migrations / "0001_first.sql").write_text("CREATE TABLE one (a INT); CREATE TABLE one (a INT)")
    monkeypatch.setattr("hnintel.warehouse.duckdb.adapter.migrate", partial(migrate, folder=migrations))
    with pytest.raises(WarehouseError, match="already exists"):
        fetch(open_duckdb(tmp_path), "SELECT 1")
    (migrations / "0001_first.sql").write_text("CREATE TABLE one (a INT)")
    assert fetch(open_duckdb(tmp_path), "SELECT * FROM one") == []


def test_a_warehouse_of_a_newer_version_is_refused_and_unchanged(tmp_path: Path) -> None:
    warehouse = open_duckdb(tmp_path)
    with warehouse.transaction(stage="enrich") as session:
        session.execute("INSERT INTO ops.schema_versions VALUES (9001, '9001_later', TIMESTAMP '2030-01-01')")
    for _ in range(2):
        with pytest.raises(WarehouseError, match=r"schema version 9001.*update the code") as refused:
            fetch(open_duckdb(tmp_path), "SELECT 1")
        assert "\n" not in str(refused.value)


def test_a_file_deleted_between_two_transactions_is_created_again(tmp_path: Path) -> None:
    warehouse = open_duckdb(tmp_path)
    load(warehouse, [story(1)])
    warehouse.path.unlink()
    assert fetch(warehouse, "SELECT * FROM raw.items") == []


def test_a_file_that_is_not_a_database_is_reported_and_unchanged(tmp_path: Path) -> None:
    path = tmp_path / "hnintel.duckdb"
    path.write_text("a diary\n" * 1000)
    with pytest.raises(WarehouseError, match=r"hnintel\.duckdb cannot be opened.*HNINTEL_DUCKDB_PATH") as refused:
        fetch(open_duckdb(tmp_path), "SELECT 1")
    assert "\n" not in str(refused.value)
    assert path.read_text() == "a diary\n" * 1000


@pytest.mark.parametrize("shared", [False, True], ids=["", "while dbt may have it"])
def test_a_sqlite_file_is_refused_and_no_extension_is_fetched_for_it(tmp_path: Path, shared: bool) -> None:
    path = tmp_path / "hnintel.duckdb"
    with closing(sqlite3.connect(path)) as other:
        other.execute("CREATE TABLE mine (a)")
    content = path.read_bytes()
    with only_here(path, 0) if shared else nullcontext(), pytest.raises(WarehouseError) as refused:
        fetch(open_duckdb(tmp_path), "SELECT 1")
    mend = "move that file away, or give another HNINTEL_DUCKDB_PATH"
    assert str(refused.value) == f"{path} cannot be opened: it is no DuckDB file: {mend}"
    assert path.read_bytes() == content


def test_no_connection_fetches_or_loads_an_extension(tmp_path: Path) -> None:
    settings = ("autoinstall_known_extensions", "autoload_known_extensions")
    query = f"SELECT {', '.join(f'current_setting({name!r})' for name in settings)}"
    with connect_with_functions(Answering()) as memory:
        assert memory.execute(query).fetchall() == [(False, False)]
    warehouse = open_duckdb(tmp_path)
    assert fetch(warehouse, query) == [(False, False)]
    profiles = yaml.safe_load((ROOT / "dbt" / "profiles.yml").read_text(encoding="utf-8"))
    dbt = profiles["hnintel"]["outputs"]["duckdb"]["config_options"]
    assert dbt == dict.fromkeys(settings, False)
    with only_here(warehouse.path, 0), warehouse.transaction(stage="enrich") as session:
        assert session.execute(query) == [(False, False)]
        duckdb.connect(str(warehouse.path), config=dbt).close()  # DuckDB refuses it where the two do not agree


def test_a_truncated_file_is_reported_as_damaged(tmp_path: Path) -> None:
    warehouse = open_duckdb(tmp_path)
    load(warehouse, [story(n) for n in range(1, 200)])
    os.truncate(warehouse.path, warehouse.path.stat().st_size // 2)
    with pytest.raises(WarehouseError, match="the file is damaged; restore a copy of it") as refused:
        fetch(open_duckdb(tmp_path), "SELECT sum(length(title)) FROM raw.items")
    assert "\n" not in str(refused.value)


def test_an_unwritable_folder_is_reported_with_the_remedy(tmp_path: Path) -> None:
    (tmp_path / "in the way").write_text("a file, where the folder should be")
    warehouse = open_duckdb(tmp_path / "in the way")
    with pytest.raises(WarehouseError, match=r"cannot be written.*HNINTEL_HOME"):
        fetch(warehouse, "SELECT 1")


def test_the_process_that_holds_the_file_is_named_after_the_lock_wait(tmp_path: Path) -> None:
    load(open_duckdb(tmp_path), [story(1)])
    with other_process(HOLDS_THE_FILE, tmp_path / "hnintel.duckdb") as other:
        with pytest.raises(WarehouseBusy, match=rf"held by process {other.pid} .*waited 0\.3 s") as busy:
            fetch(open_duckdb(tmp_path, lock_wait=0.3), "SELECT 1")
        assert "\n" not in str(busy.value)
        other.kill()
        # Waiting long enough, it is had as soon as it is free.
        assert fetch(open_duckdb(tmp_path, lock_wait=60), "SELECT id FROM raw.items") == [(1,)]


#: Says whether this process could have the file now.
COULD_HAVE_IT = """
import sys
from pathlib import Path
from hnintel.warehouse.duckdb.lock import HeldElsewhere, hold_on
try:
    hold_on(Path(sys.argv[1])).take(0)
    print("free")
except HeldElsewhere as held:
    print(held)
"""


def to_another_process(path: Path) -> str:
    """Return the error of another process that opens the file."""
    command = [sys.executable, "-c", COULD_HAVE_IT, str(path)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()


def test_duckdb_does_not_open_the_file_while_another_process_has_its_lock(tmp_path: Path) -> None:
    # DuckDB's own lock comes too late: it has read by then where the newest rows lie.
    path = tmp_path / "hnintel.duckdb"
    with other_process(HAS_THE_LOCK, path) as other:
        with pytest.raises(WarehouseBusy, match=rf"held by process {other.pid} .*waited 0\.3 s"):
            fetch(open_duckdb(tmp_path, lock_wait=0.3), "SELECT 1")
        assert not path.exists()
        with pytest.raises(WarehouseBusy, match=f"held by process {other.pid} "), only_here(path, 0.1):
            pass
        other.kill()
        assert fetch(open_duckdb(tmp_path, lock_wait=60), "SELECT 1") == [(1,)]


def test_the_lock_is_held_from_before_opening_the_file_until_after_closing_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    warehouse = open_duckdb(tmp_path)
    mine = f"process {os.getpid()} ({Path(sys.executable).name})"
    told: list[str] = []

    def opened(path: Path, shared: bool) -> OpenFile:
        told.append(to_another_process(warehouse.path))
        return open_file(path, shared)

    monkeypatch.setattr("hnintel.warehouse.duckdb.adapter.open_file", opened)
    with warehouse.transaction(stage="enrich"):
        told.append(to_another_process(warehouse.path))
    with only_here(warehouse.path, 0):
        with warehouse.transaction(stage="enrich"):  # of another thread, while dbt has it
            pass
        told.append(to_another_process(warehouse.path))
    assert told == [mine] * 4
    assert to_another_process(warehouse.path) == "free"
    with pytest.raises(WarehouseError), warehouse.transaction(stage="enrich") as session:
        session.execute("SELECT a FROM nothing")
    assert to_another_process(warehouse.path) == "free"


def test_storing_answers_waits_longer_than_the_lock_wait(tmp_path: Path) -> None:
    load(open_duckdb(tmp_path), [story(1)])
    with ExitStack() as others:

        def meanwhile(text: str, good: Answer) -> Answer:
            other = others.enter_context(other_process(HOLDS_THE_FILE, tmp_path / "hnintel.duckdb"))
            Timer(1.0, other.kill).start()
            return good

        warehouse = open_duckdb(tmp_path, Answering(meanwhile), lock_wait=0.4)
        assert warehouse.ask(Query(PENDING), [Step("asked", ASKED)], lambda session: "kept", stage="enrich") == "kept"


@pytest.mark.parametrize("answers", ["answer", ""])
def test_if_the_engine_is_lost_only_self_contained_rows_are_handed_over(tmp_path: Path, answers: str) -> None:
    away = Answer(lost=EngineUnreachable("the endpoint is gone"))
    warehouse = open_duckdb(tmp_path, Answering(lambda text, good: away if "number 2 " in text else good))
    load(warehouse, [story(1), story(2), story(3)])
    handed: list[Any] = []
    with pytest.raises(EngineUnreachable, match=r"^the endpoint is gone$"):
        warehouse.ask(
            Query(PENDING),
            [Step("asked", ASKED, answers)],
            lambda session: handed.extend(session.execute("SELECT item_id FROM asked ORDER BY item_id")),
            stage="enrich",
        )
    assert handed == ([(1,), (3,)] if answers else [])


def test_the_file_is_free_for_other_processes_between_transactions(tmp_path: Path) -> None:
    warehouse = open_duckdb(tmp_path)
    load(warehouse, [story(1)])
    with other_process(HOLDS_THE_FILE, warehouse.path):
        pass
    assert fetch(warehouse, "SELECT count(*) FROM raw.items") == [(1,)]


def test_uncommitted_rows_of_a_killed_process_are_absent(tmp_path: Path) -> None:
    load(open_duckdb(tmp_path), [story(1)])
    half = f"{HOLDS_THE_FILE}; held.execute('BEGIN; DELETE FROM raw.items')"
    with other_process(half, tmp_path / "hnintel.duckdb") as other:
        os.kill(other.pid, signal.SIGKILL)
        other.wait()
    assert fetch(open_duckdb(tmp_path), "SELECT id FROM raw.items") == [(1,)]


@pytest.mark.slow  # a process that imports the warehouse
def test_no_progress_bar_is_drawn_where_the_main_module_has_no_file_as_in_a_worker_of_dask(tmp_path: Path) -> None:
    script = "from tests.warehouse.world import *; print(fetch(open_duckdb(Path(sys.argv[1])), sys.argv[2]))"
    setting = "SELECT CAST(current_setting('enable_progress_bar') AS BOOLEAN)"
    ended = subprocess.run(
        [sys.executable, "-c", f"import sys\n{script}", str(tmp_path), setting],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        timeout=600,
    )
    assert ended.stdout == "[(False,)]\n"


def test_threads_pass_on_the_open_file_and_close_it_at_the_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    warehouse, times = open_duckdb(tmp_path), []
    load(warehouse, [story(1)])

    def opened(path: Path, shared: bool) -> OpenFile:
        times.append(path)
        return open_file(path, shared)

    monkeypatch.setattr("hnintel.warehouse.duckdb.adapter.open_file", opened)

    def many() -> None:
        for _ in range(20):
            assert fetch(warehouse, "SELECT count(*) FROM raw.items") == [(1,)]

    with ThreadPoolExecutor(4) as pool:
        for job in [pool.submit(many) for _ in range(4)]:
            job.result()
    assert len(times) <= 20  # of the 80 transactions
    with other_process(HOLDS_THE_FILE, warehouse.path):
        pass


@pytest.mark.slow
def test_a_process_that_passes_the_file_between_threads_yields_it_to_another_process(tmp_path: Path) -> None:
    warehouse, over = open_duckdb(tmp_path), Event()
    load(warehouse, [story(1)])

    def busy() -> None:
        while not over.is_set():
            fetch(warehouse, "SELECT count(*) FROM raw.items")

    with ThreadPoolExecutor(3) as pool:
        jobs = [pool.submit(busy) for _ in range(3)]
        try:
            read = "from tests.warehouse.world import *; fetch(open_duckdb(Path(sys.argv[1]), None, 60), 'SELECT 1')"
            with other_process(read, tmp_path):
                pass
        finally:
            over.set()
        for job in jobs:
            job.result()


def test_a_failed_transaction_is_rolled_back_before_the_next_thread_gets_the_file(tmp_path: Path) -> None:
    warehouse, within = open_duckdb(tmp_path), Event()
    load(warehouse, [story(1)])

    def fails() -> None:
        with warehouse.transaction(stage="enrich") as session:
            session.execute("DELETE FROM raw.items")
            within.set()
            time.sleep(0.2)
            raise RuntimeError("half-way")

    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(fails)
        within.wait()
        second = pool.submit(fetch, warehouse, "SELECT count(*) FROM raw.items")
        with pytest.raises(RuntimeError, match="half-way"):
            first.result()
        assert second.result() == [(1,)]


def _attached_by_another_instance(path: Path) -> duckdb.DuckDBPyConnection:
    """Keep the file open, as a thread interrupted within a transaction does."""
    instance = duckdb.connect()
    instance.execute(f"ATTACH '{path}'")
    return instance


def test_a_file_still_open_in_this_process_is_reported_as_held(tmp_path: Path) -> None:
    warehouse = open_duckdb(tmp_path, lock_wait=0.2)
    load(warehouse, [story(1)])
    held = rf"is held by this process \({os.getpid()}\); waited 0\.2 s"
    with _attached_by_another_instance(warehouse.path), pytest.raises(WarehouseBusy, match=held) as refused:
        fetch(warehouse, "SELECT 1")
    assert "move" not in str(refused.value)
    assert fetch(warehouse, "SELECT id FROM raw.items") == [(1,)]


def test_a_transaction_waits_for_a_file_still_open_in_this_process(tmp_path: Path) -> None:
    warehouse = open_duckdb(tmp_path, lock_wait=60)
    load(warehouse, [story(1)])
    closing = Timer(0.3, _attached_by_another_instance(warehouse.path).close)
    closing.start()
    assert fetch(warehouse, "SELECT id FROM raw.items") == [(1,)]
    closing.join()

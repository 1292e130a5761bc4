"""Bringing a warehouse up: what is missing, in order, once."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from hnintel.errors import WarehouseError
from hnintel.warehouse.duckdb import DuckDBSession
from hnintel.warehouse.migrations import known_migrations, migrate
from tests.conftest import ROOT


@pytest.fixture
def session() -> DuckDBSession:
    return DuckDBSession(duckdb.connect(":memory:"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "0001_first.sql").write_text(
        "CREATE TABLE one (a INT); -- a comment; with a semicolon\nINSERT INTO one VALUES (1);"
    )
    (tmp_path / "notes.md").write_text("not a migration")
    return tmp_path


def test_what_is_missing_is_applied_once_and_in_order(session: DuckDBSession, folder: Path) -> None:
    assert migrate(session, folder) == [1]
    (folder / "0003_third.sql").write_text("INSERT INTO one SELECT b FROM two")
    (folder / "0002_second.sql").write_text("CREATE TABLE two AS SELECT 7 AS b")
    assert migrate(session, folder) == [2, 3]
    assert migrate(session, folder) == []
    assert session.execute("SELECT a FROM one ORDER BY a") == [(1,), (7,)]
    assert session.execute("SELECT version, name FROM ops.schema_versions ORDER BY version") == [
        (1, "0001_first"),
        (2, "0002_second"),
        (3, "0003_third"),
    ]


def test_a_newer_warehouse_is_refused_and_left_as_it_is(session: DuckDBSession, folder: Path) -> None:
    migrate(session, folder)
    session.execute("INSERT INTO ops.schema_versions VALUES (7, '0007_later', TIMESTAMP '2030-01-01')")
    (folder / "0002_second.sql").write_text("CREATE TABLE two (b INT)")
    with pytest.raises(WarehouseError, match="schema version 7, this code knows 2: update the code"):
        migrate(session, folder)
    assert session.execute("SELECT count(*) FROM information_schema.tables WHERE table_name = 'two'") == [(0,)]


def test_the_bundled_migrations_have_numbers_without_a_gap(session: DuckDBSession) -> None:
    known = known_migrations()
    assert list(known) == list(range(1, len(known) + 1))
    assert migrate(session) == list(known)
    files = list((ROOT / "hnintel" / "sql" / "migrations").glob("*.sql"))
    assert len(files) == len(known), "a file that is not named 0001_what.sql is never applied"

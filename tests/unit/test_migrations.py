"""Bringing a warehouse up: what is missing, in order, once."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import duckdb
import pytest

from hnintel.enrich.declaration import load_enrichments
from hnintel.enrich.run import enrich
from hnintel.errors import WarehouseError
from hnintel.warehouse.duckdb.session import DuckDBSession, begun
from hnintel.warehouse.migrations import Begin, known_migrations, migrate
from tests.conftest import ROOT
from tests.warehouse.world import DAY, fetch, load, open_duckdb, settings_in, story

#: Of each enrichment that is asked of an item alone: the fingerprint of its question, and its columns, as answers were
#: written before the modules moved into packages. Where a question is changed on purpose, its line is changed as well.
WRITTEN = {
    "entities": (
        "b6cde804f6aaeacc83fd040415238419",
        "companies VARCHAR[], products VARCHAR[], people VARCHAR[], technologies VARCHAR[], funding_amounts VARCHAR[]",
    ),
    "sentiment": ("9bbb1c6134f8ca808d98552bad61c76f", "sentiment VARCHAR"),
    "takeaway": ("9564bc064ae14b14292c7461faee76a1", "takeaway VARCHAR"),
    "topic": ("8e68c9ec1af6e5cce9f2d5a320f9b7d3", "topic VARCHAR"),
}
#: The hash of the text of each item that was asked about.
HASHES = {1: "56c38eff36698103664262aab89147f3", 2: "674c83c5f114e37044fdc0d79b04aa4f"}


@pytest.fixture
def begin() -> Iterator[Begin]:
    with duckdb.connect(":memory:") as connection:
        yield lambda: begun(connection)


def rows(begin: Begin, sql: str) -> list[tuple[object, ...]]:
    with begin() as session:
        return session.execute(sql)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "0001_first.sql").write_text(
        "CREATE TABLE one (a INT); -- a comment; with a semicolon\nINSERT INTO one VALUES (1);"
    )
    (tmp_path / "notes.md").write_text("not a migration")
    return tmp_path


def test_what_is_missing_is_applied_once_and_in_order(begin: Begin, folder: Path) -> None:
    assert migrate(begin, folder) == [1]
    (folder / "0003_third.sql").write_text("INSERT INTO one SELECT b FROM two")
    (folder / "0002_second.sql").write_text("CREATE TABLE two AS SELECT 7 AS b")
    assert migrate(begin, folder) == [2, 3]
    assert migrate(begin, folder) == []
    assert rows(begin, "SELECT a FROM one ORDER BY a") == [(1,), (7,)]
    assert rows(begin, "SELECT version, name FROM ops.schema_versions ORDER BY version") == [
        (1, "0001_first"),
        (2, "0002_second"),
        (3, "0003_third"),
    ]


def test_a_newer_warehouse_is_refused_and_left_as_it_is(begin: Begin, folder: Path) -> None:
    migrate(begin, folder)
    rows(begin, "INSERT INTO ops.schema_versions VALUES (7, '0007_later', TIMESTAMP '2030-01-01')")
    (folder / "0002_second.sql").write_text("CREATE TABLE two (b INT)")
    with pytest.raises(WarehouseError, match="schema version 7, this code knows 2: update the code"):
        migrate(begin, folder)
    assert rows(begin, "SELECT count(*) FROM information_schema.tables WHERE table_name = 'two'") == [(0,)]


def test_the_bundled_migrations_have_numbers_without_a_gap(begin: Begin) -> None:
    known = known_migrations()
    assert list(known) == list(range(1, len(known) + 1))
    assert migrate(begin) == list(known)
    files = list((ROOT / "hnintel" / "sql" / "migrations").glob("*.sql"))
    assert len(files) == len(known), "a file that is not named 0001_what.sql is never applied"


def test_a_file_made_by_the_first_version_is_brought_up_with_all_it_holds(tmp_path: Path) -> None:
    first = known_migrations()[1]
    (tmp_path / "old").mkdir()
    (tmp_path / "old" / first.name).write_text(first.read_text(encoding="utf-8"), encoding="utf-8")
    with duckdb.connect(str(tmp_path / "hnintel.duckdb")) as connection:
        assert migrate(lambda: begun(connection), tmp_path / "old") == [1]
        usage = ["run", DAY, "topic", "a-fingerprint", "AI_CLASSIFY", "offline-1", 3, 30, 3, "estimated", 0.5]
        old = DuckDBSession(connection)
        old.execute(f"INSERT INTO ops.ai_usage VALUES ({'?, ' * len(usage)}?)", [*usage, datetime(2026, 1, 1)])

    warehouse = open_duckdb(tmp_path)
    load(warehouse, [story(1), story(2)])
    for enrichment in load_enrichments().values():
        asked = 0 if enrichment.input.many else 2  # there are no comments
        assert enrich(warehouse, enrichment, DAY, settings_in(tmp_path), "new").answered == asked
    assert fetch(warehouse, "SELECT count(*) FROM ops.schema_versions") == [(len(known_migrations()),)]
    assert fetch(warehouse, "SELECT credits, currency FROM ops.ai_usage WHERE run_id = 'run'") == [(0.5, None)]


@pytest.mark.parametrize("name", WRITTEN)
def test_answers_that_earlier_code_wrote_are_not_asked_for_anew(tmp_path: Path, name: str) -> None:
    fingerprint, columns = WRITTEN[name]
    first = known_migrations()[1]
    (tmp_path / "old").mkdir()
    (tmp_path / "old" / first.name).write_text(first.read_text(encoding="utf-8"), encoding="utf-8")
    with duckdb.connect(str(tmp_path / "hnintel.duckdb")) as connection:
        migrate(lambda: begun(connection), tmp_path / "old")
        connection.execute(
            f"CREATE TABLE enriched.{name} (item_id BIGINT NOT NULL, fingerprint VARCHAR NOT NULL, {columns}, "
            "input_hash VARCHAR NOT NULL, input_cut BOOLEAN NOT NULL, model VARCHAR NOT NULL, run_id VARCHAR NOT NULL, "
            "enriched_at TIMESTAMP NOT NULL, PRIMARY KEY (item_id, fingerprint))"
        )
        for item_id, input_hash in HASHES.items():
            connection.execute(
                f"INSERT INTO enriched.{name} (item_id, fingerprint, input_hash, input_cut, model, run_id, enriched_at)"
                " VALUES (?, ?, ?, FALSE, 'offline-1', 'before', ?)",
                [item_id, fingerprint, input_hash, datetime(2026, 1, 1)],
            )
        written = connection.execute(f"SELECT * FROM enriched.{name}").fetchall()

    warehouse = open_duckdb(tmp_path)
    load(warehouse, map(story, HASHES))
    came = enrich(warehouse, load_enrichments()[name], DAY, settings_in(tmp_path), "after")
    assert (came.asked, came.reused) == (0, 0)
    assert fetch(warehouse, f"SELECT * FROM enriched.{name} ORDER BY item_id") == written
    assert fetch(warehouse, f"SELECT item_id FROM enriched.{name}_current ORDER BY item_id") == [(1,), (2,)]

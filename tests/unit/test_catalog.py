"""The catalog: the columns of tables and views by name, in their order."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from hnintel.warehouse.base import Session
from hnintel.warehouse.catalog import columns_of, columns_of_tables
from tests.warehouse.world import fresh_duckdb


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Session]:
    with fresh_duckdb(tmp_path_factory.mktemp("warehouse")).transaction(stage="enrich") as session:
        session.execute("CREATE SCHEMA a")
        session.execute("CREATE SCHEMA b")
        session.execute("CREATE TABLE a.first (z VARCHAR, Y BIGINT, x VARCHAR[])")
        session.execute("CREATE TABLE b.first (w DOUBLE)")
        session.execute("CREATE VIEW a.shown AS SELECT x, z FROM a.first")
        yield session


@pytest.mark.parametrize(
    ("name", "columns"),
    [
        ("a.first", [("z", "VARCHAR"), ("y", "BIGINT"), ("x", "VARCHAR[]")]),
        ("b.first", [("w", "DOUBLE")]),
        ("a.shown", [("x", "VARCHAR[]"), ("z", "VARCHAR")]),
        ("a.missing", []),
        ("missing.first", []),
    ],
)
def test_a_table_or_view_has_its_columns_in_their_order(
    session: Session, name: str, columns: list[tuple[str, str]]
) -> None:
    assert list(columns_of(session, name).items()) == columns


def test_the_tables_of_some_schemas_have_their_columns_and_views_are_left_out(session: Session) -> None:
    assert columns_of_tables(session, ["a"]) == {"a.first": ["z", "y", "x"]}
    assert columns_of_tables(session, ["b", "a", "missing"]) == {"a.first": ["z", "y", "x"], "b.first": ["w"]}

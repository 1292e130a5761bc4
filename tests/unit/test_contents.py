"""Which tables and columns make the contents of a warehouse; tests/warehouse holds each adapter to the rest."""

from __future__ import annotations

from pathlib import Path

from hnintel.warehouse.table_hashes import VOLATILE, changed, contents
from tests.warehouse.world import fetch, fresh_duckdb, load, story


def test_contents_are_of_every_table_of_data_and_of_none_of_the_ledger(tmp_path: Path) -> None:
    warehouse = fresh_duckdb(tmp_path)
    with warehouse.transaction(stage="enrich") as session:
        session.execute("CREATE SCHEMA marts")
        session.execute("CREATE TABLE marts.stories (id BIGINT)")
        session.execute("CREATE VIEW marts.not_a_table AS SELECT 1 AS one")
        session.execute("CREATE TABLE main.of_somebody_else (id BIGINT)")
        found = contents(session, warehouse)
    assert {"raw.items", "raw.comments", "raw.articles", "enriched.briefings", "marts.stories"} <= found.keys()
    assert {table.partition(".")[0] for table in found} == {"raw", "enriched", "marts"}
    assert "marts.not_a_table" not in found


def test_when_and_by_which_run_a_row_was_written_is_no_content(tmp_path: Path) -> None:
    warehouse = fresh_duckdb(tmp_path)
    load(warehouse, [story(1)])
    with warehouse.transaction(stage="enrich") as session:
        before = contents(session, warehouse)
        columns = session.execute("SELECT column_name FROM information_schema.columns WHERE table_name = 'items'")
        volatile = VOLATILE & {name for (name,) in columns}
        assert volatile == {"run_id", "loaded_at"}
        session.execute("UPDATE raw.items SET run_id = 'another', loaded_at = loaded_at + INTERVAL 1 DAY")
        assert changed(before, contents(session, warehouse)) == []


def test_every_column_that_is_not_volatile_counts(tmp_path: Path) -> None:
    warehouse = fresh_duckdb(tmp_path)
    load(warehouse, [story(1)])
    kinds = {"BIGINT": "77", "VARCHAR": "'77'", "DATE": "DATE '2000-01-01'", "TIMESTAMP": "TIMESTAMP '2000-01-01'"}
    for name, kind in fetch(
        warehouse, "SELECT column_name, data_type FROM information_schema.columns WHERE table_name = 'items'"
    ):
        with warehouse.transaction(stage="enrich") as session:
            before = contents(session, warehouse)
            session.execute(f"UPDATE raw.items SET {name} = {kinds[kind]}")
            assert changed(before, contents(session, warehouse)) == ([] if name in VOLATILE else ["raw.items"]), name

"""A branch's own marts: dropped by their prefix on each warehouse, and never those of all."""

from __future__ import annotations

from pathlib import Path

import pytest

from hnintel.cli.app import main
from hnintel.errors import UsageError
from hnintel.settings import Settings, load_settings
from hnintel.warehouse import open_warehouse
from hnintel.warehouse.base import Warehouse
from hnintel.warehouse.branch_schemas import as_owner, drop, of_branch, refuse_branch
from tests.warehouse.world import Recording, fresh_duckdb, fresh_snowflake

SCHEMAS = ("staging", "marts", "pr_1_staging", "pr_1_marts", "pr_12_marts", "prx1_marts")


def build(warehouse: Warehouse) -> None:
    """Schemas with a table in each, of all and of two branches."""
    with warehouse.transaction(stage="enrich") as session:
        for name in SCHEMAS:
            session.execute(f"CREATE SCHEMA IF NOT EXISTS {name}")
            session.execute(f"CREATE TABLE {name}.stories (id BIGINT)")


def there(warehouse: Warehouse) -> set[str]:
    """Which of the schemas there are."""
    with warehouse.transaction(stage="enrich") as session:
        rows = session.execute("SELECT DISTINCT lower(schema_name) FROM information_schema.schemata")
    return {str(row[0]) for row in rows} & set(SCHEMAS)


@pytest.mark.parametrize("opens", [fresh_duckdb, fresh_snowflake], ids=["duckdb", "snowflake"])
def test_a_branch_is_dropped_with_its_tables_and_all_others_stay(opens: object, tmp_path: Path) -> None:
    warehouse: Warehouse = opens(tmp_path, Recording())  # type: ignore[operator]
    build(warehouse)
    with warehouse.transaction(stage="enrich") as session:
        assert of_branch(session, "pr_1_") == ["pr_1_marts", "pr_1_staging"]
        assert drop(session, "pr_1_") == ["pr_1_marts", "pr_1_staging"]
    assert there(warehouse) == {*SCHEMAS} - {"pr_1_marts", "pr_1_staging"}
    with warehouse.transaction(stage="enrich") as session:
        assert drop(session, "pr_1_") == [], "a second time there is nothing to do"


@pytest.mark.parametrize("prefix", ["", "_", "pr", "PR_1_", "a;drop_", "pr-1_", "%_"])
def test_what_is_no_prefix_of_a_branch_is_refused(prefix: str, home: Path) -> None:
    with (
        open_warehouse(load_settings()).transaction(stage="enrich") as session,
        pytest.raises(UsageError, match="ending in _"),
    ):
        drop(session, prefix)


def test_a_dry_run_lists_and_leaves_and_without_a_yes_nothing_goes(
    home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HNINTEL_SCHEMA_PREFIX", "pr_1_")
    warehouse = open_warehouse(load_settings())
    build(warehouse)
    assert main(["schema", "drop", "--dry-run"]) == 0
    assert capsys.readouterr().out == "pr_1_marts\npr_1_staging\n"
    assert main(["schema", "drop"]) == 2
    assert "--yes drops the schemas" in capsys.readouterr().err
    assert there(warehouse) == {*SCHEMAS}
    assert main(["schema", "drop", "--prefix", "pr_12_", "--yes"]) == 0
    assert capsys.readouterr().out == "pr_12_marts\ndropped 1 schema\n"
    assert main(["schema", "drop", "--prefix", "pr_12_", "--yes"]) == 0
    assert capsys.readouterr().out == "nothing to drop: no schema begins with pr_12_\n"


def test_a_run_does_not_build_behind_a_prefix() -> None:
    refuse_branch(Settings())
    with pytest.raises(UsageError, match="HNINTEL_SCHEMA_PREFIX=pr_1_ is for dbt by hand"):
        refuse_branch(Settings(schema_prefix="pr_1_"))


def test_a_branch_is_dropped_by_the_role_of_all_stages_which_builds_it() -> None:
    own = {f"snowflake_role_{stage}": stage.upper() for stage in ("ingest", "enrich", "transform")}
    chosen = as_owner(Settings(warehouse="snowflake", snowflake_role="EVERYTHING", **own))
    assert {chosen.snowflake_role_of(stage) for stage in ("ingest", "enrich", "transform")} == {"EVERYTHING"}

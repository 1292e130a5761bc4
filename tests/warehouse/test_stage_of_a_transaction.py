"""Which role, warehouse and tag each statement is sent with: those of the stage that its transaction names."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest

from hnintel.enrich.declaration import load_enrichments
from hnintel.ingest import retries
from hnintel.ledger import dead_letters
from hnintel.settings import variable
from hnintel.settings.snowflake import Stage
from hnintel.sources.sample import SampleSource
from hnintel.warehouse import open_warehouse
from hnintel.warehouse.base import Query, Step
from hnintel.warehouse.query_tags import tagged
from hnintel.warehouse.snowflake.adapter import SnowflakeWarehouse
from hnintel.warehouse.statements import tokens
from tests.snowflake_stand_in.history import HISTORY
from tests.warehouse.world import DAY, NOW, bury, fresh_snowflake, load, story

STAGES: tuple[Stage, ...] = get_args(Stage)


@pytest.fixture
def warehouse(tmp_path: Path) -> SnowflakeWarehouse:
    """A migrated database of the stand-in, with a role and a warehouse for each stage."""
    own = {f"snowflake_{what}_{stage}": f"{stage}_{what}" for what in ("role", "warehouse") for stage in STAGES}
    settings = fresh_snowflake(tmp_path)._settings.model_copy(update={**own, "snowflake_role": "all_role"})
    warehouse = SnowflakeWarehouse(settings)
    load(warehouse, [story(1)])
    HISTORY.clear()
    return warehouse


def sent_as(part: str) -> set[tuple[str | None, str | None, Any]]:
    """The role, warehouse and tagged stage of the statements with *part* in them."""
    sent = [one for one in HISTORY if part in one.sql]
    assert sent
    return {(one.role, one.warehouse, one.tag["stage"]) for one in sent}


def own(stage: Stage) -> set[tuple[str | None, str | None, Any]]:
    """Return the role, warehouse and tag of a stage's statements."""
    return {(f"{stage}_role", f"{stage}_warehouse", stage)}


@pytest.mark.parametrize("stage", STAGES)
def test_a_transaction_uses_the_role_and_warehouse_of_its_stage(warehouse: SnowflakeWarehouse, stage: Stage) -> None:
    with warehouse.transaction(stage=stage) as session:
        session.execute("SELECT count(*) FROM raw.items")
    assert sent_as("FROM raw.items") == own(stage)


@pytest.mark.parametrize("stage", STAGES)
def test_a_question_uses_the_role_and_warehouse_of_its_stage(warehouse: SnowflakeWarehouse, stage: Stage) -> None:
    steps = [Step("asked", f"SELECT item_id, {tokens('input')} AS tokens FROM pending")]
    pending = Query("SELECT id AS item_id, title AS input FROM raw.items")
    warehouse.ask(pending, steps, lambda session: session.rows("SELECT item_id FROM asked"), stage=stage)
    assert sent_as("TABLE asked") == sent_as("SELECT item_id FROM asked") == own(stage)


def test_transactions_of_two_stages_in_a_thread_use_their_own_roles(warehouse: SnowflakeWarehouse) -> None:
    with tagged(run="a-run", day=DAY), warehouse.transaction(stage="ingest") as loading:
        loading.execute("SELECT 'outer'")
        with warehouse.transaction(stage="enrich") as asking:
            asking.execute("SELECT 'inner'")
        loading.execute("SELECT 'outer again'")
    assert sent_as("'outer") == own("ingest")
    assert sent_as("'inner'") == own("enrich")


def test_dead_letters_are_read_again_as_ingest(warehouse: SnowflakeWarehouse) -> None:
    bury(warehouse, "items", ["1"])
    source, settings = SampleSource(), warehouse._settings
    asked = {one.stage for one in load_enrichments().values()}
    with warehouse.transaction(stage="enrich") as session:
        chosen = dead_letters.letters(session, settings, NOW, asked)
    HISTORY.clear()
    asyncio.run(retries.retry(warehouse, source, chosen, settings, "a-retry", NOW))
    assert sent_as("raw.comments") == own("ingest")


@pytest.fixture
def named_in_the_environment(warehouse: SnowflakeWarehouse, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The warehouse, set in the environment for code that loads its own settings."""
    given = {"warehouse": "snowflake", "home": warehouse._settings.home}
    given |= {
        name: getattr(warehouse._settings, name)
        for name in type(warehouse._settings).model_fields
        if name.startswith("snowflake_") and getattr(warehouse._settings, name)
    }
    for name, value in given.items():
        monkeypatch.setenv(variable(name), str(value))
    yield
    open_warehouse.cache_clear()


def test_the_article_of_one_story_is_looked_up_as_ingest(named_in_the_environment: None) -> None:
    from tasks import spotlight

    assert spotlight.read_article.fn(1, "sample", DAY, "a-run") == 0
    assert sent_as("FROM raw.items") == own("ingest")

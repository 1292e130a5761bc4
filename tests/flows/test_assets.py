"""The assets that a run reports to Prefect: a graph from Hacker News to the briefing."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Any

import pytest
from prefect import flow, runtime
from prefect.client.orchestration import get_client
from prefect.events.filters import EventFilter, EventNameFilter, EventRelatedFilter
from prefect.events.worker import EventsWorker

import tasks.enrich
from hnintel.enrich.declaration import load_enrichments
from hnintel.enrich.run import enrich
from hnintel.errors import WarehouseBusy
from hnintel.ledger.stage_names import ARTICLES, INGEST
from hnintel.runs import lineage
from hnintel.settings import load_settings
from hnintel.warehouse import open_warehouse
from tasks import assets, brief, ingest, transform
from tests.warehouse.other import HAS_THE_LOCK, other_process
from tests.warehouse.world import DAY, load_sample

MATERIALIZED = "prefect.asset.materialization.succeeded"


@pytest.fixture(scope="module")
def made(prefect_server: None, tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """Return the materializations of a day's tables, as the server has them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HNINTEL_HOME", str(tmp_path_factory.mktemp("home")))
        _make()
    return asyncio.run(_events({"duckdb://hnintel/enriched/briefings", "duckdb://hnintel/marts/stories"}))


def _make() -> None:
    settings = load_settings()
    warehouse = open_warehouse(settings)
    load_sample(warehouse)
    for name in load_enrichments():
        enrich(warehouse, load_enrichments()[name], DAY, settings, "the-run")

    @flow(name="tells")
    def tells() -> None:
        assets.of_items(ingest.end)(DAY, INGEST, "sample", "loading", 0, 0)
        assets.of_articles(ingest.end)(DAY, ARTICLES, "sample", "the-run", 0, 0)
        for name in load_enrichments():
            assets.of_answers(tasks.enrich.end, name)(name, DAY, "the-run")
        transform.build(DAY, DAY)
        assets.of_briefing(brief.brief)(DAY, "the-run")

    tells()


def test_dbt_waits_for_the_file_as_a_transaction_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HNINTEL_HOME", str(tmp_path))
    monkeypatch.setenv("HNINTEL_LOCK_WAIT", "0.2")
    path = load_settings().warehouse_file
    with (
        other_process(HAS_THE_LOCK, path) as other,
        pytest.raises(WarehouseBusy, match=f"held by process {other.pid} "),
    ):
        transform.build(DAY, DAY)
    assert not path.exists()


async def _events(wanted: set[str]) -> list[dict[str, Any]]:
    """Return the events of this run, once *wanted* and their sources have arrived."""
    name = EventNameFilter(name=[MATERIALIZED])
    async with get_client() as client:
        for _ in range(100):
            page = await client.read_events(filter=EventFilter(event=name), limit=50)
            found = [one.model_dump() for one in page.events]
            while page.next_page:
                page = await client.read_events_page(page.next_page)
                found += [one.model_dump() for one in page.events]
            found = [one for one in found if _is_of_this_run(one)]
            told = {one["resource"]["prefect.resource.id"] for one in found}
            missing = (wanted | set().union(*map(_made_of, found))) - told - {lineage.HACKER_NEWS}
            if not missing:
                return found
            time.sleep(0.2)
    raise AssertionError(f"not told within twenty seconds: {missing}")


def _made_of(event: dict[str, Any]) -> set[str]:
    return {one["prefect.resource.id"] for one in event["related"] if one["prefect.resource.role"] == "asset"}


def _is_of_this_run(event: dict[str, Any]) -> bool:
    """Whether the event is of this run, not of another test on the server."""
    return any(
        related.get("prefect.resource.role") == "flow" and related.get("prefect.resource.name") == "tells"
        for related in event["related"]
    )


def test_lineage_is_one_graph_that_begins_at_hacker_news(made: list[dict[str, Any]]) -> None:
    made_of = {one["resource"]["prefect.resource.id"]: _made_of(one) for one in made}
    tables = {key.removeprefix("duckdb://hnintel/") for key in made_of}
    assert {"raw/items", "raw/articles", "enriched/topic_current", "marts/stories", "enriched/briefings"} <= tables

    def begins(key: str) -> set[str]:
        return {key} if not made_of.get(key) else set().union(*map(begins, made_of[key]))

    assert begins("duckdb://hnintel/enriched/briefings") == {lineage.HACKER_NEWS}


def test_a_table_is_announced_with_its_metadata(made: list[dict[str, Any]]) -> None:
    known = {one["resource"]["prefect.resource.id"].rpartition("/")[2]: one["payload"] for one in made}
    assert known["items"]["rows"] == known["items"]["rows written"] > 50
    topic = known["topic_current"]
    assert topic["group"] == "enriched"
    assert sum(topic["labels"]["topic"].values()) == topic["rows"] > 50
    (asked,) = topic["asked"]
    assert (asked["function"], asked["calls"]) == ("AI_CLASSIFY", topic["rows"])
    assert asked["model"].startswith("offline-")
    assert topic["warehouse"] == "duckdb"


def test_a_table_is_of_the_task_that_wrote_it(made: list[dict[str, Any]]) -> None:
    ours = [one for one in made if any(by["prefect.resource.id"] == "hn-intelligence" for by in one["related"])]
    writer = {one["resource"]["prefect.resource.name"]: _related(one, "task-run") for one in ours}
    assert {name: writer[name] for name in writer if name.startswith("raw.")} == {
        "raw.items": f"end ingest of {DAY}",
        "raw.comments": f"end ingest of {DAY}",
        "raw.item_snapshots": f"end ingest of {DAY}",
        "raw.articles": f"end articles of {DAY}",
    }
    assert writer["enriched.topic_current"] == f"end topic of {DAY}"
    assert writer["enriched.briefings"] == f"brief {DAY}"


def _related(event: dict[str, Any], role: str) -> str:
    (name,) = (one["prefect.resource.name"] for one in event["related"] if one["prefect.resource.role"] == role)
    return str(name)


def test_a_task_that_was_given_no_tables_writes_without_an_event(prefect_server: None, home: Path) -> None:
    load_sample(open_warehouse(load_settings()))

    @flow
    def reads() -> str:
        ingest.end(DAY, INGEST, "sample", "loading", 0, 0)
        return str(runtime.flow_run.id)

    run = reads()
    with open_warehouse(load_settings()).transaction(stage="enrich") as session:
        ended = session.execute("SELECT status FROM ops.partitions WHERE day = ? AND stage = ?", [DAY, INGEST])
    assert ended == [("complete",)]
    EventsWorker.drain_all(timeout=30)
    asked = EventFilter(
        related=EventRelatedFilter(id=[f"prefect.flow-run.{run}"]), event=EventNameFilter(prefix=["prefect.asset."])
    )
    with get_client(sync_client=True) as client:
        assert client.read_events(filter=asked, limit=1).events == []


def test_every_table_has_an_owner(made: list[dict[str, Any]]) -> None:
    assert {one["resource"]["prefect.asset.owners"] for one in made} == {'["data-team"]'}


@pytest.mark.parametrize("file", ["hnintel.duckdb", "hn.v2.duckdb", "hn 'of' {today} & 50% more.duckdb"])
def test_a_tables_key_is_that_of_prefect_dbt(file: str, tmp_path: Path) -> None:
    from prefect_dbt.utilities import format_resource_id  # loads dbt, for seconds

    settings = load_settings().model_copy(update={"duckdb_path": tmp_path / file})
    relation = f'"{(tmp_path / file).stem}"."marts"."stories"'
    assert assets.key_of("marts.stories", settings) == format_resource_id("duckdb", relation)

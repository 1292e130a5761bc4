"""What a run has made, told to Prefect as assets: who made it, of what, with what is known of it. No text is in them.

The keys are those that prefect-dbt gives the tables that dbt reads and builds, so that lineage is one graph. Each
table is a task run of the flow that calls; to be called once its rows are committed.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from prefect.assets import Asset, AssetProperties, add_asset_metadata, materialize
from prefect.cache_policies import NO_CACHE
from prefect.types.names import RESTRICTED_ASSET_CHARACTERS

from hnintel.enrich.declaration import load_enrichments
from hnintel.partitions.pipeline import Pipeline
from hnintel.runs import lineage
from hnintel.runs.lineage import HACKER_NEWS, Made
from hnintel.settings import Settings, load_settings
from hnintel.warehouse import open_warehouse


def items(day: date, run_id: str) -> None:
    """Tell what reading a day has made."""
    settings = load_settings()
    warehouse = open_warehouse(settings)
    with warehouse.transaction(stage="ingest") as session:
        made = lineage.items_made(session, warehouse, day, run_id)
    _announce(made, settings)


def articles(day: date, run_id: str) -> None:
    """Tell what reading articles has made."""
    settings = load_settings()
    warehouse = open_warehouse(settings)
    with warehouse.transaction(stage="ingest") as session:
        made = lineage.articles_made(session, warehouse, day, run_id)
    _announce([made], settings)


def enriched(name: str, day: date, run_id: str) -> None:
    """Tell what asking an enrichment has made."""
    settings = load_settings()
    warehouse, enrichment = open_warehouse(settings), load_enrichments(settings.enrichments_path)[name]
    with warehouse.transaction(stage="enrich") as session:
        made = lineage.enrichment_made(session, warehouse, enrichment, day, run_id)
    _announce([made], settings)


def briefed(day: date, run_id: str) -> None:
    """Tell what writing the briefing has made."""
    settings = load_settings()
    warehouse = open_warehouse(settings)
    with warehouse.transaction(stage="enrich") as session:
        made = lineage.briefing_made(session, warehouse, day, run_id)
    _announce([made], settings)


def of_own_stage(name: str, day: date, run_id: str, source: str) -> None:
    """Record what a stage that runs by itself has made; nothing where it names no table."""
    settings = load_settings()
    pipeline = Pipeline(open_warehouse(settings), settings, source)
    stage = pipeline.declared[name]
    if stage.table is None:
        return
    with pipeline.warehouse.transaction(stage="enrich") as session:
        made = lineage.table_made(session, pipeline.warehouse, stage.table, stage.doc, stage.made_of, day, run_id)
    _announce([made], settings)


def asset(table: str, settings: Settings, doc: str | None = None) -> Asset:
    """The asset of a table, or of Hacker News itself, which is nobody's of ours."""
    if table == HACKER_NEWS:
        return Asset(
            key=HACKER_NEWS, properties=AssetProperties(name="Hacker News", url=HACKER_NEWS, owners=["Y Combinator"])
        )
    owners = [settings.owner]
    return Asset(key=key_of(table, settings), properties=AssetProperties(name=table, description=doc, owners=owners))


def key_of(table: str, settings: Settings) -> str:
    """The key that prefect-dbt gives the table: ours, since its package brings all of dbt along, seconds of loading."""
    path = f"{lineage.database(settings)}.{table}".replace(".", "/")
    return f"{settings.warehouse}://{path.translate(dict.fromkeys(map(ord, RESTRICTED_ASSET_CHARACTERS)))}"


def _announce(made: Iterable[Made], settings: Settings) -> None:
    """One materialization each. Never cached, for a cached one emits nothing."""
    for one in made:
        made_of: list[str | Asset] = [asset(table, settings) for table in one.made_of]
        result = asset(one.table, settings, one.doc)

        @materialize(result, by="hn-intelligence", name=f"make {one.table}", asset_deps=made_of, cache_policy=NO_CACHE)
        def make(result: Asset = result, one: Made = one) -> None:
            add_asset_metadata(result, {"group": one.group, **one.facts})

        make()

"""Record the tables that a task writes as Prefect assets: the run, the source tables, and figures. No text.

A task that writes is declared with :func:`writes`. The flow that calls it names its tables, since their keys depend
on the settings: ``assets.of_items(ingest.end).submit(...)``. Prefect emits one event a table when the task has ended,
with the facts that the task gave to :func:`describe` (docs/decisions/0026-assets-of-the-writing-task.md).

The keys equal those that prefect-dbt gives the same tables, so that lineage is one graph.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import ParamSpec, TypeVar

from prefect.assets import Asset, AssetProperties, add_asset_metadata
from prefect.cache_policies import NO_CACHE
from prefect.context import AssetContext
from prefect.tasks import MaterializingTask
from prefect.types.names import RESTRICTED_ASSET_CHARACTERS

from hnintel.enrich.declaration import load_enrichments
from hnintel.partitions.stage import Stage
from hnintel.runs import lineage
from hnintel.runs.lineage import HACKER_NEWS, Facts, Table
from hnintel.settings import Settings, load_settings

P = ParamSpec("P")
T = TypeVar("T")


def writes(task_run_name: str) -> Callable[[Callable[P, T]], MaterializingTask[P, T]]:
    """Like ``@task``, for a task whose tables the caller names; never cached, since a cached run emits no event."""

    def declare(function: Callable[P, T]) -> MaterializingTask[P, T]:
        return MaterializingTask(
            function, assets=(), materialized_by="hn-intelligence", task_run_name=task_run_name, cache_policy=NO_CACHE
        )

    return declare


def of_items(task: MaterializingTask[P, T]) -> MaterializingTask[P, T]:
    """*task*, declared to write the items of a day."""
    return _of(task, *lineage.ITEMS)


def of_articles(task: MaterializingTask[P, T]) -> MaterializingTask[P, T]:
    """*task*, declared to write the articles of a day."""
    return _of(task, lineage.ARTICLES)


def of_answers(task: MaterializingTask[P, T], name: str) -> MaterializingTask[P, T]:
    """*task*, declared to write the answers of the enrichment *name*."""
    return _of(task, lineage.answers_of(load_enrichments(load_settings().enrichments_path)[name]))


def of_briefing(task: MaterializingTask[P, T]) -> MaterializingTask[P, T]:
    """*task*, declared to write the briefing of a day."""
    return _of(task, lineage.BRIEFINGS)


def of_own_stage(task: MaterializingTask[P, T], stage: Stage) -> MaterializingTask[P, T]:
    """*task*, declared to write the stage's table; no table where the stage names none."""
    return _of(task, *([Table(stage.table, stage.doc, stage.made_of)] if stage.table else []))


def describe(facts: Facts) -> None:
    """Add *facts* to the asset events of the calling task's tables; facts of other tables are dropped."""
    context, settings = AssetContext.get(), load_settings()
    written = {asset.key for asset in context.downstream_assets} if context else set()
    for table, table_facts in facts.items():
        if (key := key_of(table, settings)) in written:
            add_asset_metadata(key, table_facts)


def key_of(table: str, settings: Settings) -> str:
    """Return the key that prefect-dbt gives the table; not imported from there, since that would load all of dbt."""
    path = f"{lineage.database(settings)}.{table}".replace(".", "/")
    return f"{settings.warehouse}://{path.translate(dict.fromkeys(map(ord, RESTRICTED_ASSET_CHARACTERS)))}"


def _of(task: MaterializingTask[P, T], *tables: Table) -> MaterializingTask[P, T]:
    settings = load_settings()
    upstream: list[str | Asset] = [
        _asset(name, settings) for name in dict.fromkeys(name for table in tables for name in table.made_of)
    ]
    return task.with_options(assets=[_asset(table.name, settings, table.doc) for table in tables], asset_deps=upstream)


def _asset(table: str, settings: Settings, doc: str | None = None) -> Asset:
    """Return the asset of a table, or of Hacker News itself, whose owner is Y Combinator."""
    if table == HACKER_NEWS:
        return Asset(
            key=HACKER_NEWS, properties=AssetProperties(name="Hacker News", url=HACKER_NEWS, owners=["Y Combinator"])
        )
    owners = [settings.owner]
    return Asset(key=key_of(table, settings), properties=AssetProperties(name=table, description=doc, owners=owners))

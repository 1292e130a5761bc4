"""Write the briefing of a day and publish its page."""

from __future__ import annotations

from datetime import date

from prefect import task
from prefect.artifacts import create_markdown_artifact
from prefect.cache_policies import NO_CACHE

from hnintel.briefing import pages, write
from hnintel.briefing.redacted import figures
from hnintel.runs import lineage
from hnintel.settings import load_settings
from hnintel.warehouse import open_warehouse
from hnintel.warehouse.query_tags import tagged
from tasks import assets


@assets.writes(task_run_name="brief {day}")
def brief(day: date, run_id: str) -> write.Written:
    """Write the briefing, unless the stored one is still valid."""
    settings = load_settings()
    warehouse = open_warehouse(settings)
    written = write.write_briefing(warehouse, day, run_id, settings)
    with warehouse.transaction(stage="enrich") as session:
        facts = lineage.briefing_facts(session, warehouse, day, run_id)
    assets.describe(facts)
    return written


@task(cache_policy=NO_CACHE, task_run_name="publish {day}")
def publish(day: date) -> str:
    """Write the page, and save its Markdown as an artifact; only its figures where no text may go to Prefect."""
    settings = load_settings()
    warehouse = open_warehouse(settings)
    with tagged(day=day):
        path, markdown = pages.publish(warehouse, day, settings)
        if settings.metadata_only:
            with warehouse.transaction(stage="enrich") as session:
                markdown = figures(session, day, markdown)
    create_markdown_artifact(markdown, key=f"briefing-{day}", description=f"Hacker News on {day}")
    return str(path)

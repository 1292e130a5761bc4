"""Running a stage that has a ``run`` of its own: its rows, and what the ledger says of them, in one transaction."""

from __future__ import annotations

from datetime import date

from prefect import task
from prefect.cache_policies import NO_CACHE

from hnintel.ledger import stage_rows, statuses
from hnintel.partitions.pipeline import Pipeline
from hnintel.settings import load_settings
from hnintel.warehouse import open_warehouse
from hnintel.warehouse.query_tags import tagged
from hnintel.window import utc_now


@task(cache_policy=NO_CACHE, task_run_name="{name} of {day}")
def run(name: str, day: date, run_id: str, source: str) -> int:
    """Write the rows of *day*; how many.

    Args:
        name: of the stage.
        day: the partition.
        run_id: what the rows are stamped with.
        source: as the user named it.

    Raises:
        WarehouseBusy: another run has taken the stage over.
    """
    settings = load_settings()
    pipeline = Pipeline(open_warehouse(settings), settings, source)
    with tagged(run=run_id, day=day), pipeline.warehouse.transaction(stage="enrich") as session:
        stage_rows.refuse_if_taken_over(session, day, name, run_id)
        rows = pipeline.declared[name].run(pipeline, session, day, run_id)
        stage_rows.end_stage(session, day, name, statuses.COMPLETE, run_id, utc_now(), rows=rows)
    return rows

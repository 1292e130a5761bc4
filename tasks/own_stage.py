"""Run a stage that declares its own ``run``: its rows and its ledger row are written in one transaction."""

from __future__ import annotations

from datetime import date

from hnintel.ledger import stage_rows, statuses
from hnintel.partitions.pipeline import Pipeline
from hnintel.runs import lineage
from hnintel.settings import load_settings
from hnintel.warehouse import open_warehouse
from hnintel.warehouse.query_tags import tagged
from hnintel.window import utc_now
from tasks import assets


@assets.writes(task_run_name="{name} of {day}")
def run(name: str, day: date, run_id: str, source: str) -> int:
    """Write the rows of *day*; return how many.

    Args:
        name: of the stage.
        day: the partition.
        run_id: written to the rows.
        source: as the user gave it.

    Raises:
        WarehouseBusy: another run has taken the stage over.
    """
    settings = load_settings()
    pipeline = Pipeline(open_warehouse(settings), settings, source)
    with tagged(run=run_id, day=day), pipeline.warehouse.transaction(stage="enrich") as session:
        stage_rows.refuse_if_taken_over(session, day, name, run_id)
        stage = pipeline.declared[name]
        rows = stage.run(pipeline, session, day, run_id)
        stage_rows.end_stage(session, day, name, statuses.COMPLETE, run_id, utc_now(), rows=rows)
        facts = lineage.table_facts(session, pipeline.warehouse, stage.table, day, run_id) if stage.table else {}
    assets.describe(facts)
    return rows

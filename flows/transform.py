"""Build the marts: dbt in this process, every node a task run of this subflow."""

from __future__ import annotations

import sys
from pathlib import Path

if __package__ in (None, ""):  # run as a script: the folder of this file gives way to the root of the checkout
    sys.path[0] = str(Path(__file__).resolve().parent.parent)

if __name__ == "__main__":
    from flows.local.command import leave
    from flows.local.parts import main_part

    leave(main_part("flows/transform.py", "transform", sys.argv[1:]))


from datetime import date

from prefect import flow, runtime

from flows.stage import begin
from hnintel.errors import HnIntelError, counted
from hnintel.ledger import leases, stage_rows, statuses
from hnintel.ledger.stage_names import TRANSFORM
from hnintel.partitions.calendar import Span
from hnintel.partitions.pipeline import Pipeline
from hnintel.partitions.state import spans_to_transform
from hnintel.process import progress
from hnintel.settings import load_settings
from hnintel.transform import Built
from hnintel.warehouse import open_warehouse, query_tags
from hnintel.window import utc_now
from tasks.transform import build


@flow(name="transform", flow_run_name="transform {first} to {last}", persist_result=False)
def transform(
    first: date, last: date, run_id: str | None = None, source: str | None = None, again: bool = False
) -> Built:
    """Build and test the rows of the marts that the days from *first* to *last* can have changed, in one dbt run.

    Args:
        first: the first day.
        last: the last day, included.
        run_id: written to the ledger; by default the id of this run.
        source: that of the day's run; by default the setting ``HNINTEL_SOURCE``.
        again: also build days whose marts are up to date.
    """
    settings, run_id = load_settings(), run_id or str(runtime.flow_run.id)
    pipeline = Pipeline(open_warehouse(settings), settings, source or settings.source)
    progress.update(TRANSFORM, 0)
    built, days = Built(0, 0), 0
    # One build at a time, whatever the days: every build writes the same tables.
    with leases.lease(pipeline.warehouse, leases.ALL_DAYS, TRANSFORM, run_id, settings):
        with pipeline.warehouse.transaction(stage="enrich") as session:
            spans = spans_to_transform(session, pipeline, Span(first, last), utc_now(), again)
        for span in spans:
            with pipeline.warehouse.transaction(stage="enrich") as session:
                begin(session, pipeline, span, TRANSFORM, run_id, utc_now())
            built, days = _build(pipeline, span, run_id), days + len(span)
    progress.finish(
        TRANSFORM, f"{counted(built.models, 'model')}, {counted(built.tests, 'test')}, {counted(days, 'day')}"
    )
    return built


def _build(pipeline: Pipeline, days: list[date], run_id: str) -> Built:
    try:
        with query_tags.tagged(run=run_id, day=days[-1]):  # attributes dbt's statements to the run's bill
            built = build(days[0], days[-1])
    except BaseException as error:
        message = str(error) if isinstance(error, HnIntelError) else f"ended by {type(error).__name__}"
        _end(pipeline, days, run_id, statuses.FAILED, error=message)
        raise
    _end(pipeline, days, run_id, statuses.COMPLETE, rows=built.models)
    return built


def _end(
    pipeline: Pipeline,
    days: list[date],
    run_id: str,
    status: statuses.Status,
    rows: int | None = None,
    error: str | None = None,
) -> None:
    with pipeline.warehouse.transaction(stage="enrich") as session:
        for day in days:
            stage_rows.end_stage(session, day, TRANSFORM, status, run_id, utc_now(), rows=rows, error=error)

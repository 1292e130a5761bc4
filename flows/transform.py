"""The marts: dbt build, in-process, every node a task run of this subflow."""

from __future__ import annotations

from datetime import UTC, date, datetime

from prefect import flow

from hnintel import ledger, progress
from hnintel.errors import TransformError
from hnintel.settings import load_settings
from hnintel.transform import STAGE, Built
from hnintel.warehouse import open_warehouse
from tasks.transform import build


@flow(name="transform", flow_run_name="transform {first} to {last}")
def transform(first: date, last: date, run_id: str) -> Built:
    """Build the rows of the marts that the days from *first* to *last* can have changed, and test them."""
    warehouse = open_warehouse(load_settings())
    progress.update("transform", 0)
    with warehouse.transaction() as session:
        ledger.begin_stage(session, last, STAGE, run_id, _now())
    try:
        built = build(first, last)
    except TransformError as error:
        with warehouse.transaction() as session:
            ledger.end_stage(session, last, STAGE, "failed", run_id, _now(), error=str(error))
        raise
    with warehouse.transaction() as session:
        ledger.end_stage(session, last, STAGE, "complete", run_id, _now(), rows=built.models)
    progress.finish("transform", f"{built.models} models, {built.tests} tests")
    return built


def _now() -> datetime:
    return datetime.now(UTC).replace(tzinfo=None)

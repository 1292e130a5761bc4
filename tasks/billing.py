"""Read what Snowflake billed, and show it as a table."""

from __future__ import annotations

from dataclasses import asdict
from datetime import date
from typing import Any

from prefect import task
from prefect.artifacts import create_table_artifact
from prefect.cache_policies import NO_CACHE

from hnintel.checks.run import bill_checked
from hnintel.cost.bill import Bill
from hnintel.settings import load_settings
from hnintel.warehouse import open_warehouse


@task(cache_policy=NO_CACHE, task_run_name="reconcile the bill")
def reconcile(run_id: str, since: date | None = None) -> list[Bill]:
    """Record what was billed beside the estimate; return an empty list where the warehouse is not Snowflake."""
    settings = load_settings()
    if settings.warehouse != "snowflake":
        return []
    bills = bill_checked(open_warehouse(settings), settings, run_id, since)
    if bills:
        description = "**The bill by day**: what was billed beside what was estimated"
        create_table_artifact([_row(bill) for bill in bills], key="bill", description=description)
    return bills


def _row(bill: Bill) -> dict[str, Any]:
    return {**asdict(bill), "day": str(bill.day), "ratio": bill.ratio}

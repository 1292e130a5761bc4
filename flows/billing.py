"""Record what Snowflake billed for the last days beside the estimate. Deployed as ``flows/billing.py:billing``."""

from __future__ import annotations

import sys
from pathlib import Path

if __package__ in (None, ""):  # a worker runs it as a file: the root of the checkout takes this folder's place
    sys.path[0] = str(Path(__file__).resolve().parent.parent)

if __name__ == "__main__":
    from flows.local.command import leave
    from flows.local.parts import main_billing

    leave(main_billing(sys.argv[1:]))

from datetime import date
from typing import Any

from prefect import flow, runtime

from tasks.billing import reconcile
from tasks.events import FAILURE_ANNOUNCED


@flow(name="billing", flow_run_name="billing", **FAILURE_ANNOUNCED)
def billing(since: date | None = None) -> dict[str, Any]:
    """Reconcile ``ops.ai_usage`` with the account's usage views, which lag; safe to run any number of times.

    Args:
        since: the first day (UTC) to read again from the views; by default eight days ago.
    """
    bills = reconcile(str(runtime.flow_run.id), since)
    return {str(bill.day): {"estimated": bill.estimated, "billed": bill.billed, "ratio": bill.ratio} for bill in bills}

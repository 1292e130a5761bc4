"""What Snowflake billed for the last days, kept beside what was estimated. Deployed as ``flows/billing.py:billing``."""

from __future__ import annotations

import sys
from pathlib import Path

if __package__ in (None, ""):  # a worker runs it as a file: the root of the checkout takes this folder's place
    sys.path[0] = str(Path(__file__).resolve().parent.parent)

from datetime import date
from typing import Any

from prefect import flow, runtime

from tasks.billing import reconcile
from tasks.events import FAILURE_TOLD


@flow(name="billing", flow_run_name="billing", **FAILURE_TOLD)
def billing(since: date | None = None) -> dict[str, Any]:
    """Reconcile ``ops.ai_usage`` with the account's usage views, which lag; safe to run as often as wanted.

    Args:
        since: the first day (UTC) of which the views are read again; by default eight days ago.
    """
    found = reconcile(str(runtime.flow_run.id), since)
    return {str(one.day): {"estimated": one.estimated, "billed": one.billed, "ratio": one.ratio} for one in found}

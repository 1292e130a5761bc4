"""What is due again: days that settle (D+1, D+7) and days with dead letters that are due, run once more in their order.

``python flows/reconcile.py --plan`` only says which and why. Deployed as ``flows/reconcile.py:reconcile``.
"""

from __future__ import annotations

import sys
from pathlib import Path

if __package__ in (None, ""):  # run as a script: the folder of this file gives way to the root of the checkout
    sys.path[0] = str(Path(__file__).resolve().parent.parent)

if __name__ == "__main__":
    from flows._cli import leave, main_reconcile

    leave(main_reconcile(sys.argv[1:]))

from datetime import UTC
from typing import Any

from prefect import flow, runtime

from flows.main import hacker_news
from hnintel.errors import HnIntelError
from hnintel.reconcile import days_due
from hnintel.settings import load_settings
from hnintel.warehouse import open_warehouse
from tasks.events import ANNOUNCED


@flow(name="reconcile", flow_run_name="reconcile", **ANNOUNCED)
async def reconcile(source: str | None = None) -> dict[str, Any]:
    """Run every day again that is due, oldest first, one after the other; a day that fails does not stop the next.

    Args:
        source: ``live``, ``sample`` or ``replay:PATH``; by default the setting ``HNINTEL_SOURCE``.

    Raises:
        HnIntelError: a day failed; the others were run all the same.
    """
    settings = load_settings()
    source = source or settings.source
    now = runtime.flow_run.scheduled_start_time.astimezone(UTC).replace(tzinfo=None)
    with open_warehouse(settings).transaction() as session:
        due = days_due(session, settings, source, now)
    told: dict[str, Any] = {"source": source, "days": {}}
    failed: list[HnIntelError] = []
    for one in due:
        day = one.day.isoformat()
        try:
            ran = await hacker_news(one.day, source)
            told["days"][day] = {"why": one.why, "status": ran["status"], "changes": ran["changes"]}
        except HnIntelError as error:
            failed.append(error)
            told["days"][day] = {"why": one.why, "status": "failed", "error": str(error)}
    if failed:
        raise type(failed[0])(f"{len(failed)} of {len(due)} days failed, the first with: {failed[0]}")
    return told

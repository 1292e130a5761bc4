"""What is due again, run once more in its order: gaps, days that settle, dead letters, marts that were left behind.

``python flows/reconcile.py --plan`` only says which and why. Deployed as ``flows/reconcile.py:reconcile``.
"""

from __future__ import annotations

import sys
from pathlib import Path

if __package__ in (None, ""):  # run as a script: the folder of this file gives way to the root of the checkout
    sys.path[0] = str(Path(__file__).resolve().parent.parent)

if __name__ == "__main__":
    from flows.local.day import leave
    from flows.local.reconcile import main_reconcile

    leave(main_reconcile(sys.argv[1:]))

from datetime import UTC
from typing import Any

from prefect import flow, runtime

from flows.main import hacker_news
from hnintel.errors import DayFailed, HnIntelError, of_several
from hnintel.partitions.pipeline import Pipeline
from hnintel.partitions.settling import Due
from hnintel.planning.cut_short import close_dead
from hnintel.planning.due import days_to_run, left_behind
from hnintel.settings import load_settings
from hnintel.warehouse import open_warehouse
from hnintel.window import utc_now
from tasks.events import ANNOUNCED


@flow(name="reconcile", flow_run_name="reconcile", **ANNOUNCED)
async def reconcile(source: str | None = None) -> dict[str, Any]:
    """Run every day again that is due, oldest first, one after the other; a day that fails does not stop the next.

    Then the marts and briefings are made good that are made of other rows by now; the days before moved some of them.

    Args:
        source: ``live``, ``sample`` or ``replay:PATH``; by default the setting ``HNINTEL_SOURCE``.

    Raises:
        HnIntelError: a day failed; the others were run all the same.
    """
    settings = load_settings()
    source = source or settings.source
    now = runtime.flow_run.scheduled_start_time.astimezone(UTC).replace(tzinfo=None)
    pipeline = Pipeline(open_warehouse(settings), settings, source)
    with pipeline.warehouse.transaction(stage="enrich") as session:
        due = days_to_run(session, pipeline, now)
        close_dead(session, utc_now())
    told: dict[str, Any] = {"source": source, "days": {}}
    failed = [error for one in due if (error := await _again(one, source, told["days"]))]
    with pipeline.warehouse.transaction(stage="enrich") as session:
        left = [
            one
            for one in left_behind(session, pipeline, now)
            if told["days"].get(str(one.day), {}).get("status") != "failed"
        ]
    failed += [error for one in left if (error := await _again(one, source, told["days"]))]
    if failed:
        days = len(told["days"])
        raise of_several(failed, f"{len(failed)} of {days} days failed, the first with: {failed[0]}")
    return told


async def _again(due: Due, source: str, told: dict[str, Any]) -> HnIntelError | None:
    """Run a day, or stages of it, once more, and put into *told* what came of it; the error it failed with."""
    day = due.day.isoformat()
    try:
        ran = await hacker_news(due.day, source, list(due.stages))
    except Exception as error:
        failed = error if isinstance(error, HnIntelError) else DayFailed.of_unforeseen(error)
        told[day] = {"why": due.why, "status": "failed", "error": str(failed)}
        failed.announced = True  # by that run, as it ended
        return failed
    told[day] = {"why": due.why, "status": ran["status"], "changes": ran["changes"]}
    return None

"""Run again, in order, what is due: gaps, settling days, dead letters, and marts older than their rows.

``python flows/reconcile.py --plan`` only prints the due days and why. Deployed as ``flows/reconcile.py:reconcile``.
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
from hnintel.errors import DayFailed, HnIntelError, counted, of_several
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
    """Run every due day again, oldest first, one after the other; a failed day does not stop the next.

    Then rebuild the marts and briefings whose rows have changed since, some of them by the days just run.

    Args:
        source: ``live``, ``sample`` or ``replay:PATH``; by default the setting ``HNINTEL_SOURCE``.

    Raises:
        HnIntelError: a day failed; the other days were run.
    """
    settings = load_settings()
    source = source or settings.source
    now = runtime.flow_run.scheduled_start_time.astimezone(UTC).replace(tzinfo=None)
    pipeline = Pipeline(open_warehouse(settings), settings, source)
    with pipeline.warehouse.transaction(stage="enrich") as session:
        due = days_to_run(session, pipeline, now)
        close_dead(session, utc_now())
    report: dict[str, Any] = {"source": source, "days": {}}
    failed = [error for day in due if (error := await _run_again(day, source, report["days"]))]
    with pipeline.warehouse.transaction(stage="enrich") as session:
        left = [
            stale
            for stale in left_behind(session, pipeline, now)
            if report["days"].get(str(stale.day), {}).get("status") != "failed"
        ]
    failed += [error for day in left if (error := await _run_again(day, source, report["days"]))]
    if failed:
        days = len(report["days"])
        raise of_several(failed, f"{len(failed)} of {counted(days, 'day')} failed, the first with: {failed[0]}")
    return report


async def _run_again(due: Due, source: str, outcomes: dict[str, Any]) -> HnIntelError | None:
    """Run a day, or some of its stages, again and record the outcome in *outcomes*; return its error, or None."""
    day = due.day.isoformat()
    try:
        ran = await hacker_news(due.day, source, list(due.stages))
    except Exception as error:
        failed = error if isinstance(error, HnIntelError) else DayFailed.of_unforeseen(error)
        outcomes[day] = {"why": due.why, "status": "failed", "error": str(failed)}
        failed.announced = True  # the run announced it as it ended
        return failed
    outcomes[day] = {"why": due.why, "status": ran["status"], "changes": ran["changes"]}
    return None

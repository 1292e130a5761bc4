"""Run only the checks of a day, for a deployment; on the command line: ``python -m hnintel checks``."""

from __future__ import annotations

import sys
from pathlib import Path

if __package__ in (None, ""):  # run as a script: the folder of this file gives way to the root of the checkout
    sys.path[0] = str(Path(__file__).resolve().parent.parent)

if __name__ == "__main__":
    from flows.local.command import leave
    from flows.local.parts import main_checks

    leave(main_checks(sys.argv[1:]))


from dataclasses import asdict
from datetime import date
from typing import Any

from prefect import flow, runtime

from flows.futures import call
from hnintel.checks.check import in_a_line
from hnintel.checks.run import PARTS, day_to_check, refuse_if_blocked
from hnintel.ledger.check_results import Result
from hnintel.settings import load_settings
from hnintel.warehouse import open_warehouse
from tasks import checks as tasks


@flow(name="checks", flow_run_name="checks", persist_result=False)
async def checks(day: date | None = None) -> dict[str, Any]:
    """Run every check of a day and show them as an artifact. Deployed as ``flows/checks.py:checks``.

    Args:
        day: the partition; by default the newest day that was run.

    Raises:
        QualityError: a blocking check failed; the ledger is not changed.
    """
    settings, run_id = load_settings(), str(runtime.flow_run.id)
    with open_warehouse(settings).transaction(stage="enrich") as session:
        day = day_to_check(session, day)
    results: list[Result] = []
    for part in PARTS:
        part_results = await call(tasks.check, part, day, run_id)
        results += part_results
    await call(tasks.show, day, run_id)
    refuse_if_blocked(results, day, settings)
    return {"day": day.isoformat(), "told": in_a_line(results), "checks": [asdict(result) for result in results]}

"""Check a day: run a part of its checks, stop where a blocking check failed, show all results as a table."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from prefect import task
from prefect.artifacts import create_table_artifact
from prefect.cache_policies import NO_CACHE

from hnintel.checks import run
from hnintel.checks.check import in_a_line
from hnintel.events import CheckFailed
from hnintel.ledger import check_results, outbox
from hnintel.ledger.check_results import Result
from hnintel.settings import load_settings
from hnintel.warehouse import open_warehouse
from hnintel.window import utc_now


@task(cache_policy=NO_CACHE, task_run_name="check {part} of {day}")
def check(part: run.Part, day: date, run_id: str) -> list[Result]:
    """Run the checks of a part and record their results."""
    settings = load_settings()
    return run.run_checks(open_warehouse(settings), day, settings, run_id, [part])


@task(cache_policy=NO_CACHE, task_run_name="go on with {day}")
def go_on(results: Sequence[Result], day: date, run_id: str) -> None:
    """Raise where a blocking check failed."""
    settings = load_settings()
    run.stop_if_blocked(open_warehouse(settings), results, day, settings, run_id)


@task(cache_policy=NO_CACHE, task_run_name="show the checks of {day}")
def show(day: date, run_id: str) -> None:
    """Save the run's check results as a table artifact, failures first, and announce the failures."""
    with open_warehouse(load_settings()).transaction(stage="enrich") as session:
        results = check_results.results_of(session, run_id, day)
        outbox.put_all(session, [_failure(result, day, run_id) for result in results if not result.passed], utc_now())
    if not results:  # the run ended before its first check
        return
    table = [
        {
            "check": result.name,
            "guards": result.guards,
            "blocking": result.blocking,
            "passed": result.passed,
            "detail": result.detail,
        }
        for result in results
    ]
    described = f"**Checks of Hacker News on {day}**: {in_a_line(results)}. Kept in `ops.checks` under run `{run_id}`."
    create_table_artifact(table, key=f"checks-{day}", description=described)


def _failure(result: Result, day: date, run_id: str) -> CheckFailed:
    return CheckFailed(day=day, run_id=run_id, check=result.name, blocking=result.blocking, detail=result.detail)

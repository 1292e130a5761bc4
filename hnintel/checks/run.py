"""Run the checks of a day, record their results in ``ops.checks``, and stop if a blocking check failed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Literal

from hnintel.checks.answers import answer_checks, stored_columns
from hnintel.checks.articles import articles_checks
from hnintel.checks.billing import billing_checks
from hnintel.checks.check import Check
from hnintel.checks.ingest import ingest_checks
from hnintel.cost import billing
from hnintel.cost.bill import Bill
from hnintel.enrich.declaration import load_enrichments
from hnintel.enrich.question import fingerprint_of
from hnintel.errors import QualityError, UsageError, WarehouseError
from hnintel.ledger import stage_rows
from hnintel.ledger.check_results import Result, record_results
from hnintel.ledger.stage_names import INGEST, of_enrichment
from hnintel.ledger.statuses import FAILED
from hnintel.settings import Settings
from hnintel.warehouse.base import Session, Warehouse
from hnintel.warehouse.query_tags import tagged
from hnintel.window import utc_now

#: Groups of checks that run together: ``ingest`` before articles are read; ``answers``, with the checks of articles,
#: before the marts are built; ``billing`` days later.
Part = Literal["ingest", "answers", "billing"]
#: The groups that a run checks.
PARTS: tuple[Part, ...] = ("ingest", "answers")
NO_DAY = "no day was run yet: run one first, for example python flows/main.py --source sample"


def run_checks(
    warehouse: Warehouse, day: date, settings: Settings, run_id: str, parts: Sequence[Part] = PARTS
) -> list[Result]:
    """Check *day* and record the results under *run_id*, replacing earlier results of the same checks.

    Raises:
        WarehouseError: a statement was rejected; the message names its check.
    """
    results: list[Result] = []
    under_way = "checks"
    try:
        with tagged(run=run_id, day=day), warehouse.transaction(stage="enrich") as session:
            for check in checks_of(session, warehouse, settings, parts):
                under_way = f"check {check.label}"
                verdict = check.measure(session, day, settings)
                results.append(Result(check.label, check.blocking, verdict.passed, verdict.detail))
            record_results(session, day, run_id, results)
    except WarehouseError as error:
        raise type(error)(f"{under_way} of {day}: {error}") from error
    return results


def bill_checked(warehouse: Warehouse, settings: Settings, run_id: str, since: date | None = None) -> list[Bill]:
    """Read the bill since a day, as :func:`hnintel.cost.billing.reconcile` does, and check each of its days."""
    bills = billing.reconcile(warehouse, run_id, since)
    for day in dict.fromkeys(bill.day for bill in bills):
        run_checks(warehouse, day, settings, run_id, ["billing"])
    return bills


def checks_of(session: Session, warehouse: Warehouse, settings: Settings, parts: Sequence[Part] = PARTS) -> list[Check]:
    """Every check of *parts*, for the enrichments as they are declared and stored now."""
    checks = ingest_checks() if "ingest" in parts else []
    if "answers" in parts:
        checks += articles_checks()
        for enrichment in load_enrichments(settings.enrichments_path).values():
            fingerprint = fingerprint_of(warehouse, enrichment, settings)
            checks += answer_checks(enrichment, fingerprint, stored_columns(session, enrichment))
    return checks + (billing_checks() if "billing" in parts else [])


def refuse_if_blocked(results: Sequence[Result], day: date, settings: Settings) -> None:
    """Raise QualityError if a blocking check failed, unless HNINTEL_CHECK_BLOCKS is off."""
    failed = _blocking_failures(results)
    if failed and settings.check_blocks:
        others = f" (and {len(failed) - 1} more)" if len(failed) > 1 else ""
        raise QualityError(
            f"check {failed[0].name} of {day}: {failed[0].detail}{others}; the stages downstream do not run, rows and "
            f"answers are kept; see all: python -m hnintel checks --day {day}"
        )


def stop_if_blocked(
    warehouse: Warehouse, results: Sequence[Result], day: date, settings: Settings, run_id: str
) -> None:
    """Record the guarded stages as failed in the ledger, and raise, if a blocking check failed.

    Raises:
        QualityError: a blocking check failed, and HNINTEL_CHECK_BLOCKS is on.
    """
    failed = _blocking_failures(results)
    if not failed or not settings.check_blocks:
        return
    with tagged(run=run_id, day=day), warehouse.transaction(stage="enrich") as session:
        for guards, error in {result.guards: f"{result.name}: {result.detail}" for result in failed}.items():
            stage = guards if guards == INGEST else of_enrichment(guards)
            stage_rows.end_stage(session, day, stage, FAILED, run_id, utc_now(), error=error)
    refuse_if_blocked(results, day, settings)


def day_to_check(session: Session, requested: date | None) -> date:
    """The requested day, else the newest day that was run.

    Raises:
        UsageError: the day was not run, or no day was.
    """
    days = [row[0] for row in session.execute("SELECT DISTINCT day FROM ops.partitions ORDER BY day")]
    if not days:
        raise UsageError(NO_DAY)
    if requested is not None and requested not in days:
        raise UsageError(f"{requested} was not run: run it first, or give a day from {days[0]} to {days[-1]} that was")
    return requested or days[-1]


def _blocking_failures(results: Sequence[Result]) -> list[Result]:
    return [result for result in results if result.blocking and not result.passed]

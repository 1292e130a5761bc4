"""Run the checks of a day, keep what they came to in ``ops.checks``, and stop where a blocking one failed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Literal

from hnintel.checks.answers import answer_checks, columns_kept
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

#: What is checked at once: what was read, before articles are; what became of those and what was answered, before the
#: marts are built; what was billed, days later.
Part = Literal["ingest", "answers", "billing"]
#: Those of a run.
PARTS: tuple[Part, ...] = ("ingest", "answers")


def run_checks(
    warehouse: Warehouse, day: date, settings: Settings, run_id: str, parts: Sequence[Part] = PARTS
) -> list[Result]:
    """Check *day* and keep the results under *run_id*, in place of those of the same checks; nothing else is written.

    Raises:
        WarehouseError: a statement was refused; the check that it is of is named.
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
    """Read what was billed since a day, as :func:`hnintel.cost.billing.reconcile` does, and check each of its days."""
    read = billing.reconcile(warehouse, run_id, since)
    for day in dict.fromkeys(bill.day for bill in read):
        run_checks(warehouse, day, settings, run_id, ["billing"])
    return read


def checks_of(session: Session, warehouse: Warehouse, settings: Settings, parts: Sequence[Part] = PARTS) -> list[Check]:
    """Every check there is of *parts*, as the enrichments are declared and the warehouse has them now."""
    checks = ingest_checks() if "ingest" in parts else []
    if "answers" in parts:
        checks += articles_checks()
        for one in load_enrichments(settings.enrichments_path).values():
            checks += answer_checks(one, fingerprint_of(warehouse, one, settings), columns_kept(session, one))
    return checks + (billing_checks() if "billing" in parts else [])


def refuse_if_blocked(results: Sequence[Result], day: date, settings: Settings) -> None:
    """Raise QualityError where a blocking check failed; not where HNINTEL_CHECK_BLOCKS is off."""
    failed = _blocking_failures(results)
    if failed and settings.check_blocks:
        others = f" (and {len(failed) - 1} more)" if len(failed) > 1 else ""
        raise QualityError(
            f"check {failed[0].name} of {day}: {failed[0].detail}{others}; what is downstream of it does not run, what "
            f"was read and answered is kept; see all: python -m hnintel checks --day {day}"
        )


def stop_if_blocked(
    warehouse: Warehouse, results: Sequence[Result], day: date, settings: Settings, run_id: str
) -> None:
    """The same in a run, whose ledger says of the guarded stages that they failed.

    Raises:
        QualityError: a blocking check failed.
    """
    failed = _blocking_failures(results)
    if not failed or not settings.check_blocks:
        return
    with tagged(run=run_id, day=day), warehouse.transaction(stage="enrich") as session:
        for guards, told in {one.guards: f"{one.name}: {one.detail}" for one in failed}.items():
            stage = guards if guards == INGEST else of_enrichment(guards)
            stage_rows.end_stage(session, day, stage, FAILED, run_id, utc_now(), error=told)
    refuse_if_blocked(results, day, settings)


def day_to_check(session: Session, asked: date | None) -> date:
    """The day asked for, else the newest that was run.

    Raises:
        UsageError: it was not run, so that there is nothing to check.
    """
    days = [row[0] for row in session.execute("SELECT DISTINCT day FROM ops.partitions ORDER BY day")]
    if not days:
        raise UsageError("no day was run yet: run one first, for example python flows/main.py --source sample")
    if asked is not None and asked not in days:
        raise UsageError(f"{asked} was not run; there is {days[0]} to {days[-1]}: run it first, or give one of those")
    return asked or days[-1]


def _blocking_failures(results: Sequence[Result]) -> list[Result]:
    return [one for one in results if one.blocking and not one.passed]

"""Rows of ``ops.checks``: the results of a day's checks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from hnintel.warehouse.base import Session
from hnintel.warehouse.statements import merge_rows
from hnintel.window import utc_now


def results_of(session: Session, run_id: str, day: date) -> list[Result]:
    """The rows of ``ops.checks`` for a run and day, failed checks first."""
    rows = session.execute(
        "SELECT name, blocking, passed, coalesce(detail, '') FROM ops.checks WHERE run_id = ? AND day = ? "
        "ORDER BY passed, blocking DESC, name",
        [run_id, day],
    )
    return [Result(*row) for row in rows]


def record_results(session: Session, day: date, run_id: str, results: Sequence[Result]) -> None:
    """Write *results* to ``ops.checks``; they replace earlier results of the same run and check."""
    now = utc_now()
    rows = [
        {
            "run_id": run_id,
            "day": day,
            "name": result.name,
            "blocking": result.blocking,
            "passed": result.passed,
            "detail": result.detail,
            "checked_at": now,
        }
        for result in results
    ]
    merge_rows(session, session.stage("ops.checks", rows), keys=("run_id", "day", "name"))


@dataclass(frozen=True, slots=True)
class Result:
    """One row of ``ops.checks``."""

    name: str
    blocking: bool
    passed: bool
    detail: str

    @property
    def guards(self) -> str:
        """The stage or enrichment whose rows the check reads."""
        return self.name.partition(": ")[0]

    @property
    def outcome(self) -> str:
        """``passed``, ``failed`` (stops the stages downstream) or ``warning``."""
        return "passed" if self.passed else "failed" if self.blocking else "warning"

"""Rows of ``ops.checks``: what was checked of a day, and what came out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from hnintel.warehouse.base import Session
from hnintel.warehouse.statements import merge_rows
from hnintel.window import utc_now


def results_of(session: Session, run_id: str, day: date) -> list[Result]:
    """What ``ops.checks`` holds of a run and day: what failed first."""
    rows = session.execute(
        "SELECT name, blocking, passed, coalesce(detail, '') FROM ops.checks WHERE run_id = ? AND day = ? "
        "ORDER BY passed, blocking DESC, name",
        [run_id, day],
    )
    return [Result(*row) for row in rows]


def keep_results(session: Session, day: date, run_id: str, results: Sequence[Result]) -> None:
    """Set *results* down in ``ops.checks``, in place of what the same run had of the same checks."""
    now = utc_now()
    rows = [
        {
            "run_id": run_id,
            "day": day,
            "name": one.name,
            "blocking": one.blocking,
            "passed": one.passed,
            "detail": one.detail,
            "checked_at": now,
        }
        for one in results
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
        """The stage or enrichment that it is about."""
        return self.name.partition(": ")[0]

    @property
    def outcome(self) -> str:
        """In a word: ``passed``, ``failed`` (it stops what is downstream) or ``warning``."""
        return "passed" if self.passed else "failed" if self.blocking else "warning"

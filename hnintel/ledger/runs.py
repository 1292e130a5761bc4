"""Rows of ``ops.runs``: when a run began, when it ended, and its status."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from datetime import date, datetime
from typing import Any

from hnintel.ledger.statuses import Status
from hnintel.warehouse.base import Session


def begin_run(
    session: Session, run_id: str, day: date, source: str, now: datetime, alive: Collection[str] = ()
) -> None:
    """Record that a run has begun, and as failed the runs of its day that are recorded as running but not *alive*."""
    _close_dead_runs(session, "day = ?", [day], alive, now)
    session.execute("DELETE FROM ops.runs WHERE run_id = ?", [run_id])  # Prefect retries a run under the same id
    session.execute(
        "INSERT INTO ops.runs (run_id, day, source, status, started_at) VALUES (?, ?, ?, 'running', ?)",
        [run_id, day, source, now],
    )


def close_dead_runs(session: Session, alive: Collection[str], now: datetime) -> None:
    """Record as failed the runs of any day that are recorded as running but not *alive*.

    Such a run has no summary, which distinguishes it from a run that failed (:mod:`hnintel.planning.cut_short`).
    """
    _close_dead_runs(session, "TRUE", [], alive, now)


def _close_dead_runs(session: Session, where: str, params: list[object], alive: Collection[str], now: datetime) -> None:
    for run_id, *_ in session.execute(f"SELECT run_id FROM ops.runs WHERE status = 'running' AND {where}", params):
        if run_id not in alive:
            session.execute("UPDATE ops.runs SET status = 'failed', finished_at = ? WHERE run_id = ?", [now, run_id])


def end_run(session: Session, run_id: str, status: Status, summary: Mapping[str, Any], now: datetime) -> None:
    """Record the end of a run: its status and its summary."""
    session.execute(
        "UPDATE ops.runs SET status = ?, finished_at = ?, summary = ? WHERE run_id = ?",
        [status, now, json.dumps(summary, default=str), run_id],
    )

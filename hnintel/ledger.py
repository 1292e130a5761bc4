"""The ledger in the warehouse: what was begun, what is done, what could not be taken. It is the truth of a run."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any, Literal

from hnintel.warehouse.base import Session
from hnintel.warehouse.statements import statement

#: ``stopped``: before a question that may exceed a budget.
Status = Literal["running", "complete", "partial", "failed", "stopped"]


def begin_run(session: Session, run_id: str, day: date, source: str, now: datetime) -> None:
    """Note that a run has begun. Call it with the lease of the day: what still says it runs was killed."""
    session.execute(
        "UPDATE ops.runs SET status = 'failed', finished_at = ? WHERE day = ? AND status = 'running'", [now, day]
    )
    session.execute(
        "INSERT INTO ops.runs (run_id, day, source, status, started_at) VALUES (?, ?, ?, 'running', ?)",
        [run_id, day, source, now],
    )


def end_run(session: Session, run_id: str, status: Status, summary: Mapping[str, Any], now: datetime) -> None:
    """Note how a run ended, and what it came to."""
    session.execute(
        "UPDATE ops.runs SET status = ?, finished_at = ?, summary = ? WHERE run_id = ?",
        [status, now, json.dumps(summary, default=str), run_id],
    )


def begin_stage(session: Session, day: date, stage: str, run_id: str, now: datetime) -> None:
    """Note another attempt at a stage of a day."""
    session.merge(statement("set_partition"), [day, stage, "running", None, None, run_id, 1, now, None, None])


def end_stage(
    session: Session,
    day: date,
    stage: str,
    status: Status,
    run_id: str,
    now: datetime,
    rows: int | None = None,
    fingerprint: str | None = None,
    error: str | None = None,
) -> None:
    """Note how a stage ended; call it in the transaction that made it true."""
    session.merge(statement("set_partition"), [day, stage, status, rows, fingerprint, run_id, 0, now, now, error])


def was_complete(session: Session, day: date, stage: str) -> bool:
    """Whether a stage of a day is done, by the ledger."""
    found = session.execute("SELECT status FROM ops.partitions WHERE day = ? AND stage = ?", [day, stage])
    return bool(found) and found[0][0] in ("complete", "partial")


def bury(
    session: Session, stage: str, day: date, letters: Sequence[tuple[str, str]], run_id: str, now: datetime
) -> None:
    """Keep what could not be taken, (key, reason) each, in the dead letters; a known one has another attempt."""
    if letters:
        standing = {"stage": stage, "fingerprint": "", "day": day, "attempts": 1, "run_id": run_id}
        rows = [
            {**standing, "key": key, "reason": reason, "first_seen": now, "last_seen": now}
            for key, reason in dict(letters).items()  # one row a key: met twice in a chunk it is still one failure
        ]
        session.stage("ops.dead_letters", rows)
        session.merge(statement("bury", source="incoming"), [stage, "", day, now, run_id])


def forgive(session: Session, stage: str, keys: Sequence[str]) -> None:
    """Take out of the dead letters what was taken after all."""
    buried = session.execute("SELECT count(*) FROM ops.dead_letters WHERE stage = ?", [stage])[0][0]
    if buried and keys:
        standing = {"stage": stage, "fingerprint": "", "day": date.min, "reason": "", "attempts": 0, "run_id": ""}
        seen = {"first_seen": datetime.min, "last_seen": datetime.min}
        session.stage("ops.dead_letters", [{**standing, **seen, "key": key} for key in keys])
        session.execute(statement("forgive", source="incoming"), [stage, ""])


def dead_letters_of(session: Session, day: date, enrichments: Iterable[str] | None = None) -> int:
    """How many things of *day* wait in the dead letters.

    Args:
        session: the transaction it is part of.
        day: the partition.
        enrichments: names; letters of others, which were taken out of the code, do not count. None counts all.
    """
    rows = session.execute("SELECT stage, count(*) FROM ops.dead_letters WHERE day = ? GROUP BY stage", [day])
    there = None if enrichments is None else {f"enrich:{name}" for name in enrichments}
    return sum(
        int(count) for stage, count in rows if there is None or stage in there or not stage.startswith("enrich:")
    )

"""The ledger in the warehouse: what was begun, what is done, what could not be taken. It is the truth of a run."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from datetime import date, datetime
from typing import Any, Literal

from hnintel.errors import WarehouseBusy
from hnintel.ledger import leases
from hnintel.partitions.graph import BY_SOURCE, beside
from hnintel.warehouse.base import Session, Staged
from hnintel.warehouse.statements import statement

#: ``stopped``: before a question that may exceed a budget.
Status = Literal["running", "complete", "partial", "failed", "stopped"]

#: Of a dead letter without a fingerprint: its stage, and the item's id, place or URL.
Key = tuple[str, str]


def begin_run(
    session: Session, run_id: str, day: date, source: str, now: datetime, alive: Collection[str] = ()
) -> None:
    """Note that a run has begun, and that those of its day died which say that they run and are none of *alive*."""
    _close_dead_runs(session, "day = ?", [day], alive, now)
    session.execute("DELETE FROM ops.runs WHERE run_id = ?", [run_id])  # the same run, tried again by Prefect
    session.execute(
        "INSERT INTO ops.runs (run_id, day, source, status, started_at) VALUES (?, ?, ?, 'running', ?)",
        [run_id, day, source, now],
    )


def close_dead_runs(session: Session, alive: Collection[str], now: datetime) -> None:
    """Note that the runs died, of whatever day, that say that they run and are none of *alive*.

    Such a run has no summary, by which it is told from one that failed (:mod:`hnintel.planning.cut_short`).
    """
    _close_dead_runs(session, "TRUE", [], alive, now)


def _close_dead_runs(session: Session, where: str, params: list[object], alive: Collection[str], now: datetime) -> None:
    for run_id, *_ in session.execute(f"SELECT run_id FROM ops.runs WHERE status = 'running' AND {where}", params):
        if run_id not in alive:
            session.execute("UPDATE ops.runs SET status = 'failed', finished_at = ? WHERE run_id = ?", [now, run_id])


def end_run(session: Session, run_id: str, status: Status, summary: Mapping[str, Any], now: datetime) -> None:
    """Note how a run ended, and what it came to."""
    session.execute(
        "UPDATE ops.runs SET status = ?, finished_at = ?, summary = ? WHERE run_id = ?",
        [status, now, json.dumps(summary, default=str), run_id],
    )


def begin_stage(
    session: Session,
    day: date,
    stage: str,
    run_id: str,
    now: datetime,
    fingerprint: str | None = None,
    inputs: str | None = None,
    source: str | None = None,
) -> None:
    """Note another attempt at a stage of a day; one that the same run has begun already is none.

    What the ledger has of a reading of the day from another source stays, beside this one.

    Args:
        session: the transaction it is part of.
        day: the partition.
        stage: of it.
        run_id: whose attempt it is.
        now: when.
        fingerprint: of what makes the rows: code, question, model, settings.
        inputs: a hash of the rows that they are made of, as they are now.
        source: where the day is read from, as the user named it.
    """
    made_of = [fingerprint, inputs, source]
    if source is not None and stage.partition(":")[0] in BY_SOURCE:  # hours of a reading are ingest:00 and on
        session.merge(statement("ledger/park_reading"), [day, stage, source])
        session.execute(statement("ledger/restore_reading"), [*[day, beside(stage, source)] * 2, day, stage, source])
    session.merge(
        statement("ledger/set_partition"), [day, stage, "running", None, *made_of, run_id, 1, now, None, None]
    )


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
    """Note how a stage ended; call it in the transaction that made it true.

    Raises:
        WarehouseBusy: another run has taken the stage over, whose word it is now to say.
    """
    leases.refuse_if_lost(session, day, stage, run_id)
    if status in ("complete", "partial"):
        refuse_if_begun_since(session, day, stage, run_id)
    ended = [day, stage, status, rows, fingerprint, None, None, run_id, 0, now, now, error]
    session.merge(statement("ledger/set_partition"), ended)


def refuse_if_taken_over(session: Session, day: date, stage: str, run_id: str) -> None:
    """Raise WarehouseBusy where the stage is not the run's own any more; call it in the transaction that writes.

    A run whose process stood still for longer than its lease (a laptop that slept, a machine that was moved) goes on
    where it was, and what it read is old by now: of the runs of a stage, the one that began last writes.
    """
    leases.refuse_if_lost(session, day, stage, run_id)
    refuse_if_begun_since(session, day, stage, run_id)


def refuse_if_begun_since(session: Session, day: date, stage: str, run_id: str) -> None:
    """Raise WarehouseBusy where another run began the stage, be it at work, ended or dead: the rows are its own."""
    sql = "SELECT run_id, status FROM ops.partitions WHERE day = ? AND stage = ? AND run_id <> ?"
    for other, status in session.execute(sql, [day, stage, run_id]):
        told = "did not end it: start again" if status == "running" else "has ended it: see python -m hnintel status"
        raise WarehouseBusy(
            f"{stage} of {day} was taken over by run {other}, because this run did not renew its lease in time, and "
            f"that one {told}"
        )


def was_complete(session: Session, day: date, stage: str) -> bool:
    """Whether a stage of a day is done, by the ledger."""
    found = session.execute("SELECT status FROM ops.partitions WHERE day = ? AND stage = ?", [day, stage])
    return bool(found) and found[0][0] in ("complete", "partial")


def is_running(session: Session, day: date, stage: str, run_id: str) -> bool:
    """Whether the ledger has a stage of a day as being done by a run."""
    sql = "SELECT count(*) FROM ops.partitions WHERE day = ? AND stage = ? AND run_id = ? AND status = 'running'"
    return bool(session.execute(sql, [day, stage, run_id])[0][0])


def stage_letters(
    session: Session,
    day: date,
    failed: Mapping[Key, str],
    taken: Iterable[Key],
    run_id: str,
    now: datetime,
) -> Staged:
    """Stage what :func:`settle_letters` is to keep of a reading.

    Args:
        session: the transaction; nothing was written in it.
        day: the partition.
        failed: what could not be taken, and why.
        taken: what was, also of what failed elsewhere in the same reading.
        run_id: whose reading it was.
        now: when.
    """
    waiting = {row[0] for row in session.execute("SELECT DISTINCT stage FROM ops.dead_letters WHERE fingerprint = ''")}
    standing = {"fingerprint": "", "day": day, "first_seen": now, "last_seen": now, "run_id": run_id}
    letters = {
        (stage, key): {"stage": stage, "key": key, "reason": reason, "attempts": 1, **standing}
        for (stage, key), reason in failed.items()
    }
    for stage, key in taken:
        letters.pop((stage, key), None)
        if stage in waiting:  # else there is nothing to take out
            letters[stage, key] = {"stage": stage, "key": key, "reason": "", "attempts": 0, **standing}
    return session.stage("ops.dead_letters", list(letters.values()))


def settle_letters(session: Session, staged: Staged) -> None:
    """Keep what could not be taken in the dead letters, and take out of them what was taken after all.

    A letter that is there has another attempt, and keeps the time when it was first seen.
    """
    if staged.rows:
        session.merge(statement("ledger/settle_letters", source=staged.name))


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

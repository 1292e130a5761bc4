"""Rows of ``ops.partitions``: the stages of each day that have begun, ended or failed."""

from __future__ import annotations

from datetime import date, datetime

from hnintel.errors import WarehouseBusy
from hnintel.ledger import leases
from hnintel.ledger.stage_names import beside
from hnintel.ledger.statuses import DONE, RUNNING, Status
from hnintel.warehouse.base import Session
from hnintel.warehouse.statements import statement


def begin_stage(
    session: Session,
    day: date,
    stage: str,
    run_id: str,
    now: datetime,
    fingerprint: str | None = None,
    inputs: str | None = None,
    source: str | None = None,
    by_source: bool = False,
) -> None:
    """Record another attempt at a stage of a day; beginning it twice in one run counts as one attempt.

    Args:
        session: the transaction to write in.
        day: the partition.
        stage: the stage's name.
        run_id: the run that attempts it.
        now: UTC without a zone.
        fingerprint: the hash of everything but rows that decides the result: code, question, model, settings.
        inputs: the hash of the input rows as they are now.
        source: where the day is read from, as the user named it.
        by_source: keep the row of another source beside this row.
    """
    origin = [fingerprint, inputs, source]
    if by_source and source is not None:
        session.merge(statement("ledger/park_reading"), [day, stage, source])
        session.execute(statement("ledger/restore_reading"), [*[day, beside(stage, source)] * 2, day, stage, source])
    session.merge(statement("ledger/set_partition"), [day, stage, RUNNING, None, *origin, run_id, 1, now, None, None])


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
    """Record how a stage ended; call it in the transaction that writes the stage's rows.

    Raises:
        WarehouseBusy: another run has taken the stage over, and records its end.
    """
    leases.refuse_if_lost(session, day, stage, run_id)
    if status in DONE:
        refuse_if_begun_since(session, day, stage, run_id)
    ended = [day, stage, status, rows, fingerprint, None, None, run_id, 0, now, now, error]
    session.merge(statement("ledger/set_partition"), ended)


def refuse_if_taken_over(session: Session, day: date, stage: str, run_id: str) -> None:
    """Raise WarehouseBusy where another run has taken the stage over; call it in the transaction that writes.

    A run whose process was suspended for longer than its lease (a laptop asleep, a machine being moved) resumes with
    outdated rows: of the runs of a stage, only the run that began last may write.
    """
    leases.refuse_if_lost(session, day, stage, run_id)
    refuse_if_begun_since(session, day, stage, run_id)


def refuse_if_begun_since(session: Session, day: date, stage: str, run_id: str) -> None:
    """Raise WarehouseBusy where another run began the stage since, whether it is running, ended or dead."""
    sql = "SELECT run_id, status FROM ops.partitions WHERE day = ? AND stage = ? AND run_id <> ?"
    for other, status in session.execute(sql, [day, stage, run_id]):
        outcome = "did not end it: start again" if status == RUNNING else "has ended it: see python -m hnintel status"
        raise WarehouseBusy(
            f"{stage} of {day} was taken over by run {other}, because this run did not renew its lease in time, and "
            f"that run {outcome}"
        )


def was_complete(session: Session, day: date, stage: str) -> bool:
    """Whether the ledger records a stage of a day as complete or partial."""
    rows = session.execute("SELECT status FROM ops.partitions WHERE day = ? AND stage = ?", [day, stage])
    return bool(rows) and rows[0][0] in DONE


def is_running(session: Session, day: date, stage: str, run_id: str) -> bool:
    """Whether the ledger records a stage of a day as running in *run_id*."""
    sql = "SELECT count(*) FROM ops.partitions WHERE day = ? AND stage = ? AND run_id = ? AND status = ?"
    return bool(session.execute(sql, [day, stage, run_id, RUNNING])[0][0])

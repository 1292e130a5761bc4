"""The ledger in the warehouse: what was begun, what is done, what could not be taken. It is the truth of a run."""

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
    """Note another attempt at a stage of a day; one that the same run has begun already is none.

    Args:
        session: the transaction it is part of.
        day: the partition.
        stage: of it.
        run_id: whose attempt it is.
        now: when.
        fingerprint: of what makes the rows: code, question, model, settings.
        inputs: a hash of the rows that they are made of, as they are now.
        source: where the day is read from, as the user named it.
        by_source: whether the row of another source stays, beside this one.
    """
    made_of = [fingerprint, inputs, source]
    if by_source and source is not None:
        session.merge(statement("ledger/park_reading"), [day, stage, source])
        session.execute(statement("ledger/restore_reading"), [*[day, beside(stage, source)] * 2, day, stage, source])
    session.merge(statement("ledger/set_partition"), [day, stage, RUNNING, None, *made_of, run_id, 1, now, None, None])


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
    if status in DONE:
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
        told = "did not end it: start again" if status == RUNNING else "has ended it: see python -m hnintel status"
        raise WarehouseBusy(
            f"{stage} of {day} was taken over by run {other}, because this run did not renew its lease in time, and "
            f"that one {told}"
        )


def was_complete(session: Session, day: date, stage: str) -> bool:
    """Whether a stage of a day is done, by the ledger."""
    found = session.execute("SELECT status FROM ops.partitions WHERE day = ? AND stage = ?", [day, stage])
    return bool(found) and found[0][0] in DONE


def is_running(session: Session, day: date, stage: str, run_id: str) -> bool:
    """Whether the ledger has a stage of a day as being done by a run."""
    sql = "SELECT count(*) FROM ops.partitions WHERE day = ? AND stage = ? AND run_id = ? AND status = ?"
    return bool(session.execute(sql, [day, stage, run_id, RUNNING])[0][0])

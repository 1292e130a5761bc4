"""Leases on stages of days: rows in ``ops.leases`` that a run renews, so that no two runs do one stage at once."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import partial

from hnintel.errors import HnIntelError, WarehouseBusy
from hnintel.ledger.holder import is_dead, this_process
from hnintel.settings import Settings
from hnintel.warehouse.base import Session, Warehouse
from hnintel.warehouse.statements import statement
from hnintel.warehouse.waiting import Aloud, pause
from hnintel.window import utc_now

#: The day of the lease on the marts: one dbt at a time builds them, for all days.
ALL_DAYS = date(1970, 1, 1)
#: Renewals within the length of a lease.
_BEATS = 4
_PAUSE = 0.5
_FREE = "DELETE FROM ops.leases WHERE day = ? AND stage = ? AND run_id = ?"


@dataclass(frozen=True, slots=True)
class Lease:
    """A row of ``ops.leases``; times are UTC without a zone."""

    day: date
    stage: str
    run_id: str
    holder: str
    heartbeat_at: datetime
    expires_at: datetime

    def is_alive(self, now: datetime) -> bool:
        """Whether it still excludes other runs: it has not expired, and its process is not known to be dead."""
        return now < self.expires_at and not is_dead(self.holder)

    def __str__(self) -> str:
        host, _, number, _ = self.holder.split("|")
        return f"process {number} on {host} (run {self.run_id})"


class Leases:
    """The leases of one run: a thread renews them within the block, and the end of the block releases them.

    The leases of a run that dies expire after ``lease_seconds``, or at once where the next run is on the same machine
    and sees that the process is gone.
    """

    def __init__(self, warehouse: Warehouse, run_id: str, settings: Settings) -> None:
        self._warehouse, self._run_id = warehouse, run_id
        self._length = timedelta(seconds=settings.lease_seconds)
        self._lock_wait = settings.lock_wait
        self._acquired: set[tuple[date, str]] = set()
        self._over = threading.Event()
        self._beating = threading.Thread(target=self._beat, name=f"leases of {run_id}", daemon=True)

    def __enter__(self) -> Leases:
        self._beating.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._beating.join()
        for day, stage in list(self._acquired):
            with suppress(HnIntelError):  # a lease that is not released expires
                self.give_back(day, stage)

    def take(self, day: date, stage: str) -> Lease | None:
        """Try once to acquire the lease of a stage: None where this run has it now, else the other run's lease."""
        with self._warehouse.transaction(stage="enrich") as session:
            now = utc_now()
            rows = _read(session, "WHERE day = ? AND stage = ?", [day, stage])
            for lease in rows:
                if lease.run_id != self._run_id and lease.is_alive(now):
                    return lease
            for lease in rows:
                session.execute(_FREE, [day, stage, lease.run_id])
        # A second transaction: DuckDB refuses to insert a key in the transaction that deleted it.
        with self._warehouse.transaction(stage="enrich") as session:
            session.execute("UPDATE ops.lease_turn SET taken = taken + 1")  # a row lock: one run at a time from here on
            session.execute(
                statement("ledger/take_lease"),
                [day, stage, self._run_id, this_process(), now, now, now + self._length, day, stage],
            )
            rows = _read(session, "WHERE day = ? AND stage = ?", [day, stage])
        if rows[0].run_id != self._run_id:
            return rows[0]
        self._acquired.add((day, stage))
        return None

    def give_back(self, day: date, stage: str) -> None:
        """Release the lease of a stage."""
        with self._warehouse.transaction(stage="enrich") as session:
            session.execute(_FREE, [day, stage, self._run_id])
        self._acquired.discard((day, stage))

    def waiting(self, day: date, stage: str) -> Iterator[float]:
        """Yield the seconds to wait until the next try; end once this run has the lease.

        Raises:
            WarehouseBusy: another run held the lease for longer than ``lock_wait`` seconds.
        """
        deadline, aloud = time.monotonic() + self._lock_wait, Aloud()
        what = "the marts are" if day == ALL_DAYS else f"{stage} of {day} is"
        while other := self.take(day, stage):
            left = max(0.0, deadline - time.monotonic())
            aloud.report(partial(_waiting_for, what, other, left))
            if not left:
                raise WarehouseBusy(
                    f"{what} being run by {other}; waited {self._lock_wait:g} s (HNINTEL_LOCK_WAIT): "
                    "wait for that run to end, then start again"
                )
            yield min(_PAUSE, left)

    def _beat(self) -> None:
        while not self._over.wait(self._length.total_seconds() / _BEATS):
            # A renewal that fails is followed by others before the lease expires.
            with suppress(HnIntelError), self._warehouse.transaction(stage="enrich") as session:
                now = utc_now()
                session.execute(
                    "UPDATE ops.leases SET heartbeat_at = ?, expires_at = ? WHERE run_id = ?",
                    [now, now + self._length, self._run_id],
                )


@contextmanager
def lease(warehouse: Warehouse, day: date, stage: str, run_id: str, settings: Settings) -> Iterator[None]:
    """Hold the lease of one stage for the length of the block; wait for it first.

    Raises:
        WarehouseBusy: another run held it for longer than ``lock_wait`` seconds.
    """
    with Leases(warehouse, run_id, settings) as leases:
        for seconds in leases.waiting(day, stage):
            pause(seconds, grace=0)
        yield


def _waiting_for(what: str, other: Lease, left: float) -> str:
    return f"{what} being run by {other}: waiting for {left:.0f} s more at most (HNINTEL_LOCK_WAIT)"


def alive(session: Session, now: datetime) -> dict[tuple[date, str], Lease]:
    """The leases that are alive at *now*, by day and stage."""
    return {(row.day, row.stage): row for row in _read(session) if row.is_alive(now)}


def delete_dead(session: Session, now: datetime) -> None:
    """Delete the leases that have expired or whose process is dead."""
    for row in _read(session):
        if not row.is_alive(now):
            session.execute(_FREE, [row.day, row.stage, row.run_id])


def refuse_if_lost(session: Session, day: date, stage: str, run_id: str) -> None:
    """Raise WarehouseBusy where another run holds the lease of the stage, of *day* or of all days."""
    now = utc_now()
    rows = _read(session, "WHERE day IN (?, ?) AND stage = ?", [day, ALL_DAYS, stage])
    others = [row for row in rows if row.run_id != run_id and row.is_alive(now)]
    if others:
        raise WarehouseBusy(
            f"{stage} of {day} was taken over by {others[0]}, because this run did not renew its lease in time: "
            "wait for that run to end, then start again"
        )


def _read(session: Session, where: str = "", params: list[object] | None = None) -> list[Lease]:
    rows = session.execute(
        f"SELECT day, stage, run_id, holder, heartbeat_at, expires_at FROM ops.leases {where} "
        "ORDER BY day, stage, acquired_at, run_id",
        params or [],
    )
    return [Lease(*row) for row in rows]

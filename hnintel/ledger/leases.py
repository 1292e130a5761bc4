"""Leases on stages of days: rows in ``ops.leases`` that a run keeps alive, so that no work is done twice at once."""

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

#: Stands for all days: the marts, which one dbt at a time builds, whatever the day.
ALL_DAYS = date(1970, 1, 1)
#: How often a lease is renewed before it would end.
_BEATS = 4
_PAUSE = 0.5
_FREE = "DELETE FROM ops.leases WHERE day = ? AND stage = ? AND run_id = ?"


@dataclass(frozen=True, slots=True)
class Held:
    """A lease as the table has it; times are UTC without a zone."""

    day: date
    stage: str
    run_id: str
    holder: str
    heartbeat_at: datetime
    expires_at: datetime

    def is_alive(self, now: datetime) -> bool:
        """Whether it still keeps others off: it has not ended, and its process is not known to be dead."""
        return now < self.expires_at and not is_dead(self.holder)

    def __str__(self) -> str:
        host, _, number, _ = self.holder.split("|")
        return f"process {number} on {host} (run {self.run_id})"


class Leases:
    """The leases of one run, renewed by a thread of its own while the block lasts, and given back at its end.

    A run that dies renews nothing: its leases end after ``lease_seconds``, or at once where the next one runs on the
    same machine and sees that the process is gone.
    """

    def __init__(self, warehouse: Warehouse, run_id: str, settings: Settings) -> None:
        self._warehouse, self._run_id = warehouse, run_id
        self._length = timedelta(seconds=settings.lease_seconds)
        self._lock_wait = settings.lock_wait
        self._taken: set[tuple[date, str]] = set()
        self._over = threading.Event()
        self._beating = threading.Thread(target=self._beat, name=f"leases of {run_id}", daemon=True)

    def __enter__(self) -> Leases:
        self._beating.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._beating.join()
        for day, stage in list(self._taken):
            with suppress(HnIntelError):  # else it ends by itself
                self.give_back(day, stage)

    def take(self, day: date, stage: str) -> Held | None:
        """Try once to take the lease of a stage: None where it is ours now, else who holds it."""
        with self._warehouse.transaction(stage="enrich") as session:
            now = utc_now()
            there = _read(session, "WHERE day = ? AND stage = ?", [day, stage])
            for held in there:
                if held.run_id != self._run_id and held.is_alive(now):
                    return held
            for held in there:
                session.execute(_FREE, [day, stage, held.run_id])
        # A transaction of its own: DuckDB takes no key in the transaction that let go of it.
        with self._warehouse.transaction(stage="enrich") as session:
            session.execute("UPDATE ops.lease_turn SET taken = taken + 1")  # from here on one at a time
            session.execute(
                statement("ledger/take_lease"),
                [day, stage, self._run_id, this_process(), now, now, now + self._length, day, stage],
            )
            there = _read(session, "WHERE day = ? AND stage = ?", [day, stage])
        if there[0].run_id != self._run_id:
            return there[0]
        self._taken.add((day, stage))
        return None

    def give_back(self, day: date, stage: str) -> None:
        """Let others have the stage."""
        with self._warehouse.transaction(stage="enrich") as session:
            session.execute(_FREE, [day, stage, self._run_id])
        self._taken.discard((day, stage))

    def waiting(self, day: date, stage: str) -> Iterator[float]:
        """Seconds to wait until the next try; it ends when the lease is ours.

        Raises:
            WarehouseBusy: another run held it for longer than the set wait.
        """
        deadline, aloud = time.monotonic() + self._lock_wait, Aloud()
        what = "the marts are" if day == ALL_DAYS else f"{stage} of {day} is"
        while held := self.take(day, stage):
            left = max(0.0, deadline - time.monotonic())
            aloud.tell(partial(_waiting_for, what, held, left))
            if not left:
                raise WarehouseBusy(
                    f"{what} being run by {held}; waited {self._lock_wait:g} s (HNINTEL_LOCK_WAIT): "
                    "wait for it to end, then start again"
                )
            yield min(_PAUSE, left)

    def _beat(self) -> None:
        while not self._over.wait(self._length.total_seconds() / _BEATS):
            # Where one beat fails, the next may get through.
            with suppress(HnIntelError), self._warehouse.transaction(stage="enrich") as session:
                now = utc_now()
                session.execute(
                    "UPDATE ops.leases SET heartbeat_at = ?, expires_at = ? WHERE run_id = ?",
                    [now, now + self._length, self._run_id],
                )


@contextmanager
def held(warehouse: Warehouse, day: date, stage: str, run_id: str, settings: Settings) -> Iterator[None]:
    """Hold the lease of one stage for the length of the block.

    Raises:
        WarehouseBusy: another run held it for longer than the set wait.
    """
    with Leases(warehouse, run_id, settings) as leases:
        for seconds in leases.waiting(day, stage):
            pause(seconds, grace=0)
        yield


def _waiting_for(what: str, held: Held, left: float) -> str:
    return f"{what} being run by {held}: waiting for {left:.0f} s more at most (HNINTEL_LOCK_WAIT)"


def alive(session: Session, now: datetime) -> dict[tuple[date, str], Held]:
    """The leases that keep others off at *now*, by day and stage."""
    return {(one.day, one.stage): one for one in _read(session) if one.is_alive(now)}


def forget_dead(session: Session, now: datetime) -> None:
    """Take out the leases that keep nobody off any more."""
    for one in _read(session):
        if not one.is_alive(now):
            session.execute(_FREE, [one.day, one.stage, one.run_id])


def refuse_if_lost(session: Session, day: date, stage: str, run_id: str) -> None:
    """Raise WarehouseBusy where another run holds the stage, of the day or of all: the work is its own now."""
    now = utc_now()
    there = _read(session, "WHERE day IN (?, ?) AND stage = ?", [day, ALL_DAYS, stage])
    others = [one for one in there if one.run_id != run_id and one.is_alive(now)]
    if others:
        raise WarehouseBusy(
            f"{stage} of {day} was taken over by {others[0]}, because this run did not renew its lease in time: "
            "let that one end, then start again"
        )


def _read(session: Session, where: str = "", params: list[object] | None = None) -> list[Held]:
    rows = session.execute(
        f"SELECT day, stage, run_id, holder, heartbeat_at, expires_at FROM ops.leases {where} "
        "ORDER BY day, stage, acquired_at, run_id",
        params or [],
    )
    return [Held(*row) for row in rows]

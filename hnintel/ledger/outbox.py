"""The outbox: what is to be announced is a row beside the data it speaks of, and is emitted once that is committed."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from hnintel.events import Event
from hnintel.warehouse.base import Session
from hnintel.warehouse.statements import statement

#: How long what was emitted is kept, so that the same fact is not announced anew.
_KEPT = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Waiting:
    """A row that was not emitted yet, or not noted as such."""

    id: str
    event: str
    resource: str
    payload: dict[str, Any]
    #: UTC.
    occurred_at: datetime


def put(session: Session, event: Event, now: datetime) -> bool:
    """Have *event* announced once this transaction is committed; whether the fact was new.

    Args:
        session: the transaction that makes the fact true. No table is made in it afterwards.
        event: what is to be told.
        now: when it happened, UTC without a zone.
    """
    row = [str(event.id), event.name, event.resource_id, json.dumps(event.payload), now]
    return session.merge(statement("ledger/put_event"), row)[0] > 0


def put_all(session: Session, events: Iterable[Event], now: datetime) -> None:
    """:func:`put` each of *events*."""
    for event in events:
        put(session, event, now)


def waiting(session: Session, most: int) -> list[Waiting]:
    """What waits to be emitted, the oldest first; at most so many."""
    found = session.rows(
        "SELECT id, event, resource, payload, occurred_at FROM ops.outbox WHERE emitted_at IS NULL "
        "QUALIFY row_number() OVER (ORDER BY occurred_at, id) <= ? ORDER BY occurred_at, id",
        [most],
    )
    return [
        Waiting(
            row["id"],
            row["event"],
            row["resource"],
            json.loads(row["payload"]),
            row["occurred_at"].replace(tzinfo=UTC),
        )
        for row in found
    ]


def emitted(session: Session, ids: Sequence[str], now: datetime) -> None:
    """Note that the server has these, and forget what it had long ago."""
    if ids:
        marks = ", ".join("?" for _ in ids)
        session.execute(f"UPDATE ops.outbox SET emitted_at = ? WHERE id IN ({marks})", [now, *ids])
    session.execute("DELETE FROM ops.outbox WHERE emitted_at < ?", [now - _KEPT])

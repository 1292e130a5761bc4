"""The outbox: an event is written as a row in the transaction that makes it true, and published after the commit."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from hnintel.events import Event
from hnintel.warehouse.base import Session
from hnintel.warehouse.statements import statement

#: How long published rows stay, so that the same fact is not published again.
_RETENTION = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Waiting:
    """A row that was not published yet, or whose publication was not recorded."""

    id: str
    event: str
    resource: str
    payload: dict[str, Any]
    #: UTC.
    occurred_at: datetime


def put(session: Session, event: Event, now: datetime) -> bool:
    """Write *event* to be published once this transaction is committed; return whether the fact was new.

    Args:
        session: the transaction that makes the fact true. It must create no table afterwards.
        event: the fact to publish.
        now: when it happened, UTC without a zone.
    """
    row = [str(event.id), event.name, event.resource_id, json.dumps(event.payload), now]
    return session.merge(statement("ledger/put_event"), row)[0] > 0


def put_all(session: Session, events: Iterable[Event], now: datetime) -> None:
    """:func:`put` each of *events*."""
    for event in events:
        put(session, event, now)


def waiting(session: Session, most: int) -> list[Waiting]:
    """The rows that wait to be published, the oldest first, at most *most*."""
    rows = session.rows(
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
        for row in rows
    ]


def emitted(session: Session, ids: Sequence[str], now: datetime) -> None:
    """Record that the server has the rows of *ids*, and delete rows published longer ago than the retention."""
    if ids:
        marks = ", ".join("?" for _ in ids)
        session.execute(f"UPDATE ops.outbox SET emitted_at = ? WHERE id IN ({marks})", [now, *ids])
    session.execute("DELETE FROM ops.outbox WHERE emitted_at < ?", [now - _RETENTION])

"""Rows of ``ops.listings``: how far the last listing of each day is proven to be complete."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from hnintel.ledger.stage_names import ITEMS
from hnintel.sources.proof import Proof
from hnintel.warehouse.base import Session
from hnintel.warehouse.statements import statement
from hnintel.window import Window

_LONGEST_REASON = 300


@dataclass(frozen=True, slots=True)
class Listed:
    """The last listing of a day from a source; times are UTC without a zone.

    ``listed``: the stories, jobs and polls of the day in the warehouse and in the dead letters after the listing.
    """

    day: date
    source: str
    proof: Proof
    listed: int
    starts_at: datetime
    ends_at: datetime
    listed_at: datetime

    def is_of(self, window: Window) -> bool:
        """Whether exactly *window* was listed: a part of a day, and a day of another time zone, is another window."""
        return (self.starts_at, self.ends_at) == _ends(window)

    def is_whole(self, window: Window) -> bool:
        """Whether all ids of *window* were read."""
        return self.proof.kind == "whole" and self.is_of(window)

    def as_json(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "source": self.source,
            **self.proof.as_json(),
            "listed": self.listed,
            "listed_at": self.listed_at.isoformat(),
        }


def record(session: Session, source: str, proof: Proof, window: Window, run_id: str, now: datetime) -> None:
    """Record the listing of *window*; call it in the transaction that ends the reading of its items.

    Args:
        session: the transaction.
        source: as the user named it.
        proof: of the listing.
        window: the listed day, or the part of it that was listed.
        run_id: the run that listed it.
        now: UTC without a zone.
    """
    day, reason = window.day, proof.reason[:_LONGEST_REASON]
    ends = _ends(window)
    session.merge(
        statement("ledger/set_listing"),
        [day, source, proof.kind, proof.looked_for, reason, count(session, day), *ends, run_id, now],
    )


def count(session: Session, day: date) -> int:
    """The stories, jobs and polls of *day* in the warehouse, and those in the dead letters."""
    stored = "SELECT count(*) FROM raw.items WHERE day = ? AND coalesce(type, '') <> 'pollopt'"
    waiting = (
        "SELECT count(*) FROM ops.dead_letters WHERE stage = ? AND day = ? "
        "AND key NOT IN (SELECT CAST(id AS VARCHAR) FROM raw.items WHERE day = ?)"
    )
    return int(session.execute(stored, [day])[0][0]) + int(session.execute(waiting, [ITEMS, day, day])[0][0])


def listed(session: Session, day: date, source: str) -> Listed | None:
    """The last listing of *day* from *source*; None where none is recorded."""
    return between(session, day, day, source).get(day)


def between(session: Session, first: date, last: date, source: str | None = None) -> dict[date, Listed]:
    """The last listing of each day from *first* to *last*, from *source* or (None) from any source."""
    rows = session.rows(
        "SELECT day, source, proof, looked_for, reason, listed, starts_at, ends_at, listed_at FROM ops.listings "
        "WHERE day BETWEEN ? AND ? AND (? IS NULL OR source = ?) ORDER BY day, listed_at, source",
        [first, last, source, source],
    )
    return {
        row["day"]: Listed(
            row["day"],
            row["source"],
            Proof(row["proof"], int(row["looked_for"]), row["reason"]),
            int(row["listed"]),
            row["starts_at"],
            row["ends_at"],
            row["listed_at"],
        )
        for row in rows
    }


def _ends(window: Window) -> tuple[datetime, datetime]:
    return window.start.replace(tzinfo=None), window.end.replace(tzinfo=None)

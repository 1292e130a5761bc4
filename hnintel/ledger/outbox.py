"""The outbox: what is to be announced is a row beside the data it speaks of, and is emitted once that is committed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from hnintel.events import ContinueBy, DayEnriched, DayPublished, Event, ItemsLanded, LettersGivenUp
from hnintel.ingest.retries import letters
from hnintel.partitions.graph import ARTICLES, ENRICH, INGEST, PUBLISH
from hnintel.partitions.pipeline import Making
from hnintel.partitions.state import grid
from hnintel.settings import Settings
from hnintel.warehouse.base import Session
from hnintel.warehouse.statements import statement
from hnintel.window import Window, yesterday

#: How long what was emitted is kept, so that the same fact is not announced anew.
_KEPT = timedelta(days=30)
_DONE = ("complete", "partial")


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


def announce_day(session: Session, making: Making, day: date, continue_by: ContinueBy, now: datetime) -> list[Event]:
    """Put what the ledger says of *day* now and nobody was told of yet: it has landed, is enriched, is published.

    Each state of the ledger is told once, whoever asks, so that what a crash kept from being told is told by the next.
    A day is enriched when every enrichment of it is done and still holds: there is no telling of half a day. It is so
    anew when it was read again, though no text of it had changed and nothing was asked: the marts have to be told of
    its scores.

    Args:
        session: the transaction that makes it so, or any later one.
        making: what its partitions are made of.
        day: the partition.
        continue_by: who goes on.
        now: UTC without a zone.

    Returns:
        Those that were news.
    """
    rows = session.rows(
        "SELECT stage, status, row_count, source, run_id, started_at, finished_at FROM ops.partitions WHERE day = ?",
        [day],
    )
    done = {row["stage"]: row for row in rows if row["status"] in _DONE}
    source = done[INGEST]["source"] or "" if INGEST in done else ""
    asked = [one.stage for one in making.enrichments.values()]
    facts: list[Event] = []
    if done.keys() >= {INGEST, ARTICLES}:
        read, state = done[INGEST], _state(done, [INGEST, ARTICLES])
        facts.append(
            ItemsLanded(
                day=day,
                source=source,
                items=read["row_count"] or 0,
                state=state,
                continue_by=continue_by,
            )
        )
    if done.keys() >= {INGEST, ARTICLES, *asked} and _hold(session, making, day, asked, now):
        state = _state(done, [INGEST, ARTICLES, *asked])
        facts.append(DayEnriched(day=day, source=source, enrichments=len(asked), state=state, continue_by=continue_by))
    if PUBLISH in done:
        zone = making.settings.time_zone
        whole = INGEST in done and Window.of(day, zone).is_over(done[INGEST]["started_at"])
        recent = whole and day >= yesterday(now.replace(tzinfo=UTC), zone)
        # A page that holds when the whole day is read is news all the same: from here on it is the day's.
        state = _state(done, [PUBLISH]) + ("" if whole else " so far")
        facts.append(DayPublished(day=day, run_id=done[PUBLISH]["run_id"], state=state, recent=recent))
    return [fact for fact in facts if put(session, fact, now)]


def _hold(session: Session, making: Making, day: date, asked: Sequence[str], now: datetime) -> bool:
    """Whether none of the enrichments, all of which are done, has become stale since."""
    found = grid(session, making, day, day, now, asked)[day]
    return all(one.status in _DONE for one in found.values())


def announce_given_up(session: Session, settings: Settings, now: datetime) -> None:
    """Put that dead letters were tried as often as is set, once for each time that another one was."""
    given_up = [one for one in letters(session, settings, now) if one.attempts >= _attempts(one.stage, settings)]
    if given_up:
        newest = max(one.last_seen for one in given_up).replace(tzinfo=UTC)
        put(session, LettersGivenUp(given_up=len(given_up), newest=int(newest.timestamp())), now)


def _attempts(stage: str, settings: Settings) -> int:
    if stage.startswith(f"{ENRICH}:"):
        return settings.answer_attempts
    return settings.article_attempts if stage == ARTICLES else settings.letter_attempts


def _state(done: Mapping[str, Mapping[str, Any]], stages: Iterable[str]) -> str:
    """Changes when one of *stages* was run again."""
    told = [[stage, done[stage]["run_id"], str(done[stage]["finished_at"])] for stage in sorted(stages)]
    return hashlib.md5(json.dumps(told).encode(), usedforsecurity=False).hexdigest()[:16]

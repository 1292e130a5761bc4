"""What is announced of a day: one event for each fact, committed with the fact."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any

from hnintel.events import ContinueBy, DayEnriched, DayPublished, Event, ItemsLanded, LettersGivenUp
from hnintel.hashes import hash_of_values
from hnintel.ledger.dead_letters import letters, most_attempts
from hnintel.ledger.outbox import put
from hnintel.ledger.stage_names import ARTICLES, INGEST, PUBLISH
from hnintel.ledger.statuses import DONE
from hnintel.partitions.pipeline import Pipeline
from hnintel.partitions.state import grid
from hnintel.warehouse.base import Session
from hnintel.window import Window, yesterday


def announce_day(
    session: Session, pipeline: Pipeline, day: date, continue_by: ContinueBy, now: datetime
) -> list[Event]:
    """Put what the ledger says of *day* now and nobody was told of yet: it has landed, is enriched, is published.

    Each state of the ledger is told once, whoever asks, so that what a crash kept from being told is told by the next.
    A day is enriched when every enrichment of it is done and still holds: there is no telling of half a day. It is so
    anew when it was read again, though no text of it had changed and nothing was asked: the marts have to be told of
    its scores.

    Args:
        session: the transaction that makes it so, or any later one.
        pipeline: what its partitions are made of.
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
    done = {row["stage"]: row for row in rows if row["status"] in DONE}
    source = done[INGEST]["source"] or "" if INGEST in done else ""
    asked = [one.stage for one in pipeline.enrichments.values()]
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
    if done.keys() >= {INGEST, ARTICLES, *asked} and _hold(session, pipeline, day, asked, now):
        state = _state(done, [INGEST, ARTICLES, *asked])
        facts.append(DayEnriched(day=day, source=source, enrichments=len(asked), state=state, continue_by=continue_by))
    if PUBLISH in done:
        zone = pipeline.settings.time_zone
        whole = INGEST in done and Window.of(day, zone).is_over(done[INGEST]["started_at"])
        recent = whole and day >= yesterday(now.replace(tzinfo=UTC), zone)
        # A page that holds when the whole day is read is news all the same: from here on it is the day's.
        state = _state(done, [PUBLISH]) + ("" if whole else " so far")
        facts.append(DayPublished(day=day, run_id=done[PUBLISH]["run_id"], state=state, recent=recent))
    return [fact for fact in facts if put(session, fact, now)]


def _hold(session: Session, pipeline: Pipeline, day: date, asked: Sequence[str], now: datetime) -> bool:
    """Whether none of the enrichments, all of which are done, has become stale since."""
    found = grid(session, pipeline, day, day, now, asked)[day]
    return all(one.status in DONE for one in found.values())


def announce_given_up(session: Session, pipeline: Pipeline, now: datetime) -> None:
    """Put that dead letters were tried as often as is set, once for each time that another one was."""
    waiting, settings = letters(session, pipeline.settings, now, pipeline.asked), pipeline.settings
    given_up = [letter for letter in waiting if letter.attempts >= most_attempts(letter.stage, settings)]
    if given_up:
        newest = max(one.last_seen for one in given_up).replace(tzinfo=UTC)
        put(session, LettersGivenUp(given_up=len(given_up), newest=int(newest.timestamp())), now)


def _state(done: Mapping[str, Mapping[str, Any]], stages: Iterable[str]) -> str:
    """Changes when one of *stages* was run again."""
    told = [[stage, done[stage]["run_id"], str(done[stage]["finished_at"])] for stage in sorted(stages)]
    return hash_of_values(told)[:16]

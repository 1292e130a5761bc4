"""Announce the facts of a day: one event per fact, committed with the fact."""

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
    """Put the facts of *day* that were not announced yet into the outbox: it has landed, is enriched, is published.

    Each state of the ledger is announced once, so that the next call announces what a crash prevented.
    A day is enriched when every enrichment of it is done and not stale; half a day is not announced. It is announced
    again after the day was read again, even where no text changed and nothing was asked: the marts need its new
    scores.

    Args:
        session: the transaction that records the fact, or a later one.
        pipeline: the pipeline of the day.
        day: the partition.
        continue_by: who runs the next stages.
        now: UTC without a zone.

    Returns:
        The events that were not in the outbox before.
    """
    rows = session.rows(
        "SELECT stage, status, row_count, source, run_id, started_at, finished_at FROM ops.partitions WHERE day = ?",
        [day],
    )
    done = {row["stage"]: row for row in rows if row["status"] in DONE}
    source = done[INGEST]["source"] or "" if INGEST in done else ""
    asking = [enrichment.stage for enrichment in pipeline.enrichments.values()]
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
    if done.keys() >= {INGEST, ARTICLES, *asking} and _hold(session, pipeline, day, asking, now):
        state = _state(done, [INGEST, ARTICLES, *asking])
        facts.append(DayEnriched(day=day, source=source, enrichments=len(asking), state=state, continue_by=continue_by))
    if PUBLISH in done:
        zone = pipeline.settings.time_zone
        whole = INGEST in done and Window.of(day, zone).is_over(done[INGEST]["started_at"])
        recent = whole and day >= yesterday(now.replace(tzinfo=UTC), zone)
        # A page that is unchanged when the whole day is read is announced all the same: it is now the day's final page.
        state = _state(done, [PUBLISH]) + ("" if whole else " so far")
        facts.append(DayPublished(day=day, run_id=done[PUBLISH]["run_id"], state=state, recent=recent))
    return [fact for fact in facts if put(session, fact, now)]


def _hold(session: Session, pipeline: Pipeline, day: date, stages: Sequence[str], now: datetime) -> bool:
    """Whether none of the enrichments, all done, has become stale."""
    states = grid(session, pipeline, day, day, now, stages)[day]
    return all(state.status in DONE for state in states.values())


def announce_given_up(session: Session, pipeline: Pipeline, now: datetime) -> None:
    """Announce dead letters that reached the set number of attempts, once for each newly given up letter."""
    waiting, settings = letters(session, pipeline.settings, now, pipeline.asked), pipeline.settings
    given_up = [letter for letter in waiting if letter.attempts >= most_attempts(letter.stage, settings)]
    if given_up:
        newest = max(letter.last_seen for letter in given_up).replace(tzinfo=UTC)
        put(session, LettersGivenUp(given_up=len(given_up), newest=int(newest.timestamp())), now)


def _state(done: Mapping[str, Mapping[str, Any]], stages: Iterable[str]) -> str:
    """Return a hash that changes when one of *stages* is run again."""
    ran = [[stage, done[stage]["run_id"], str(done[stage]["finished_at"])] for stage in sorted(stages)]
    return hash_of_values(ran)[:16]

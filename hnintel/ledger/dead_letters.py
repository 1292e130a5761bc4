"""Rows of ``ops.dead_letters``: what could not be taken, why, and when it is tried again."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from typing import Any

from hnintel.ledger.stage_names import ARTICLES, is_enrichment, of_enrichment
from hnintel.settings import Settings
from hnintel.warehouse.base import Session, Staged
from hnintel.warehouse.statements import statement

#: Of a dead letter without a fingerprint: its stage, and the item's id, place or URL.
Key = tuple[str, str]


def stage_letters(
    session: Session,
    day: date,
    failed: Mapping[Key, str],
    taken: Iterable[Key],
    run_id: str,
    now: datetime,
) -> Staged:
    """Stage what :func:`settle_letters` is to keep of a reading.

    Args:
        session: the transaction; nothing was written in it.
        day: the partition.
        failed: what could not be taken, and why.
        taken: what was, also of what failed elsewhere in the same reading.
        run_id: whose reading it was.
        now: when.
    """
    waiting = {row[0] for row in session.execute("SELECT DISTINCT stage FROM ops.dead_letters WHERE fingerprint = ''")}
    standing = {"fingerprint": "", "day": day, "first_seen": now, "last_seen": now, "run_id": run_id}
    letters = {
        (stage, key): {"stage": stage, "key": key, "reason": reason, "attempts": 1, **standing}
        for (stage, key), reason in failed.items()
    }
    for stage, key in taken:
        letters.pop((stage, key), None)
        if stage in waiting:  # else there is nothing to take out
            letters[stage, key] = {"stage": stage, "key": key, "reason": "", "attempts": 0, **standing}
    return session.stage("ops.dead_letters", list(letters.values()))


def settle_letters(session: Session, staged: Staged) -> None:
    """Keep what could not be taken in the dead letters, and take out of them what was taken after all.

    A letter that is there has another attempt, and keeps the time when it was first seen.
    """
    if staged.rows:
        session.merge(statement("ledger/settle_letters", source=staged.name))


def dead_letters_of(session: Session, day: date, enrichments: Iterable[str] | None = None) -> int:
    """How many things of *day* wait in the dead letters.

    Args:
        session: the transaction it is part of.
        day: the partition.
        enrichments: names; letters of others, which were taken out of the code, do not count. None counts all.
    """
    rows = session.execute("SELECT stage, count(*) FROM ops.dead_letters WHERE day = ? GROUP BY stage", [day])
    there = None if enrichments is None else set(map(of_enrichment, enrichments))
    return sum(int(count) for stage, count in rows if there is None or stage in there or not is_enrichment(stage))


@dataclass(frozen=True, slots=True)
class Letter:
    """One thing that could not be taken.

    ``key`` is an item's id, ``story/depth/id`` of a comment, or an article's canonical URL. ``due`` says whether it
    would be tried now, ``attempts`` how often it was.
    """

    stage: str
    key: str
    day: date
    reason: str
    attempts: int
    first_seen: datetime
    last_seen: datetime
    due: bool

    def as_json(self) -> dict[str, Any]:
        """Plain values; times are UTC."""
        told = asdict(self)
        return told | {name: told[name].isoformat() for name in ("day", "first_seen", "last_seen")}


def letters(
    session: Session, settings: Settings, now: datetime, asked: Collection[str], stage: str | None = None
) -> list[Letter]:
    """Every letter, the oldest first, and whether it is due at *now* (UTC without a zone).

    Args:
        session: the transaction it is read in.
        settings: how often, and how long after the last time, something is tried again.
        now: UTC without a zone.
        asked: the stages of the enrichments that are declared; a letter of another one is never due.
        stage: only letters of this one.

    A letter of ours is due until it was tried ``letter_attempts`` times, ``letter_retry_hours`` after the last; an
    article's when its own backoff says so; an enrichment's as ``answer_attempts`` and ``answer_retry_minutes`` say.
    """
    found = session.rows(
        statement("ledger/dead_letters"),
        [
            ARTICLES,
            now,
            settings.letter_attempts,
            now - timedelta(hours=settings.letter_retry_hours),
            settings.answer_attempts,
            now - timedelta(minutes=settings.answer_retry_minutes),
            stage,
            stage,
        ],
    )
    gone = {row["stage"] for row in found if is_enrichment(row["stage"])} - set(asked)
    return [Letter(**{**row, "due": row["due"] and row["stage"] not in gone}) for row in found]


def most_attempts(stage: str, settings: Settings) -> int:
    """How often a letter of *stage* is tried before it is given up."""
    if is_enrichment(stage):
        return settings.answer_attempts
    return settings.article_attempts if stage == ARTICLES else settings.letter_attempts


def count_due(session: Session, settings: Settings, now: datetime, asked: Collection[str]) -> int:
    """How many letters are due: what a run tells at its end."""
    return sum(letter.due for letter in letters(session, settings, now, asked))

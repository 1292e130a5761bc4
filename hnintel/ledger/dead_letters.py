"""Rows of ``ops.dead_letters``: items, comments, articles and answers that failed, why, and when each is retried."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from typing import Any

from hnintel.ledger.stage_names import ARTICLES, is_enrichment, of_enrichment
from hnintel.settings import Settings
from hnintel.warehouse.base import Session, Staged
from hnintel.warehouse.statements import statement

#: Identifies a dead letter without a fingerprint: its stage, and the item's id, place or URL.
Key = tuple[str, str]


def stage_letters(
    session: Session,
    day: date,
    failed: Mapping[Key, str],
    succeeded: Iterable[Key],
    run_id: str,
    now: datetime,
) -> Staged:
    """Stage the rows that :func:`settle_letters` merges after a day was read.

    Args:
        session: the transaction; it has written no row yet.
        day: the partition.
        failed: the reason of each failure, by key.
        succeeded: the keys that succeeded; they cancel a failure of the same key in *failed*.
        run_id: the run that read them.
        now: the time of the attempt, UTC without a zone.
    """
    waiting = {row[0] for row in session.execute("SELECT DISTINCT stage FROM ops.dead_letters WHERE fingerprint = ''")}
    common = {"fingerprint": "", "day": day, "first_seen": now, "last_seen": now, "run_id": run_id}
    letters = {
        (stage, key): {"stage": stage, "key": key, "reason": reason, "attempts": 1, **common}
        for (stage, key), reason in failed.items()
    }
    for stage, key in succeeded:
        letters.pop((stage, key), None)
        if stage in waiting:  # else the stage has no letter to delete
            letters[stage, key] = {"stage": stage, "key": key, "reason": "", "attempts": 0, **common}
    return session.stage("ops.dead_letters", list(letters.values()))


def settle_letters(session: Session, staged: Staged) -> None:
    """Merge staged failures into the dead letters, and delete the letters of keys that succeeded.

    An existing letter counts one more attempt and keeps its ``first_seen``.
    """
    if staged.rows:
        session.merge(statement("ledger/settle_letters", source=staged.name))


def dead_letters_of(session: Session, day: date, enrichments: Iterable[str] | None = None) -> int:
    """The number of dead letters of *day*.

    Args:
        session: the transaction to read in.
        day: the partition.
        enrichments: names; letters of other enrichments, which are no longer declared, do not count. None counts all.
    """
    rows = session.execute("SELECT stage, count(*) FROM ops.dead_letters WHERE day = ? GROUP BY stage", [day])
    declared = None if enrichments is None else set(map(of_enrichment, enrichments))
    return sum(int(count) for stage, count in rows if declared is None or stage in declared or not is_enrichment(stage))


@dataclass(frozen=True, slots=True)
class Letter:
    """One dead letter.

    ``key`` is an item's id, ``story/depth/id`` of a comment, or an article's canonical URL. ``due`` says whether a
    retry is due now; ``attempts`` counts the attempts so far.
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
        values = asdict(self)
        return values | {name: values[name].isoformat() for name in ("day", "first_seen", "last_seen")}


def letters(
    session: Session, settings: Settings, now: datetime, enrichment_stages: Collection[str], stage: str | None = None
) -> list[Letter]:
    """Every letter, the oldest first, and whether it is due at *now*.

    Args:
        session: the transaction to read in.
        settings: the limits of attempts and the delays between them.
        now: UTC without a zone.
        enrichment_stages: the stages of the declared enrichments; a letter of any other enrichment is never due.
        stage: return only letters of this stage.

    A letter of an item, poll option or comment is due ``letter_retry_hours`` after its last attempt, until it had
    ``letter_attempts``; an article's letter is due at the article's own ``retry_at``; an enrichment's letter follows
    ``answer_attempts`` and ``answer_retry_minutes``.
    """
    rows = session.rows(
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
    undeclared = {row["stage"] for row in rows if is_enrichment(row["stage"])} - set(enrichment_stages)
    return [Letter(**{**row, "due": row["due"] and row["stage"] not in undeclared}) for row in rows]


def most_attempts(stage: str, settings: Settings) -> int:
    """The number of attempts after which a letter of *stage* is given up."""
    if is_enrichment(stage):
        return settings.answer_attempts
    return settings.article_attempts if stage == ARTICLES else settings.letter_attempts


def count_due(session: Session, settings: Settings, now: datetime, enrichment_stages: Collection[str]) -> int:
    """The number of letters due at *now*, which a run reports at its end."""
    return sum(letter.due for letter in letters(session, settings, now, enrichment_stages))

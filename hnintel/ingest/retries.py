"""The dead letters: what waits there, which of it is due, and having it tried again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from typing import Any

from hnintel.enrich.declaration import load_enrichments
from hnintel.ingest import scraping
from hnintel.ingest.comment_tree import Place
from hnintel.ingest.scraping import COMMENTS, ITEMS, OPTIONS, Scraped
from hnintel.ledger import leases
from hnintel.settings import Settings
from hnintel.sources.base import Source
from hnintel.warehouse.base import Session, Warehouse
from hnintel.warehouse.query_tags import tagged
from hnintel.warehouse.statements import statement

#: Stages whose letters are read again here and now; those of the rest are made due for the next run of their day.
READ_HERE = (ITEMS, OPTIONS, COMMENTS)
ARTICLES = "articles"
#: The stage of a day that reads them.
INGEST = "ingest"


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


@dataclass(frozen=True, slots=True)
class Retried:
    """What a retry came to: letters read now, letters failing still, and those that the next run of a day takes up."""

    taken: int = 0
    failing: int = 0
    made_due: int = 0
    days: tuple[date, ...] = ()


def letters(session: Session, settings: Settings, now: datetime, stage: str | None = None) -> list[Letter]:
    """Every letter, the oldest first, and whether it is due at *now* (UTC without a zone).

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
    # Of an enrichment that is no more, nothing is ever asked again.
    there = {one.stage for one in load_enrichments(settings.enrichments_path).values()}
    gone = {row["stage"] for row in found if row["stage"].startswith("enrich:")} - there
    return [Letter(**{**row, "due": row["due"] and row["stage"] not in gone}) for row in found]


def count_due(session: Session, settings: Settings, now: datetime) -> int:
    """How many letters are due: what a run tells at its end."""
    return sum(letter.due for letter in letters(session, settings, now))


async def retry(
    warehouse: Warehouse, source: Source, chosen: Sequence[Letter], settings: Settings, run_id: str, now: datetime
) -> Retried:
    """Try *chosen* again: items, options and comments through *source* at once, the rest in their day's next run.

    Raises:
        WarehouseBusy: a day is being run meanwhile, or another process holds the warehouse.
    """
    taken = failing = 0
    here = [letter for letter in chosen if letter.stage in READ_HERE]
    for day in sorted({letter.day for letter in here}):
        of_day = [letter for letter in here if letter.day == day]
        with leases.held(warehouse, day, INGEST, run_id, settings):
            scraped = await _read(warehouse, source, of_day, day, settings)
            with tagged("ingest", run_id, day), warehouse.transaction() as session:
                scraping.load(session, scraped, day, run_id, now)
        lost = {(one.stage, one.key) for one in scraped.lost + scraped.lost_below}
        still = sum((letter.stage, letter.key) in lost for letter in of_day)
        taken, failing = taken + len(of_day) - still, failing + still
    rest = [letter for letter in chosen if letter.stage not in READ_HERE]
    with tagged("ingest", run_id), warehouse.transaction() as session:
        _make_due(session, rest, now)
    return Retried(taken, failing, len(rest), tuple(sorted({letter.day for letter in chosen})))


async def _read(
    warehouse: Warehouse, source: Source, of_day: Sequence[Letter], day: date, settings: Settings
) -> Scraped:
    keys = {stage: [letter.key for letter in of_day if letter.stage == stage] for stage in READ_HERE}
    listed = [int(key) for key in keys[ITEMS]]
    with warehouse.transaction() as session:
        held = scraping.held_comments(session, listed)
    scraped = await scraping.scrape(source, listed, day, settings, held)
    scraped += await scraping.scrape_options(source, [int(key) for key in keys[OPTIONS]], day)
    return scraped + await scraping.scrape_comments(source, [Place.of(key) for key in keys[COMMENTS]])


def _make_due(session: Session, rest: Sequence[Letter], now: datetime) -> None:
    """Let the next run of their day take *rest* up as if it were new; when each was first seen, and why, is kept.

    An enrichment's letter is about one text, known by its hash: without the hash it is about none, so the item is
    pending. An article's own row says when it is due.
    """
    staged = session.stage("ops.dead_letters", [{"stage": one.stage, "key": one.key} for one in rest])
    if not staged.rows:
        return
    session.execute(
        "UPDATE ops.dead_letters SET attempts = 0, input_hash = '' "
        f"WHERE (stage, key) IN (SELECT stage, key FROM {staged.name})"
    )
    session.execute(
        "UPDATE raw.articles SET status = 'retry_at', attempts = 0, retry_at = ? "
        f"WHERE canonical_url IN (SELECT key FROM {staged.name} WHERE stage = ?) AND status IN ('retry_at', 'gave_up')",
        [now, ARTICLES],
    )

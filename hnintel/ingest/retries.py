"""Retries chosen dead letters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from hnintel.ingest import loading, scraping
from hnintel.ingest.comment_tree import Place
from hnintel.ingest.scraping import Scraped
from hnintel.ledger import leases
from hnintel.ledger.dead_letters import Letter
from hnintel.ledger.stage_names import ARTICLES, COMMENTS, INGEST, ITEMS, OPTIONS, READ_LETTERS
from hnintel.settings import Settings
from hnintel.sources.base import Source
from hnintel.warehouse.base import Session, Warehouse
from hnintel.warehouse.query_tags import tagged


@dataclass(frozen=True, slots=True)
class Retried:
    """Counts of a retry: letters loaded now, letters still failing, and letters left to their day's next run."""

    taken: int = 0
    failing: int = 0
    made_due: int = 0
    days: tuple[date, ...] = ()


async def retry(
    warehouse: Warehouse, source: Source, chosen: Sequence[Letter], settings: Settings, run_id: str, now: datetime
) -> Retried:
    """Retry *chosen*: items, options and comments at once through *source*, the others in their day's next run.

    Raises:
        WarehouseBusy: a run of one of the days, or another process, locks the warehouse.
    """
    loaded = failing = 0
    readable = [letter for letter in chosen if letter.stage in READ_LETTERS]
    for day in sorted({letter.day for letter in readable}):
        of_day = [letter for letter in readable if letter.day == day]
        with leases.lease(warehouse, day, INGEST, run_id, settings):
            scraped = await _read(warehouse, source, of_day, day, settings)
            with tagged(run=run_id, day=day), warehouse.transaction(stage="ingest") as session:
                loading.load(session, scraped, day, run_id, now)
        lost = {(lost_letter.stage, lost_letter.key) for lost_letter in scraped.lost + scraped.lost_below}
        still_failing = sum((letter.stage, letter.key) in lost for letter in of_day)
        loaded, failing = loaded + len(of_day) - still_failing, failing + still_failing
    rest = [letter for letter in chosen if letter.stage not in READ_LETTERS]
    with tagged(run=run_id), warehouse.transaction(stage="ingest") as session:
        _make_due(session, rest, now)
    return Retried(loaded, failing, len(rest), tuple(sorted({letter.day for letter in chosen})))


async def _read(
    warehouse: Warehouse, source: Source, of_day: Sequence[Letter], day: date, settings: Settings
) -> Scraped:
    keys = {stage: [letter.key for letter in of_day if letter.stage == stage] for stage in READ_LETTERS}
    listed = [int(key) for key in keys[ITEMS]]
    with warehouse.transaction(stage="ingest") as session:
        stored = loading.stored_comments(session, listed)
    scraped = await scraping.scrape(source, listed, day, settings, stored)
    scraped += await scraping.scrape_options(source, [int(key) for key in keys[OPTIONS]], day)
    return scraped + await scraping.scrape_comments(source, [Place.of(key) for key in keys[COMMENTS]])


def _make_due(session: Session, rest: Sequence[Letter], now: datetime) -> None:
    """Make *rest* due in the next run of their day; the first failure's time and reason stay recorded.

    An enrichment's letter applies to the text with its hash: clearing the hash makes the item pending. An article is
    due by its own row.
    """
    staged = session.stage("ops.dead_letters", [{"stage": letter.stage, "key": letter.key} for letter in rest])
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

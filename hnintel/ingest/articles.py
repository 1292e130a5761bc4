"""Articles of a day: which are still to be read, reading them, and keeping what was read."""

from __future__ import annotations

import asyncio
import logging
import random
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from hnintel.hashes import hash_of_text
from hnintel.http.urls import domain
from hnintel.ledger import dead_letters
from hnintel.ledger.stage_names import ARTICLES
from hnintel.models import Article, ArticleStatus
from hnintel.settings import Settings
from hnintel.warehouse.base import Session, Staged
from hnintel.warehouse.statements import statement
from hnintel.web import extract, media, walls
from hnintel.web.extract import Extracted
from hnintel.web.extraction_pool import ExtractionFailed, ExtractionPool, shared_pool
from hnintel.web.fetcher import Fetcher
from hnintel.web.outcomes import Fetched

#: Of the dead letters.
#: Each further wait of an article that failed is so many times as long, give or take a quarter.
_LONGER = 3.0
#: The longest wait, also where a site asks for more.
_LONGEST_WAIT = timedelta(days=7)

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Wanted:
    """An article that is to be read, how often that was tried before, and by what a site knows the last reading."""

    canonical_url: str
    url: str
    attempts: int = 0
    etag: str | None = None
    last_modified: str | None = None


class ArticleReading(Article):
    """One reading of an article: its row, with the validators of the answer.

    ``unchanged`` where the site said that what we have still stands; then there is no text in it.
    """

    etag: str | None = None
    last_modified: str | None = None
    unchanged: bool = False


def pending_articles(
    session: Session, day: date, now: datetime, have_pages: bool, refresh_days: int = 0
) -> list[Wanted]:
    """The articles of *day* that are to be read; one each, however many stories name it.

    Those never read, those due again, and those posted again *refresh_days* after they were read (0: none of these).
    Without pages only those never seen are given, so that they can be marked as such.
    """
    sql = statement("ingest/pending_articles", have_pages=have_pages, refresh_days=refresh_days)
    return [Wanted(**row) for row in session.rows(sql, [day] + ([now] if have_pages else []))]


def chunks_by_host(wanted: Iterable[Wanted], size: int) -> list[list[Wanted]]:
    """Chunks of at most *size*, evenly filled; the articles of one host are in one, so that it can be polite to it.

    Only a host with more articles than *size* has a larger chunk, all its own. The largest come first: at a set pace
    a host, they take the longest.
    """
    hosts: dict[str, list[Wanted]] = defaultdict(list)
    for one in wanted:
        hosts[domain(one.url) or ""].append(one)
    groups = sorted(hosts.values(), key=len, reverse=True)
    chunks = [group for group in groups if len(group) >= size]
    rest = groups[len(chunks) :]
    places: list[list[Wanted]] = [[] for _ in range(-(-sum(map(len, rest)) // size))]
    for group in rest:  # the largest first, each where there is most room: the greedy way to even shares
        place = min(places, key=len)
        if len(place) + len(group) > size:
            places.append(place := [])
        place.extend(group)
    return chunks + places


async def read_articles(
    fetcher: Fetcher,
    wanted: Sequence[Wanted],
    settings: Settings,
    now: datetime,
    pool: ExtractionPool | None = None,
) -> list[ArticleReading]:
    """Fetch and extract each; every one comes back with a status, in order.

    A page in hand counts until its text is out, so that pages do not pile up before the processes that read them.
    """
    pool = pool or shared_pool(settings.article_workers, settings.article_extract_timeout)
    gate = asyncio.Semaphore(settings.article_concurrency)
    read: list[ArticleReading | None] = [None] * len(wanted)
    hosts: dict[str, list[int]] = defaultdict(list)
    for place, item in enumerate(wanted):
        hosts[domain(item.url) or ""].append(place)

    async def lane(places: list[int]) -> None:
        while places:
            place = places.pop(0)
            async with gate:
                read[place] = await _read(wanted[place], fetcher, pool, settings, now)

    # As many lanes a host as it takes requests at once: more would wait for their turn with the gate in hand.
    lanes = [lane(places) for places in hosts.values() for _ in range(min(settings.article_per_host, len(places)))]
    await asyncio.gather(*lanes)
    return [article for article in read if article is not None]


def without_pages(wanted: Iterable[Wanted]) -> list[ArticleReading]:
    """What is noted of articles whose source has no pages: not an error, and nothing to try again."""
    return [
        ArticleReading(canonical_url=one.canonical_url, url=one.url, status="no_pages", attempts=one.attempts)
        for one in wanted
    ]


def load_articles(session: Session, articles: Sequence[Article], day: date, run_id: str, now: datetime) -> None:
    """Keep what was read, inside the caller's transaction; text that is there is never replaced by less.

    A reading that is shorter than the text we have, or has none, leaves it as it is, notes when that was, and is no
    failure: there is an article.
    """
    readings = {one.canonical_url: one for one in sorted(articles, key=lambda one: len(one.text or ""))}
    stamp = {"run_id": run_id, "fetched_at": now}
    staged = session.stage("raw.articles", [_row(article) | stamp for article in readings.values()])
    if not staged.rows:
        return
    have_text = _with_text(session, staged)
    failed = {
        (ARTICLES, url): article.reason or article.status
        for url, article in readings.items()
        if article.status in ("retry_at", "gave_up") and url not in have_text
    }
    taken = [(ARTICLES, url) for url in readings if (ARTICLES, url) not in failed]
    letters = dead_letters.stage_letters(session, day, failed, taken, run_id, now)

    session.merge(statement("ingest/merge_articles", staged=staged))
    dead_letters.settle_letters(session, letters)


def _with_text(session: Session, staged: Staged) -> set[str]:
    """Which of the articles that were read we have a text of."""
    rows = session.execute(
        "SELECT canonical_url FROM raw.articles "
        f"WHERE text IS NOT NULL AND canonical_url IN (SELECT canonical_url FROM {staged.name})"
    )
    return {str(url) for (url,) in rows}


def _row(article: Article) -> dict[str, object]:
    return {"etag": None, "last_modified": None} | article.model_dump(exclude={"unchanged"})


def count_by_status(session: Session, day: date) -> dict[str, int]:
    """How many articles of *day* are in each status, each counted once."""
    rows = session.execute(
        "SELECT status, count(*) FROM raw.articles WHERE canonical_url IN "
        "(SELECT canonical_url FROM raw.items WHERE day = ? AND status = 'ok') GROUP BY status ORDER BY status",
        [day],
    )
    return {str(status): int(count) for status, count in rows}


async def _read(
    item: Wanted, fetcher: Fetcher, pool: ExtractionPool, settings: Settings, now: datetime
) -> ArticleReading:
    """One article, whatever happens: a fault of ours with one page must not take the other pages with it."""
    try:
        fetched = await fetcher.fetch(item.url, item.etag, item.last_modified)
        try:
            found = await _extracted(fetched, pool)
        except ExtractionFailed as error:
            found = Extracted(None)
            fetched = Fetched("failed", str(error), fetched.http_status, url=fetched.url)
    except Exception as error:
        _log.warning("an article could not be read: %s", type(error).__name__, exc_info=True)
        fetched, found = Fetched("failed", f"a fault of ours: {type(error).__name__}", url=item.url), Extracted(None)
    return _article(item, fetched, found, settings, now)


async def _extracted(fetched: Fetched, pool: ExtractionPool) -> Extracted:
    if fetched.body is None:
        return Extracted(None)
    if fetched.content_type in media.PLAIN:
        return extract.plain(await asyncio.to_thread(media.to_text, fetched.body, fetched.header))
    return await pool.article(fetched.body, fetched.url, fetched.header)


def _article(item: Wanted, fetched: Fetched, found: Extracted, settings: Settings, now: datetime) -> ArticleReading:
    text = found.text[: settings.article_max_chars] if found.text else None
    attempts = item.attempts + fetched.tried
    status, reason = _status(fetched, found, attempts, settings)
    return ArticleReading(
        canonical_url=item.canonical_url,
        url=item.url,
        status=status,
        reason=reason,
        http_status=fetched.http_status,
        content_type=fetched.content_type,
        title=found.title,
        author=found.author,
        published_on=found.published_on,
        language=found.language,
        text=text,
        text_hash=hash_of_text(text) if text else None,
        attempts=attempts,
        retry_at=_next_try(attempts, fetched.retry_after, settings, now) if status == "retry_at" else None,
        etag=fetched.etag,
        last_modified=fetched.last_modified,
        unchanged=fetched.outcome == "unchanged",
    )


def _status(fetched: Fetched, found: Extracted, attempts: int, settings: Settings) -> tuple[ArticleStatus, str | None]:
    """The status of a reading and its reason; of a wall, its kind."""
    is_last = fetched.tried and attempts >= settings.article_attempts
    if fetched.outcome == "unchanged":
        return "ok", None
    if fetched.outcome == "ok" and found.wall:
        return ("retry_at" if found.wall in walls.PASSING and not is_last else "walled"), found.wall
    if fetched.outcome == "ok":
        return ("ok", None) if found.text else ("empty", fetched.reason or "no article was found in the page")
    if fetched.outcome == "failed":
        return ("gave_up" if is_last else "retry_at"), fetched.reason
    return fetched.outcome, fetched.reason


def _next_try(attempts: int, retry_after: float | None, settings: Settings, now: datetime) -> datetime:
    """Exponential backoff with jitter, so that what failed together does not come back together.

    A site's own wish is kept to if it is longer; neither is waited for longer than a week.
    """
    jitter = random.uniform(0.75, 1.25)  # noqa: S311 - no secret hangs on it
    wait = timedelta(hours=settings.article_retry_hours * _LONGER ** max(0, attempts - 1) * jitter)
    asked = timedelta(seconds=min(retry_after or 0.0, _LONGEST_WAIT.total_seconds()))
    then = now + min(max(wait, asked), _LONGEST_WAIT)
    return then.astimezone(UTC).replace(tzinfo=None) if then.tzinfo else then

"""Articles of a day: selects those to read, reads them, and stores the readings."""

from __future__ import annotations

import asyncio
import logging
import random
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from hnintel.hashes import hash_of_text
from hnintel.http.urls import canonical_url, domain
from hnintel.ingest import article_keys
from hnintel.ledger import dead_letters
from hnintel.ledger.stage_names import ARTICLES
from hnintel.models import Article, ArticleStatus
from hnintel.settings import Settings
from hnintel.warehouse.base import Session
from hnintel.warehouse.statements import statement
from hnintel.web import extract, media, pdf, walls
from hnintel.web.extract import Extracted
from hnintel.web.extraction_pool import ExtractionFailed, ExtractionPool, shared_pool
from hnintel.web.fetcher import Fetcher
from hnintel.web.outcomes import Fetched

#: Factor by which each further wait of a failed article grows, with a jitter of a quarter.
_LONGER = 3.0
#: The longest wait, even if a site asks for more.
_LONGEST_WAIT = timedelta(days=7)
#: Characters of the longest address that a page is believed to declare.
_LONGEST_URL = 2_000

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Wanted:
    """An article to read, its attempts so far, and the HTTP validators of its last reading."""

    canonical_url: str
    url: str
    attempts: int = 0
    etag: str | None = None
    last_modified: str | None = None


class ArticleReading(Article):
    """One reading of an article: its row, with the validators of the HTTP answer.

    ``unchanged`` if the site answered that the stored text is still valid; the reading then has no text. ``moved_to``
    is the URL that permanent redirects led to.
    """

    etag: str | None = None
    last_modified: str | None = None
    unchanged: bool = False
    moved_to: str | None = None


def pending_articles(
    session: Session, day: date, now: datetime, have_pages: bool, refresh_days: int = 0
) -> list[Wanted]:
    """The articles of *day* to read, each once however many stories name it.

    These are articles never read, due again, or posted again *refresh_days* after they were read (0: never). Without
    pages only articles never seen are returned, to be marked ``no_pages``.
    """
    sql = statement("ingest/pending_articles", have_pages=have_pages, refresh_days=refresh_days)
    return [Wanted(**row) for row in session.rows(sql, [day] + ([now] if have_pages else []))]


def chunks_by_host(wanted: Iterable[Wanted], size: int) -> list[list[Wanted]]:
    """Evenly filled chunks of at most *size* articles; a host's articles share a chunk, so that its limits hold.

    A host with more articles than *size* gets a larger chunk of its own. The largest chunks come first: the pace per
    host is fixed, so they take the longest.
    """
    hosts: dict[str, list[Wanted]] = defaultdict(list)
    for article in wanted:
        hosts[domain(article.url) or ""].append(article)
    groups = sorted(hosts.values(), key=len, reverse=True)
    chunks = [group for group in groups if len(group) >= size]
    rest = groups[len(chunks) :]
    shares: list[list[Wanted]] = [[] for _ in range(-(-sum(map(len, rest)) // size))]
    for group in rest:  # greedy balancing: largest group first, into the emptiest share
        share = min(shares, key=len)
        if len(share) + len(group) > size:
            shares.append(share := [])
        share.extend(group)
    return chunks + shares


async def read_articles(
    fetcher: Fetcher,
    wanted: Sequence[Wanted],
    settings: Settings,
    now: datetime,
    pool: ExtractionPool | None = None,
) -> list[ArticleReading]:
    """Fetch and extract each article; returns one reading each, in order.

    A page counts towards the concurrency until it is extracted, so that pages do not queue up in memory.
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

    # One lane for each concurrent request to a host: more lanes would hold the gate while they wait for the host.
    lanes = [lane(places) for places in hosts.values() for _ in range(min(settings.article_per_host, len(places)))]
    await asyncio.gather(*lanes)
    return [article for article in read if article is not None]


def without_pages(wanted: Iterable[Wanted]) -> list[ArticleReading]:
    """Readings with status ``no_pages`` for articles whose source has no pages; not an error, never retried."""
    return [
        ArticleReading(
            canonical_url=article.canonical_url, url=article.url, status="no_pages", attempts=article.attempts
        )
        for article in wanted
    ]


def load_articles(session: Session, articles: Sequence[Article], day: date, run_id: str, now: datetime) -> None:
    """Store the readings inside the caller's transaction; a stored text is never replaced by a shorter one.

    A reading with a shorter text, or without text, updates only the time of reading and is not a failure, because the
    article has a text.
    """
    merged = article_keys.merged_keys(session, [_reading(article) for article in articles if article.text])
    readings = _by_key(articles, merged, _texts_of(session, sorted(set(merged.values()))))
    stamp = {"run_id": run_id, "fetched_at": now}
    keys = article_keys.stage_keys(session, merged, run_id, now)
    staged = session.stage("raw.articles", [_row(article) | stamp for article in readings.values()])
    if not readings and not merged:
        return
    have_text = _texts_of(session, list(readings))
    failed = {
        (ARTICLES, url): article.reason or article.status
        for url, article in readings.items()
        if article.status in ("retry_at", "gave_up") and url not in have_text
    }
    settled = [(ARTICLES, url) for url in [*readings, *merged] if (ARTICLES, url) not in failed]
    letters = dead_letters.stage_letters(session, day, failed, settled, run_id, now)

    if staged.rows:
        session.merge(statement("ingest/merge_articles", staged=staged))
    article_keys.settle_keys(session, keys)
    dead_letters.settle_letters(session, letters)


def _reading(article: Article) -> article_keys.Reading:
    moved_to = canonical_url(article.moved_to) if isinstance(article, ArticleReading) else None
    return article_keys.Reading(article.canonical_url, article.text or "", moved_to, article.declared_url)


def _by_key(articles: Sequence[Article], merged: Mapping[str, str], stored: set[str]) -> dict[str, Article]:
    """The best reading of each key, its own before that of an article that gave up another key for it.

    Args:
        articles: the readings.
        merged: the keys that are given up, with those they are given up for.
        stored: of the latter, those with a stored text, which no reading of another address replaces.
    """

    def rank(article: Article) -> tuple[bool, bool, int]:
        return article.text is not None, article.canonical_url not in merged, len(article.text or "")

    read: dict[str, Article] = {}
    for article in sorted(articles, key=rank):
        key = merged.get(article.canonical_url, article.canonical_url)
        if key == article.canonical_url:
            read[key] = article
        elif key not in stored:
            read[key] = article.model_copy(update={"canonical_url": key})
    return read


def _declared(url: str | None) -> str | None:
    key = canonical_url(url)
    return key if key and len(key) <= _LONGEST_URL else None


def _texts_of(session: Session, urls: Sequence[str]) -> set[str]:
    """Those of *urls* for which a text is stored."""
    if not urls:
        return set()
    marks = ", ".join("?" for _ in urls)
    sql = f"SELECT canonical_url FROM raw.articles WHERE text IS NOT NULL AND canonical_url IN ({marks})"
    return {str(url) for (url,) in session.execute(sql, urls)}


def _row(article: Article) -> dict[str, object]:
    return {"etag": None, "last_modified": None} | article.model_dump(exclude={"unchanged", "moved_to"})


def count_by_status(session: Session, day: date) -> dict[str, int]:
    """The number of distinct articles of *day* by status."""
    rows = session.execute(
        "SELECT status, count(*) FROM raw.articles WHERE canonical_url IN "
        "(SELECT canonical_url FROM raw.items WHERE day = ? AND status = 'ok') GROUP BY status ORDER BY status",
        [day],
    )
    return {str(status): int(count) for status, count in rows}


async def _read(
    item: Wanted, fetcher: Fetcher, pool: ExtractionPool, settings: Settings, now: datetime
) -> ArticleReading:
    """Read one article; never raises, so that a bug met on one page does not lose the other pages."""
    try:
        fetched = await fetcher.fetch(item.url, item.etag, item.last_modified)
        try:
            extracted = await _extracted(fetched, pool)
        except ExtractionFailed as error:
            extracted = Extracted(None)
            fetched = Fetched("failed", str(error), fetched.http_status, url=fetched.url)
    except Exception as error:
        _log.warning("an article could not be read: %s", type(error).__name__, exc_info=True)
        fetched, extracted = (
            Fetched("failed", f"a fault of ours: {type(error).__name__}", url=item.url),
            Extracted(None),
        )
    return _article(item, fetched, extracted, settings, now)


async def _extracted(fetched: Fetched, pool: ExtractionPool) -> Extracted:
    if fetched.body is None:
        return Extracted(None)
    if fetched.content_type in media.PLAIN:
        return extract.plain(await asyncio.to_thread(media.to_text, fetched.body, fetched.header))
    return await pool.article(fetched.body, fetched.url, fetched.header)


def _article(item: Wanted, fetched: Fetched, extracted: Extracted, settings: Settings, now: datetime) -> ArticleReading:
    text = extracted.text[: settings.article_max_chars] if extracted.text else None
    attempts = item.attempts + fetched.tried
    status, reason = _status(fetched, extracted, attempts, settings)
    return ArticleReading(
        canonical_url=item.canonical_url,
        url=item.url,
        status=status,
        reason=reason,
        http_status=fetched.http_status,
        content_type=fetched.content_type,
        title=extracted.title,
        author=extracted.author,
        published_on=extracted.published_on,
        language=extracted.language,
        text=text,
        text_hash=hash_of_text(text) if text else None,
        attempts=attempts,
        retry_at=_next_try(attempts, fetched.retry_after, settings, now) if status == "retry_at" else None,
        etag=fetched.etag,
        last_modified=fetched.last_modified,
        description=extracted.description,
        site_name=extracted.site_name,
        declared_url=_declared(extracted.declared_url),
        unchanged=fetched.outcome == "unchanged",
        moved_to=fetched.url if fetched.moved else None,
    )


def _status(
    fetched: Fetched, extracted: Extracted, attempts: int, settings: Settings
) -> tuple[ArticleStatus, str | None]:
    """The status of a reading and its reason; of a wall, its kind."""
    is_last = fetched.tried and attempts >= settings.article_attempts
    if fetched.outcome == "unchanged":
        return "ok", None
    if fetched.outcome == "ok" and extracted.wall:
        return ("retry_at" if extracted.wall in walls.PASSING and not is_last else "walled"), extracted.wall
    if fetched.outcome == "ok" and extracted.fault:
        return ("empty" if extracted.fault == pdf.NO_TEXT else "wrong_type"), extracted.fault
    if fetched.outcome == "ok":
        return ("ok", None) if extracted.text else ("empty", fetched.reason or "no article was found in the page")
    if fetched.outcome == "failed":
        return ("gave_up" if is_last else "retry_at"), fetched.reason
    return fetched.outcome, fetched.reason


def _next_try(attempts: int, retry_after: float | None, settings: Settings, now: datetime) -> datetime:
    """When to retry: exponential backoff with jitter, so that articles that failed together are spread out.

    A longer ``Retry-After`` of the site wins; neither wait exceeds a week.
    """
    jitter = random.uniform(0.75, 1.25)  # noqa: S311 - not used for security
    wait = timedelta(hours=settings.article_retry_hours * _LONGER ** max(0, attempts - 1) * jitter)
    site_wait = timedelta(seconds=min(retry_after or 0.0, _LONGEST_WAIT.total_seconds()))
    retry_at = now + min(max(wait, site_wait), _LONGEST_WAIT)
    return retry_at.astimezone(UTC).replace(tzinfo=None) if retry_at.tzinfo else retry_at

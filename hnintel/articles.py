"""Articles of a day: which are still to be read, reading them, and keeping what was read."""

from __future__ import annotations

import asyncio
import hashlib
import random
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from hnintel import extract, ledger
from hnintel.fetch import Fetched, Fetcher
from hnintel.models import Article, ArticleStatus
from hnintel.settings import Settings
from hnintel.urls import domain
from hnintel.warehouse.base import Session
from hnintel.warehouse.statements import merge_rows, statement

#: The first wait of an article that failed; each further one is twice as long, give or take a quarter.
_FIRST_WAIT = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Wanted:
    """An article that is to be read, and how often that was tried before."""

    canonical_url: str
    url: str
    attempts: int = 0


def pending_articles(session: Session, day: date, now: datetime, have_pages: bool) -> list[Wanted]:
    """The articles of *day* that were never read, or are due again; one each, however many stories name it.

    Without pages only those never seen are given, so that they can be marked as such.
    """
    rows = session.rows(statement("pending_articles", have_pages=have_pages), [day] + ([now] if have_pages else []))
    return [Wanted(row["canonical_url"], row["url"], row["attempts"]) for row in rows]


def chunks_by_host(wanted: Iterable[Wanted], size: int) -> list[list[Wanted]]:
    """Chunks of about *size*; the articles of one host are in one chunk, so that one place can be polite to it."""
    hosts: dict[str, list[Wanted]] = defaultdict(list)
    for one in wanted:
        hosts[domain(one.url) or ""].append(one)
    chunks: list[list[Wanted]] = []
    for group in hosts.values():
        if not chunks or len(chunks[-1]) + len(group) > size:
            chunks.append([])
        chunks[-1].extend(group)
    return chunks


async def read_articles(fetcher: Fetcher, wanted: Sequence[Wanted], settings: Settings, now: datetime) -> list[Article]:
    """Fetch and extract each; every one comes back with a status, in order."""
    gate = asyncio.Semaphore(settings.article_concurrency)

    async def one(item: Wanted) -> Article:
        async with gate:
            fetched = await fetcher.fetch(item.url)
        return await asyncio.to_thread(_article, item, fetched, settings, now)

    return list(await asyncio.gather(*(one(item) for item in wanted)))


def without_pages(wanted: Iterable[Wanted]) -> list[Article]:
    """What is noted of articles whose source has no pages: not an error, and nothing to try again."""
    return [
        Article(canonical_url=one.canonical_url, url=one.url, status="no_pages", attempts=one.attempts)
        for one in wanted
    ]


def load_articles(session: Session, articles: Sequence[Article], day: date, run_id: str, now: datetime) -> None:
    """Keep what was read, inside the caller's transaction; text that is there is never replaced by less."""
    rows = [{**article.model_dump(), "run_id": run_id, "fetched_at": now} for article in articles]
    merge_rows(session, "raw.articles", rows, keys=("canonical_url",), keep_existing="status = 'ok'")
    failed = [
        (article.canonical_url, article.reason or article.status)
        for article in articles
        if article.status in ("retry_at", "gave_up")
    ]
    ledger.bury(session, "articles", day, failed, run_id, now)
    ended = [article.canonical_url for article in articles if article.status not in ("retry_at", "gave_up")]
    ledger.forgive(session, "articles", ended)


def count_by_status(session: Session, day: date) -> dict[str, int]:
    """How many articles of *day* are in each status, each counted once."""
    rows = session.execute(
        "SELECT status, count(*) FROM raw.articles WHERE canonical_url IN "
        "(SELECT canonical_url FROM raw.items WHERE day = ? AND status = 'ok') GROUP BY status ORDER BY status",
        [day],
    )
    return {str(status): int(count) for status, count in rows}


def _article(item: Wanted, fetched: Fetched, settings: Settings, now: datetime) -> Article:
    found = extract.article(fetched.html, fetched.url) if fetched.html is not None else extract.Extracted(None)
    status: ArticleStatus
    if fetched.outcome == "ok":
        status = "ok" if found.text else "empty"
    elif fetched.outcome == "failed":
        status = "gave_up" if item.attempts + 1 >= settings.article_attempts else "retry_at"
    else:
        status = fetched.outcome
    text = found.text[: settings.article_max_chars] if found.text else None
    return Article(
        canonical_url=item.canonical_url,
        url=item.url,
        status=status,
        reason=fetched.reason if status != "empty" else "no article was found in the page",
        http_status=fetched.http_status,
        content_type=fetched.content_type,
        title=found.title,
        author=found.author,
        published_on=found.published_on,
        language=found.language,
        text=text,
        text_hash=hashlib.md5(text.encode(), usedforsecurity=False).hexdigest() if text else None,
        attempts=item.attempts + 1,
        retry_at=_next_try(item.attempts, now) if status == "retry_at" else None,
    )


def _next_try(attempts: int, now: datetime) -> datetime:
    """Exponential backoff with jitter, so that what failed together does not come back together."""
    wait = _FIRST_WAIT * 2**attempts * random.uniform(0.75, 1.25)  # noqa: S311 - no secret hangs on it
    return (now + wait).astimezone(UTC).replace(tzinfo=None) if now.tzinfo else now + wait

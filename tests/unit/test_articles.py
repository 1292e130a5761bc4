"""Articles of a day: in which chunks, how each reading ends, what is tried again when, and what is kept."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hnintel.ingest.articles import (
    ArticleReading,
    Wanted,
    chunks_by_host,
    count_by_status,
    load_articles,
    pending_articles,
    read_articles,
    without_pages,
)
from hnintel.ledger import dead_letters
from hnintel.models import ARTICLE_STATUSES, Article, Item
from hnintel.settings import Settings
from hnintel.warehouse import open_warehouse
from hnintel.warehouse.base import Warehouse
from hnintel.warehouse.statements import merge_rows
from hnintel.web.extraction_pool import ExtractionFailed, ExtractionPool, ExtractionTimeout
from hnintel.web.fetcher import Fetcher
from hnintel.web.host_limits import HostTurns
from tests.security.loopback import Site, answer, fetcher, moved, page, patient

DAY = date(2026, 10, 20)
NOW = datetime(2026, 10, 21, 2, 0)
URL = "http://a.example/"


def wanted(*urls: str, attempts: int = 0) -> list[Wanted]:
    return [Wanted(url, url, attempts) for url in urls]


# Chunks


@given(st.lists(st.integers(0, 12), max_size=120), st.integers(1, 20))
def test_chunks_hold_everything_once_with_each_host_in_one_and_stay_in_size(hosts: list[int], size: int) -> None:
    all_of_them = wanted(*(f"http://h{host}.example/{number}" for number, host in enumerate(hosts)))
    chunks = chunks_by_host(all_of_them, size)
    assert Counter(one for chunk in chunks for one in chunk) == Counter(all_of_them)
    for host in set(hosts):
        holding = [chunk for chunk in chunks if any(f"//h{host}." in one.url for one in chunk)]
        assert len(holding) == 1
        assert len(holding[0]) <= size or all(f"//h{host}." in one.url for one in holding[0])
    assert all(chunks)


def test_chunks_are_evenly_filled_and_the_largest_comes_first() -> None:
    crowd = [f"http://git.example/{number}" for number in range(120)]
    rest = [f"http://h{number}.example/" for number in range(130)]
    assert [len(chunk) for chunk in chunks_by_host(wanted(*rest, *crowd), 50)] == [120, 44, 43, 43]


def test_www_is_the_same_host() -> None:
    assert len(chunks_by_host(wanted("http://www.a.example/1", "http://a.example/2"), 1)) == 1


# Reading


@pytest.fixture(scope="module")
def pool() -> Iterator[ExtractionPool]:
    made = ExtractionPool(1, 10.0)
    yield made
    made.close()


async def read(pool: ExtractionPool, told: object, settings: Settings | None = None, **more: Any) -> ArticleReading:
    """How reading one article ends where its site answers *told*."""
    settings = settings or patient()
    one = Wanted(URL, URL, **more)
    async with Site({"a.example/": told}) as site, fetcher(site, settings) as web:  # type: ignore[dict-item]
        (article,) = await read_articles(web, [one], settings, NOW, pool)
    assert isinstance(article, ArticleReading)
    return article


@pytest.mark.parametrize(
    ("told", "status"),
    [
        (answer(page()), "ok"),
        (answer("Plain words.", content_type="text/plain"), "ok"),
        (answer("<html><body></body></html>"), "empty"),
        (answer(""), "empty"),
        (answer(status=404), "gone"),
        (answer(status=403), "refused"),
        (answer("x" * 6_000_000), "too_large"),
        (answer(b"%PDF-1.7", content_type="application/pdf"), "wrong_type"),
        (answer(status=503), "retry_at"),
        (b"", "retry_at"),
    ],
)
async def test_every_reading_ends_in_one_of_a_few_statuses(pool: ExtractionPool, told: bytes, status: str) -> None:
    article = await read(pool, told)
    assert article.status == status
    assert status in ARTICLE_STATUSES
    assert (article.text is not None) == (status == "ok") == (article.reason is None)
    assert (article.retry_at is not None) == (status == "retry_at")
    assert article.attempts == 1


LOGIN = "<title>Log in</title><p>You must log in to continue.</p><form><input type='password'></form>"
CHALLENGE = "<title>Just a moment...</title><p>Verifying you are human. This may take a few seconds.</p>"


async def test_a_page_sent_in_place_of_an_article_is_walled_and_its_text_is_not_kept(pool: ExtractionPool) -> None:
    article = await read(pool, answer(LOGIN))
    assert (article.status, article.reason, article.text) == ("walled", "login", None)


async def test_a_wall_that_may_pass_is_tried_again_until_it_was_tried_often_enough(pool: ExtractionPool) -> None:
    first = await read(pool, answer(CHALLENGE))
    assert (first.status, first.reason, first.retry_at is not None) == ("retry_at", "challenge", True)
    last = await read(pool, answer(CHALLENGE), patient(article_attempts=1))
    assert (last.status, last.reason, last.retry_at) == ("walled", "challenge", None)


async def test_an_article_has_its_text_title_language_and_hash(pool: ExtractionPool) -> None:
    article = await read(pool, answer(page(), etag='"7"'))
    assert (article.title, article.language, article.etag) == ("A title", "en", '"7"')
    assert article.text is not None
    assert article.text_hash is not None


async def test_an_article_keeps_its_description_and_the_name_of_its_site(
    pool: ExtractionPool, warehouse: Warehouse
) -> None:
    said = '<meta name="description" content="A sentence."><meta property="og:site_name" content="The Site"></head>'
    article = await read(pool, answer(page().replace("</head>", said)))
    assert (article.description, article.site_name) == ("A sentence.", "The Site")
    keep(warehouse, article)
    assert (row(warehouse)["description"], row(warehouse)["site_name"]) == ("A sentence.", "The Site")


@pytest.mark.parametrize(
    ("statuses", "is_moved"), [((), False), ((301,), True), ((308, 301), True), ((302,), False), ((301, 307), False)]
)
async def test_an_article_has_moved_where_every_redirect_to_it_is_permanent(
    pool: ExtractionPool, statuses: tuple[int, ...], is_moved: bool
) -> None:
    last = f"a.example/{len(statuses)}"
    told = {
        f"a.example/{place}": answer(status=status, location=f"http://a.example/{place + 1}")
        for place, status in enumerate(statuses)
    }
    async with Site(told | {last: answer(page())}) as site, fetcher(site) as web:
        (article,) = await read_articles(web, wanted("http://a.example/0"), patient(), NOW, pool)
    assert (article.status, article.moved_to) == ("ok", f"http://{last}" if is_moved else None)


async def test_text_is_kept_up_to_the_set_length(pool: ExtractionPool) -> None:
    assert len((await read(pool, answer(page(3000)), patient(article_max_chars=1000))).text or "") == 1000


class Clock:
    """Time that moves when somebody sleeps."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.now += seconds


def turning(places: int, hops: int) -> dict[str, Any]:
    """A site that wants a day between two requests, and sends each page on *hops* times before it gives it."""
    told: dict[str, Any] = {
        "a.example/robots.txt": answer("User-agent: *\nCrawl-delay: 86400\n", content_type="text/plain")
    }
    for place in range(places):
        for hop in range(hops):
            told[f"a.example/{place}/{hop}"] = moved(f"http://a.example/{place}/{hop + 1}")
        told[f"a.example/{place}/{hops}"] = answer(page())
    return told


@pytest.mark.parametrize("hops", [0, 5])
async def test_a_host_that_wants_long_pauses_holds_a_run_no_longer_than_is_set(pool: ExtractionPool, hops: int) -> None:
    settings, clock = patient(article_host_wait=100), Clock()
    gate = HostTurns(2, 0.0, clock, clock.sleep, settings.article_host_wait)
    each = wanted(*(f"http://a.example/{place}/0" for place in range(10)), attempts=5)
    async with Site(turning(10, hops)) as site, fetcher(site, settings, turns=gate) as web:
        articles = await read_articles(web, each, settings, NOW, pool)
    assert clock.now <= 100
    left = [one for one in articles if one.status != "ok"]
    assert len(left) == (6 if hops == 0 else 10)
    for one in left:
        if one.attempts == 5:  # the site was not asked, so that it is no attempt
            assert (one.status, one.reason) == ("retry_at", "the pauses of its host were longer than a run waits")
            assert one.retry_at is not None
            assert one.retry_at > NOW
        else:  # it was asked, and sent us on: what always does so is given up one day
            assert (one.status, one.attempts) == ("gave_up", 6)
    assert any(one.attempts == 6 for one in left) == (hops > 0)


async def test_spellings_of_one_host_share_its_pauses_and_its_rules() -> None:
    settings, clock = patient(article_host_wait=100), Clock()
    gate = HostTurns(2, 0.0, clock, clock.sleep, settings.article_host_wait)
    hosts = ["a.example", "a.example.", "A.Example", "A.EXAMPLE.", "a.example:80", "a.example.:80"]
    told = turning(1, 0) | {"a.example./0/0": answer(page()), "a.example./robots.txt": answer(page())}
    async with Site(told) as site, fetcher(site, settings, turns=gate) as web:
        outcomes = [(await web.fetch(f"http://{host}/0/0")).outcome for host in hosts]
    assert outcomes == ["ok"] * 4 + ["failed"] * 2
    assert clock.now == 90
    assert [path for path in site.asked if "robots" in path] == ["a.example/robots.txt"]


@pytest.mark.parametrize(("attempts", "least", "most"), [(0, 0.75, 1.25), (1, 2.25, 3.75), (3, 20.25, 33.75)])
async def test_waits_grow_threefold_give_or_take_a_quarter(
    pool: ExtractionPool, attempts: int, least: float, most: float
) -> None:
    article = await read(pool, answer(status=500), attempts=attempts)
    assert article.retry_at is not None
    assert timedelta(hours=least) <= article.retry_at - NOW <= timedelta(hours=most)
    assert article.attempts == attempts + 1


async def test_what_fails_together_does_not_come_back_together(pool: ExtractionPool) -> None:
    async with Site({f"h{n}.example/": answer(status=500) for n in range(10)}) as site, fetcher(site) as web:
        articles = await read_articles(web, wanted(*(f"http://h{n}.example/" for n in range(10))), patient(), NOW, pool)
    assert len({article.retry_at for article in articles}) == 10


async def test_a_failing_article_is_given_up_after_the_set_number_of_tries_some_days_on(pool: ExtractionPool) -> None:
    settings, waited, attempts = patient(), timedelta(0), 0
    while True:
        article = await read(pool, answer(status=500), settings, attempts=attempts)
        attempts = article.attempts
        if article.status == "gave_up":
            break
        assert article.retry_at is not None
        waited += article.retry_at - NOW
    assert attempts == settings.article_attempts
    assert timedelta(days=3) < waited < timedelta(days=8)


async def test_a_longer_wait_that_the_site_asks_for_is_kept_to_up_to_a_week(pool: ExtractionPool) -> None:
    asked = await read(pool, answer(status=429, retry_after="7200"))
    assert asked.retry_at == NOW + timedelta(hours=2)
    absurd = await read(pool, answer(status=503, retry_after="999999999"))
    assert absurd.retry_at == NOW + timedelta(days=7)


async def test_with_every_article_failing_every_one_still_has_a_status(pool: ExtractionPool) -> None:
    class Broken(httpx.AsyncBaseTransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            raise ZeroDivisionError("a fault of ours")

    async with Fetcher(Broken(), patient(article_robots=False)) as web:
        articles = await read_articles(web, wanted(*(f"{URL}{n}" for n in range(30))), patient(), NOW, pool)
    assert [(one.status, one.reason) for one in articles] == [("retry_at", "a fault of ours: ZeroDivisionError")] * 30


@pytest.mark.parametrize("failure", [ExtractionFailed, ExtractionTimeout])
async def test_a_page_whose_text_cannot_be_taken_out_now_is_tried_again_and_not_called_empty(
    failure: type[ExtractionFailed],
) -> None:
    class Failing(ExtractionPool):
        async def article(self, page: str | bytes, url: str, content_type: str = "") -> Any:
            raise failure("why")

    article = await read(Failing(1, 1.0), answer(page()))
    assert (article.status, article.reason) == ("retry_at", "why")


async def test_articles_come_back_in_the_order_they_were_wanted_in(pool: ExtractionPool) -> None:
    urls = [f"http://{host}.example/{n}" for n in range(5) for host in "abc"]
    async with Site() as site, fetcher(site) as web:
        articles = await read_articles(web, wanted(*urls), patient(), NOW, pool)
    assert [article.canonical_url for article in articles] == urls


async def test_a_host_with_many_articles_does_not_hold_up_the_others(pool: ExtractionPool) -> None:
    release = asyncio.Event()

    async def held(writer: asyncio.StreamWriter) -> None:
        await release.wait()
        writer.write(answer(page()))

    async def last(writer: asyncio.StreamWriter) -> None:
        release.set()  # the crowd is let go only once the host behind it was asked
        writer.write(answer(page()))

    answers: dict[str, Any] = {f"crowd.example/{n}": held for n in range(30)} | {"other.example/": last}
    settings = patient(article_per_host=2, article_concurrency=4, article_robots=False, article_read_timeout=5)
    urls = [f"http://crowd.example/{n}" for n in range(30)] + ["http://other.example/"]
    async with Site(answers) as site, fetcher(site, settings) as web:
        articles = await read_articles(web, wanted(*urls), settings, NOW, pool)
    assert {article.status for article in articles} == {"ok"}


# The ledger


@pytest.fixture
def warehouse(tmp_path: Path) -> Warehouse:
    return open_warehouse(Settings(home=tmp_path))


def post(warehouse: Warehouse, *urls: str, day: date = DAY, posted_at: datetime | None = None) -> None:
    """Stories of *day* that name *urls*."""
    items = [
        Item(id=day.toordinal() * 1000 + n, day=day, status="ok", url=url, canonical_url=url, source="t").row()
        | {"posted_at": posted_at, "run_id": "r", "loaded_at": NOW}
        for n, url in enumerate(urls)
    ]
    with warehouse.transaction(stage="enrich") as session:
        merge_rows(session, session.stage("raw.items", items))


def keep(warehouse: Warehouse, *articles: Article, now: datetime = NOW) -> None:
    with warehouse.transaction(stage="enrich") as session:
        load_articles(session, articles, DAY, "run", now)


def due(warehouse: Warehouse, now: datetime = NOW, day: date = DAY, **more: Any) -> list[str]:
    with warehouse.transaction(stage="enrich") as session:
        return [one.canonical_url for one in pending_articles(session, day, now, **{"have_pages": True} | more)]


def row(warehouse: Warehouse, url: str = URL) -> dict[str, Any]:
    with warehouse.transaction(stage="enrich") as session:
        return session.rows("SELECT * FROM raw.articles WHERE canonical_url = ?", [url])[0]


def dead(warehouse: Warehouse) -> int:
    with warehouse.transaction(stage="enrich") as session:
        return dead_letters.dead_letters_of(session, DAY)


def reading(status: str = "ok", text: str | None = None, **more: Any) -> ArticleReading:
    return ArticleReading(canonical_url=URL, url=URL, status=status, text=text, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize("status", [one for one in ARTICLE_STATUSES if one not in ("retry_at", "no_pages")])
def test_what_has_ended_is_not_wanted_again(warehouse: Warehouse, status: str) -> None:
    post(warehouse, URL)
    assert due(warehouse) == [URL]
    keep(warehouse, reading(status, "text" if status == "ok" else None))
    assert due(warehouse, NOW + timedelta(days=300)) == []


def test_what_failed_is_wanted_again_when_its_time_has_come(warehouse: Warehouse) -> None:
    post(warehouse, URL)
    keep(warehouse, reading("retry_at", retry_at=NOW + timedelta(hours=1), attempts=2))
    assert due(warehouse, NOW + timedelta(minutes=59)) == []
    assert due(warehouse, NOW + timedelta(hours=1)) == [URL]
    with warehouse.transaction(stage="enrich") as session:
        assert pending_articles(session, DAY, NOW + timedelta(hours=1), True)[0].attempts == 2


def test_what_had_no_pages_is_wanted_once_there_are_some(warehouse: Warehouse) -> None:
    post(warehouse, URL)
    with warehouse.transaction(stage="enrich") as session:
        keep_later = without_pages(pending_articles(session, DAY, NOW, have_pages=False))
    keep(warehouse, *keep_later)
    assert due(warehouse, have_pages=False) == []
    assert due(warehouse) == [URL]


def test_an_article_posted_again_long_after_it_was_read_is_asked_for_with_what_the_site_knows_it_by(
    warehouse: Warehouse,
) -> None:
    later = NOW + timedelta(days=40)
    post(warehouse, URL, posted_at=NOW - timedelta(days=1))
    keep(warehouse, reading(text="text", etag='"7"', last_modified="Tue"))
    assert due(warehouse, later, refresh_days=30) == []  # the old day, run again, asks for nothing
    post(warehouse, URL, day=later.date(), posted_at=later)
    with warehouse.transaction(stage="enrich") as session:
        (again,) = pending_articles(session, later.date(), later, True, refresh_days=30)
    assert (again.etag, again.last_modified) == ('"7"', "Tue")
    assert due(warehouse, later, later.date(), refresh_days=0) == []
    keep(warehouse, reading(unchanged=True), now=later + timedelta(hours=1))
    assert row(warehouse)["text"] == "text"
    assert due(warehouse, later, later.date(), refresh_days=30) == []


@pytest.mark.parametrize(
    "worse",
    [
        reading("ok", "shorter"),
        reading("ok", unchanged=True),
        reading("empty", reason="no article"),
        reading("gone", reason="HTTP 404"),
        reading("too_large"),
        reading("retry_at", retry_at=NOW, reason="HTTP 500"),
        reading("gave_up", reason="HTTP 500"),
        reading("no_pages"),
    ],
)
def test_text_is_never_replaced_by_a_worse_reading_which_is_no_failure_either(
    warehouse: Warehouse, worse: ArticleReading
) -> None:
    keep(warehouse, reading("ok", "a longer text", title="Title", etag='"1"'))
    before = row(warehouse)
    keep(warehouse, worse, now=NOW + timedelta(days=1))
    assert row(warehouse) == before | {"fetched_at": NOW + timedelta(days=1)}
    assert dead(warehouse) == 0


def test_a_better_reading_replaces_what_was_there(warehouse: Warehouse) -> None:
    keep(warehouse, reading("retry_at", retry_at=NOW, reason="HTTP 500"))
    assert dead(warehouse) == 1
    keep(warehouse, reading("ok", "a text"))
    keep(warehouse, reading("ok", "a longer text"))
    assert (row(warehouse)["status"], row(warehouse)["text"], dead(warehouse)) == ("ok", "a longer text", 0)


def test_what_failed_is_in_the_dead_letters_until_it_ends(warehouse: Warehouse) -> None:
    keep(warehouse, reading("retry_at", retry_at=NOW, reason="HTTP 500"))
    keep(warehouse, reading("gave_up", reason="HTTP 500"))
    assert dead(warehouse) == 1
    keep(warehouse, reading("gone", reason="HTTP 404"))
    assert dead(warehouse) == 0


def test_loading_nothing_or_the_same_twice_changes_nothing(warehouse: Warehouse) -> None:
    keep(warehouse)
    keep(warehouse, reading("ok", "text"), reading("ok", "text"))
    before = row(warehouse)
    keep(warehouse, reading("ok", "text"))
    assert row(warehouse) == before


def test_plain_articles_are_kept_as_readings_are(warehouse: Warehouse) -> None:
    keep(warehouse, Article(canonical_url=URL, url=URL, status="ok", text="text"))
    assert (row(warehouse)["text"], row(warehouse)["etag"]) == ("text", None)


def test_a_days_articles_are_counted_by_status_each_once(warehouse: Warehouse) -> None:
    post(warehouse, URL, URL, "http://b.example/")
    keep(warehouse, reading("ok", "text"))
    keep(warehouse, reading("gone").model_copy(update={"canonical_url": "http://b.example/"}))
    with warehouse.transaction(stage="enrich") as session:
        assert count_by_status(session, DAY) == {"gone": 1, "ok": 1}


def test_times_with_a_zone_are_kept_as_utc(warehouse: Warehouse) -> None:
    from hnintel.ingest.articles import _next_try

    then = _next_try(1, None, patient(article_retry_hours=0), datetime(2026, 10, 20, 12, tzinfo=UTC))
    assert then == datetime(2026, 10, 20, 12)

"""One article has one key, where what was read supports it, and no page gets the key of another."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hnintel.hashes import hash_of_text
from hnintel.http.urls import canonical_url
from hnintel.http.variants import variant
from hnintel.ingest import article_keys
from hnintel.ingest.article_keys import same_text
from hnintel.ingest.articles import ArticleReading, load_articles, pending_articles
from hnintel.warehouse.base import Warehouse
from tests.warehouse.conftest import ADAPTERS
from tests.warehouse.world import DAY, NOW, fetch, fresh_duckdb, load, story

LATER = DAY + timedelta(days=3)
WORDS = "reef keeper lamp harbour tide brass wheel clerk ship diary port wind rope chart coast signal".split()


def text_of(seed: str, words: int = 120) -> str:
    """A text that no other seed has."""
    chosen = random.Random(seed)
    return " ".join(f"{chosen.choice(WORDS)}{chosen.randrange(1000)}" for _ in range(words))


def nearly(text: str) -> str:
    """*text* with a few other words, as a page has them at another time of day."""
    return " ".join([*text.split()[:-4], "read", "by", "17", "people"])


@dataclass(frozen=True)
class Page:
    """An address as it was posted, and what reading it showed."""

    url: str
    says: str = "same"  # the text: the same as the other's, nearly, or its own
    declares: str | None = None
    moved_to: str | None = None

    def reading(self, name: str) -> ArticleReading:
        key = canonical_url(self.url)
        assert key is not None
        own = text_of(f"{name} {self.url}")
        text = {"same": text_of(name), "nearly": nearly(text_of(name)), "own": own, "notice": "Loading app."}[self.says]
        return ArticleReading(
            canonical_url=key,
            url=self.url,
            status="ok",
            text=text,
            text_hash=hash_of_text(text),
            declared_url=canonical_url(self.declares),
            moved_to=self.moved_to,
        )


P = Page
ONE = {  # pairs of addresses of one article
    "https": (P("http://blog.acme.dev/post"), P("https://blog.acme.dev/post")),
    "slash": (P("https://ada.dev/posts/tides/"), P("https://ada.dev/posts/tides")),
    "www": (P("https://www.ports.org/a"), P("https://ports.org/a")),
    "index.html": (P("https://ports.net/docs/index.html"), P("https://ports.net/docs/")),
    "index.php": (P("https://old.ports.net/index.php"), P("https://old.ports.net/")),
    "ref": (P("https://startup.io/blog/launch?ref=hackernews"), P("https://startup.io/blog/launch")),
    "source": (P("https://mag.com/p/reef?source=friends_link&sk=1"), P("https://mag.com/p/reef?sk=1")),
    "two refs": (P("https://mag.com/p/rope?ref=hn"), P("https://mag.com/p/rope?ref=lobsters")),
    "utm": (P("https://mag.com/p/lamp?utm_social=x"), P("https://mag.com/p/lamp")),
    "lenient tracker": (P("https://shop.de/tee?campaign_id=7&cid=1"), P("https://shop.de/tee")),
    "amp parameter": (P("https://paper.com/2026/reef?amp=1"), P("https://paper.com/2026/reef")),
    "amp at the end": (P("https://paper.com/2026/lamp/amp/"), P("https://paper.com/2026/lamp/")),
    "amp at the beginning": (P("https://cnn.test.com/amp/2026/wind"), P("https://cnn.test.com/2026/wind")),
    "amp.html": (P("https://paper.com/world.amp.html"), P("https://paper.com/world.html")),
    "output type": (P("https://times.co.uk/a/1?outputType=amp"), P("https://times.co.uk/a/1")),
    "mobile": (P("https://m.paper.de/artikel/1"), P("https://www.paper.de/artikel/1")),
    "mobile.": (P("https://mobile.twitch.dev/a"), P("https://twitch.dev/a")),
    "infix": (P("https://en.m.wikipedia.org/wiki/Reef"), P("https://en.wikipedia.org/wiki/Reef")),
    "second level": (P("https://m.bbc.co.uk/news/1"), P("https://www.bbc.co.uk/news/1")),
    "all at once": (P("http://m.ex.org/a/index.html?ref=hn"), P("https://www.ex.org/a")),
    "declared form, other words": (
        P("https://news.org/a?ref=rss", "nearly", declares="https://news.org/a"),
        P("https://news.org/a"),
    ),
    "declared mobile, other words": (
        P("https://m.news.org/b", "nearly", declares="https://news.org/b"),
        P("https://news.org/b"),
    ),
    "both declare": (
        P("http://kde.org/a/?source=x", "nearly", declares="https://kde.org/a/"),
        P("https://kde.org/a", declares="https://kde.org/a/"),
    ),
    "declared elsewhere on the site": (
        P("https://forum.org/t/55", declares="https://forum.org/t/tides/55"),
        P("https://forum.org/t/tides/55", "nearly"),
    ),
    "syndicated": (
        P("https://medium.test.com/@ann/tides-1a2b", declares="https://ann.dev/tides"),
        P("https://ann.dev/tides", "nearly"),
    ),
    "syndicated, read in the other order": (
        P("https://ben.dev/reefs", "nearly"),
        P("https://dev.to.org/ben/reefs-3c", declares="https://ben.dev/reefs"),
    ),
    "amp cache": (
        P("https://paper-com.cdn.ampproject.org/c/s/paper.com/x", declares="https://paper.com/x"),
        P("https://paper.com/x"),
    ),
    "moved": (P("https://old.org/a", moved_to="https://new.org/posts/a"), P("https://new.org/posts/a")),
    "moved, edited since": (P("https://old.org/b", "own", moved_to="https://new.org/b"), P("https://new.org/b")),
    "shortened": (P("https://bit.do/3xYz", moved_to="https://long.org/2026/reef"), P("https://long.org/2026/reef")),
    "moved to https": (P("http://plain.org/a", "own", moved_to="https://plain.org/a"), P("https://plain.org/a")),
    "moved to the first page of the same": (
        P("http://tool.dev/index.html", moved_to="https://tool.dev/"),
        P("https://tool.dev"),
    ),
    "moved with tracking": (
        P("https://t.short.org/9", moved_to="https://a.org/p?utm_source=t"),
        P("https://a.org/p"),
    ),
}
TWO = {  # pairs that nothing supports, or that the texts contradict
    "other texts": (P("https://x.org/a?ref=main", "own"), P("https://x.org/a?ref=dev", "own")),
    "other texts, slash": (P("https://x.org/b/", "own"), P("https://x.org/b", "own")),
    "http is another site": (P("http://x.org/c", "own"), P("https://x.org/c", "own")),
    "www is another site": (P("https://www.x.org/d", "own"), P("https://x.org/d", "own")),
    "ids": (P("https://x.org/item?id=1"), P("https://x.org/item?id=2")),
    "pages": (P("https://x.org/list?page=1"), P("https://x.org/list?page=2")),
    "paths": (P("https://x.org/e"), P("https://x.org/f")),
    "letter case": (P("https://youtu.test.com/AbC"), P("https://youtu.test.com/aBc")),
    "subdomains": (P("https://ann.github.io/a"), P("https://ben.github.io/a")),
    "a user called m": (P("https://m.github.io/a"), P("https://github.io/a")),
    "a user called amp": (P("https://amp.blogspot.com/a"), P("https://blogspot.com/a")),
    "languages": (P("https://de.wiki.org/wiki/Riff"), P("https://en.wiki.org/wiki/Riff")),
    "other hosts with the same text": (P("https://mirror.org/a"), P("https://origin.org/a")),
    "notices": (P("https://app.org/a?source=1", "notice"), P("https://app.org/a?source=2", "notice")),
    "short lists": (P("https://app.org/b?cid=1", "notice"), P("https://app.org/b?cid=2", "notice")),
    "claims another's key": (
        P("https://evil.org/a", "own", declares="https://bank.org/news"),
        P("https://bank.org/news", "own"),
    ),
    "claims another's key, read later": (
        P("https://bank.org/blog", "own"),
        P("https://evil.org/b", "own", declares="https://bank.org/blog"),
    ),
    "claims a neighbour's key": (
        P("https://hub.org/@eve/a", "own", declares="https://hub.org/@ann/a"),
        P("https://hub.org/@ann/a", "own"),
    ),
    "declares the first page": (
        P("https://sloppy.org/a", "own", declares="https://sloppy.org/"),
        P("https://sloppy.org/b", "own", declares="https://sloppy.org/"),
    ),
    "declares what is not there without a parameter": (
        P("https://sloppy.org/item?cid=1", "own", declares="https://sloppy.org/item"),
        P("https://sloppy.org/item?cid=2", "own", declares="https://sloppy.org/item"),
    ),
    "gone to the first page": (
        P("https://dead.org/a", moved_to="https://dead.org/"),
        P("https://dead.org/b", moved_to="https://dead.org/"),
    ),
    "gone to a folder above": (
        P("https://dead.org/blog/2019/a", moved_to="https://dead.org/blog/"),
        P("https://dead.org/blog/2020/b", moved_to="https://dead.org/blog/"),
    ),
    "gone to another's first page": (P("https://bought.org/a", moved_to="https://shop.org/"), P("https://shop.org/")),
    "declares nothing that can be read": (
        P("https://odd.org/a", declares="javascript:alert(1)"),
        P("https://odd.org/b", declares="javascript:alert(1)"),
    ),
    "ports": (P("https://x.org:8443/g"), P("https://x.org/g")),
    "addresses of machines": (P("http://10.0.0.1/a"), P("http://10.0.0.2/a")),
}


def post(warehouse: Warehouse, urls: Sequence[str], day: date = DAY, first: int = 1) -> None:
    items = [story(first + place, url=url, text=None) for place, url in enumerate(urls)]
    load(warehouse, [item.model_copy(update={"day": day}) for item in items])


def keep(warehouse: Warehouse, readings: Sequence[ArticleReading], now: datetime = NOW) -> None:
    with warehouse.transaction(stage="ingest") as session:
        load_articles(session, readings, DAY, "a-run", now)


def keys(warehouse: Warehouse) -> dict[str, str]:
    return dict(fetch(warehouse, "SELECT url, canonical_url FROM raw.items"))


def wrong(warehouse: Warehouse, pairs: dict[str, tuple[Page, Page]], is_one: bool) -> list[str]:
    """Pairs that are not as they should be; each item has an article that is there."""
    found = keys(warehouse)
    there = {row[0] for row in fetch(warehouse, "SELECT canonical_url FROM raw.articles WHERE text IS NOT NULL")}
    assert set(found.values()) == there
    return [name for name, (one, other) in pairs.items() if (found[one.url] == found[other.url]) != is_one]


@pytest.mark.parametrize("order", ["at once", "one after the other", "the other way round"])
@pytest.mark.parametrize("adapter", ADAPTERS)
def test_addresses_of_one_article_have_one_key_and_all_others_their_own(
    tmp_path: Path, adapter: str, order: str
) -> None:
    warehouse = ADAPTERS[adapter](tmp_path)
    pairs = ONE | TWO
    post(warehouse, [page.url for pair in pairs.values() for page in pair])
    first = [one.reading(name) for name, (one, _) in pairs.items()]
    second = [other.reading(name) for name, (_, other) in pairs.items()]
    batches = {
        "at once": [first + second],
        "one after the other": [first, second],
        "the other way round": [second, first],
    }
    for batch in batches[order]:
        keep(warehouse, batch)
    assert (wrong(warehouse, ONE, True), wrong(warehouse, TWO, False)) == ([], [])
    keep(warehouse, first + second)
    assert (wrong(warehouse, ONE, True), wrong(warehouse, TWO, False)) == ([], [])


def test_the_pairs_are_many_both_ways() -> None:
    assert len(ONE) >= 30
    assert len(TWO) >= 20


@pytest.fixture
def warehouse(tmp_path: Path) -> Warehouse:
    return fresh_duckdb(tmp_path)


def test_a_page_that_declares_an_article_with_the_same_text_does_not_become_its_key(warehouse: Warehouse) -> None:
    copy, origin = P("https://evil.org/a", declares="https://bank.org/news"), P("https://bank.org/news")
    post(warehouse, [copy.url, origin.url])
    keep(warehouse, [copy.reading("news")])
    keep(warehouse, [origin.reading("news")])
    assert keys(warehouse) == {copy.url: origin.url, origin.url: origin.url}


def test_a_page_whose_text_is_another_than_that_of_the_address_it_declares_keeps_its_own(warehouse: Warehouse) -> None:
    page, other = P("https://live.org/a?ref=x", "own", declares="https://live.org/a"), P("https://live.org/a")
    post(warehouse, [page.url, other.url])
    keep(warehouse, [other.reading("live")])
    keep(warehouse, [page.reading("live")])
    assert keys(warehouse) == {page.url: page.url, other.url: other.url}


def test_a_text_that_many_addresses_show_is_looked_for_among_few_of_them(warehouse: Warehouse) -> None:
    frames = [P(f"https://site{number}.org/a", "nearly") for number in range(60)]
    post(warehouse, [page.url for page in frames])
    keep(warehouse, [page.reading("frame") for page in frames])
    page = P("https://more.org/a", "nearly").reading("frame")
    with warehouse.transaction(stage="ingest") as session:
        found = article_keys._similar(session, [article_keys.Reading(page.canonical_url, page.text or "")])
    assert len(found) == 20
    assert set(keys(warehouse).values()) == {page.url for page in frames}


def test_a_later_story_with_another_address_of_an_article_is_joined_to_it_and_reads_nothing(
    warehouse: Warehouse,
) -> None:
    one, other = P("http://ports.org/a?ref=hn", declares="https://ports.org/a"), P("https://ports.org/a")
    post(warehouse, [one.url])
    keep(warehouse, [one.reading("reef")])
    assert keys(warehouse) == {one.url: other.url}
    post(warehouse, [one.url, other.url], LATER, first=10)
    post(warehouse, [one.url])  # read again, with a new score or not: it stays joined
    load(warehouse, [story(1, url=one.url, text=None, score=999)])
    assert set(keys(warehouse).values()) == {other.url}
    with warehouse.transaction(stage="ingest") as session:
        assert pending_articles(session, LATER, NOW, have_pages=True) == []


def test_a_stored_article_keeps_its_text_when_another_address_of_it_is_read(warehouse: Warehouse) -> None:
    one, other = P("https://ports.org/a"), P("https://ports.org/a?ref=hn", "nearly", declares="https://ports.org/a")
    post(warehouse, [one.url, other.url])
    keep(warehouse, [one.reading("reef")])
    keep(warehouse, [other.reading("reef").model_copy(update={"text": text_of("reef") + " and more" * 6})])
    assert fetch(warehouse, "SELECT canonical_url, text FROM raw.articles") == [(one.url, text_of("reef"))]


def test_what_could_not_be_read_gives_way_to_another_address_of_it_that_could(warehouse: Warehouse) -> None:
    one, other = P("https://ports.org/a"), P("http://ports.org/a", moved_to="https://ports.org/a")
    post(warehouse, [one.url, other.url])
    failed = one.reading("reef").model_copy(update={"status": "gave_up", "text": None, "reason": "HTTP 500"})
    keep(warehouse, [failed])
    assert fetch(warehouse, "SELECT key FROM ops.dead_letters") == [(one.url,)]
    keep(warehouse, [other.reading("reef")])
    assert fetch(warehouse, "SELECT canonical_url, status FROM raw.articles") == [(one.url, "ok")]
    assert fetch(warehouse, "SELECT key FROM ops.dead_letters") == []
    keep(warehouse, [failed, other.reading("reef")])
    assert fetch(warehouse, "SELECT canonical_url, status FROM raw.articles") == [(one.url, "ok")]


def test_articles_of_an_older_home_keep_the_keys_they_have(warehouse: Warehouse) -> None:
    pages = [P("http://ports.org/a"), P("https://ports.org/a")]
    post(warehouse, [page.url for page in pages])
    rows = [(page.url, text_of("reef")) for page in pages]
    for url, text in rows:
        fetch(
            warehouse,
            "INSERT INTO raw.articles (canonical_url, url, status, text, attempts, run_id, fetched_at) "
            "VALUES (?, ?, 'ok', ?, 1, 'old', ?)",
            [url, url, text, NOW],
        )
    post(warehouse, [pages[0].url], LATER, first=20)
    assert keys(warehouse) == {page.url: page.url for page in pages}
    assert fetch(warehouse, "SELECT canonical_url, text FROM raw.articles ORDER BY 1") == rows
    with warehouse.transaction(stage="ingest") as session:
        assert pending_articles(session, LATER, NOW, have_pages=True) == []


def test_what_is_known_of_the_addresses_of_a_deleted_article_goes_with_it(warehouse: Warehouse) -> None:
    one = P("http://ports.org/a", moved_to="https://ports.org/a")
    post(warehouse, [one.url])
    keep(warehouse, [one.reading("reef")])
    assert fetch(warehouse, "SELECT alias FROM raw.article_keys") == [(one.url,)]
    load(warehouse, [story(1, url=one.url, deleted=True)])
    assert fetch(warehouse, "SELECT count(*) FROM raw.articles") == [(0,)]
    assert fetch(warehouse, "SELECT count(*) FROM raw.article_keys") == [(0,)]


@given(st.text(max_size=60), st.booleans())
def test_every_key_has_a_form_that_its_plain_spelling_shares(rest: str, is_lenient: bool) -> None:
    key = canonical_url(f"http://m.a.co.uk/{rest}")
    if key:
        variant(key, is_lenient)
        assert variant(key.replace("http://m.", "https://www.", 1), is_lenient) == variant(key, is_lenient)


@given(st.text(max_size=400), st.text(max_size=400))
def test_texts_are_compared_both_ways_alike(one: str, other: str) -> None:
    assert same_text(one, other) == same_text(other, one)
    assert same_text(one, one) == (len(one) >= 250)

"""The fetcher over real HTTP: every bound it keeps, and the one outcome each answer comes to."""

from __future__ import annotations

import asyncio
import gzip
import zlib
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import brotli
import httpx
import pytest
from backports import zstd

from hnintel.settings import Settings
from hnintel.sources.sample import SampleSource
from hnintel.web.fetcher import Fetcher
from hnintel.web.guard import is_public
from hnintel.web.outcomes import Fetched
from tests.security.loopback import Names, Site, answer, fetcher, moved, page, patient

URL = "http://a.example/"


async def fetch(told: object, settings: Settings | None = None, url: str = URL) -> Fetched:
    """What comes of asking for *url* where the site answers *told*."""
    async with Site({"a.example/": told}) as site, fetcher(site, settings) as read:  # type: ignore[dict-item]
        return await read.fetch(url)


async def test_a_page_comes_back_as_text_with_what_the_answer_said_of_it() -> None:
    fetched = await fetch(answer(page(), etag='"v1"', last_modified="Tue, 20 Oct 2026 10:00:00 GMT"))
    assert (fetched.outcome, fetched.http_status, fetched.content_type) == ("ok", 200, "text/html")
    assert fetched.html == page()
    assert (fetched.etag, fetched.last_modified) == ('"v1"', "Tue, 20 Oct 2026 10:00:00 GMT")


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        (203, "ok"),
        (202, "failed"),
        (206, "refused"),
        (304, "refused"),
        (400, "refused"),
        (401, "refused"),
        (403, "refused"),
        (404, "gone"),
        (408, "failed"),
        (410, "gone"),
        (429, "failed"),
        (451, "refused"),
        (500, "failed"),
        (503, "failed"),
        (999, "refused"),
    ],
)
async def test_a_status_says_whether_it_is_worth_another_try(status: int, outcome: str) -> None:
    fetched = await fetch(answer("" if status == 304 else page(), status=status))
    assert (fetched.outcome, fetched.http_status) == (outcome, status)


@pytest.mark.parametrize(
    "url",
    [
        "ftp://a.example/",
        "file:///etc/passwd",
        "gopher://a.example/",
        "data:text/html,hello",
        "//a.example/",
        "http:///path",
        "http://",
        "http://a.example:port/",
        "http://a.example:99999/",
        "http://[::1",
        "http://a.example:22/",
        "http://user:secret@a.example/",
        "http://user@a.example/",
        "http://@a.example/",
        "http://a.example\\@b.example/",
        "http://a .example/",
        "http://" + "a" * 70 + ".example/",
    ],
)
async def test_what_is_no_plain_web_address_is_refused_without_a_request(url: str) -> None:
    async with Site() as site, fetcher(site) as read:
        fetched = await read.fetch(url)
        assert (fetched.outcome, site.asked) == ("refused", [])
    assert "secret" not in (fetched.reason or "")


async def test_redirects_are_followed_to_the_page_and_relative_ones_too() -> None:
    answers = {"a.example/": moved("http://b.example/x/"), "b.example/x/": moved("../y"), "b.example/y": answer(page())}
    async with Site(answers) as site, fetcher(site) as read:  # type: ignore[arg-type]
        fetched = await read.fetch(URL)
    assert (fetched.outcome, fetched.url) == ("ok", "http://b.example/y")


async def test_a_loop_of_redirects_ends_at_the_set_number() -> None:
    settings = patient(max_redirects=3, article_robots=False)
    async with Site({"a.example/": moved(URL)}) as site, fetcher(site, settings) as read:
        fetched = await read.fetch(URL)
        assert (fetched.outcome, fetched.reason, len(site.asked)) == ("refused", "more than 3 redirects", 4)


@pytest.mark.parametrize("to", ["http://inside.example/", "https://inside.example/", "http://127.0.0.1/", "file:///x"])
async def test_each_redirect_is_vetted_again(to: str) -> None:
    names = Names({"inside.example": ["10.0.0.7"], "127.0.0.1": ["127.0.0.1"]})
    settings = patient(article_robots=False)
    async with Site({"a.example/": moved(to)}) as site, fetcher(site, settings, names) as read:
        fetched = await read.fetch(URL)
        assert (fetched.outcome, site.asked) == ("refused", ["a.example/"])


@pytest.mark.parametrize("to", ["http://[::1", "http://[v1.x]/", "http://a.example:x/", "//", "http:", "?" * 70_000])
async def test_a_redirect_to_nowhere_is_an_end(to: str) -> None:
    async with Site({"a.example/": moved(to)}) as site, fetcher(site, patient(article_robots=False)) as read:
        assert (await read.fetch(URL)).outcome in ("refused", "failed", "gone")


async def test_credentials_in_a_redirect_are_not_sent() -> None:
    async with Site({"a.example/": moved("http://me:secret@b.example/")}) as site, fetcher(site) as read:
        fetched = await read.fetch(URL)
        assert fetched.outcome == "refused"
        assert not any("authorization" in headers for headers in site.headers)


async def test_nothing_of_the_environment_changes_where_a_request_goes(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert (await fetch(answer(page()))).outcome == "ok"


async def test_cookies_are_not_kept() -> None:
    async with Site({"a.example/": answer(page(), set_cookie="id=7")}) as site, fetcher(site) as read:
        await read.fetch(URL)
        await read.fetch(URL)
        assert not any("cookie" in headers for headers in site.headers)


async def test_it_says_who_it_is() -> None:
    settings = patient(user_agent="my-reader/2 (+mailto:me@example.com)")
    async with Site() as site, fetcher(site, settings) as read:
        await read.fetch(URL)
        assert {headers["user-agent"] for headers in site.headers} == {"my-reader/2 (+mailto:me@example.com)"}


PAGE = page().encode()


@pytest.mark.parametrize(
    ("encoding", "body"),
    [
        ("identity", PAGE),
        ("gzip", gzip.compress(PAGE)),
        ("x-gzip", gzip.compress(PAGE)),
        ("deflate", zlib.compress(PAGE)),
        ("deflate", zlib.compress(PAGE)[2:-4]),
        ("br", brotli.compress(PAGE)),
        ("zstd", zstd.compress(PAGE)),
        ("gzip, br", brotli.compress(gzip.compress(PAGE))),
    ],
)
async def test_content_encodings_are_undone(encoding: str, body: bytes) -> None:
    fetched = await fetch(answer(body, content_encoding=encoding))
    assert (fetched.outcome, fetched.html) == ("ok", page())


async def test_a_content_encoding_that_is_none_of_ours_fails() -> None:
    assert (await fetch(answer(PAGE, content_encoding="exi"))).reason == "the content encoding 'exi' is not read"


async def test_a_page_over_the_cap_is_too_large_by_what_it_says_or_by_what_it_sends() -> None:
    settings = patient(article_max_bytes=1000)
    said = await fetch(b"HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 2000\r\n\r\n", settings)
    sent = await fetch(b"HTTP/1.1 200 OK\r\ncontent-type: text/html\r\n\r\n" + b"x" * 2000, settings)
    assert [said.outcome, sent.outcome] == ["too_large", "too_large"]


async def test_an_endless_body_ends_at_the_cap() -> None:
    sent = 0

    async def endless(writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: text/html\r\n\r\n")
        while True:
            writer.write(b"x" * 65_536)
            sent += 65_536
            await writer.drain()

    fetched = await fetch(endless, patient(article_max_bytes=200_000))
    assert fetched.outcome == "too_large"
    assert sent < 20_000_000  # what the sockets hold, not what the site would have sent


async def test_a_body_that_ends_before_its_length_is_not_taken_for_the_page() -> None:
    fetched = await fetch(answer(PAGE, content_length=str(len(PAGE) + 100)))
    assert (fetched.outcome, fetched.html) == ("failed", None)


async def test_a_compressed_body_that_is_cut_off_is_not_taken_for_the_page() -> None:
    fetched = await fetch(answer(gzip.compress(PAGE)[:-20], content_encoding="gzip"))
    assert (fetched.outcome, fetched.reason) == ("failed", "the compressed body ends early")


@pytest.mark.parametrize(
    "told", [b"", b"HTTP/1.1 200 OK\r\n", b"\x16\x03\x01\x00", b"HTTP/9.9 what\r\n\r\n", b"SECRET PAGE TEXT\r\n\r\n"]
)
async def test_what_is_not_http_fails_and_is_not_quoted(told: bytes) -> None:
    fetched = await fetch(told)
    assert fetched.outcome == "failed"
    assert "SECRET" not in (fetched.reason or "")


async def test_a_site_that_drips_a_byte_at_a_time_ends_at_the_total() -> None:
    async def drip(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: text/html\r\n\r\n")
        while True:
            writer.write(b"x")
            await writer.drain()
            await asyncio.sleep(0.02)

    settings = patient(article_read_timeout=5, article_total_timeout=0.3)
    assert (await fetch(drip, settings)).reason == "not done after 0.3 s"


async def test_a_site_that_says_nothing_ends_at_the_read_timeout() -> None:
    async def silent(writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(5)

    settings = patient(article_read_timeout=0.1, article_robots=False)
    assert (await fetch(silent, settings)).reason == "the site stopped answering"


@pytest.mark.parametrize(
    ("content_type", "body", "outcome"),
    [
        ("application/pdf", b"%PDF-1.7", "ok"),
        ("text/html", b"%PDF-1.7\n...", "ok"),
        ("application/pdf", PAGE, "wrong_type"),
        ("application/octet-stream", b"%PDF-1.7", "wrong_type"),
        ("text/html", b"\x89PNG\r\n\x1a\n", "wrong_type"),
        ("text/plain", b"PK\x03\x04....", "wrong_type"),
        ("text/html", bytes(range(8)) * 20, "wrong_type"),
        ("image/png", b"\x89PNG", "wrong_type"),
        ("application/json", b"{}", "wrong_type"),
        ("application/xhtml+xml", PAGE, "ok"),
        ("TEXT/HTML;charset=UTF-8", PAGE, "ok"),
        ("text/plain", b"plain words", "ok"),
        ("text/html; charset=utf-16", page().encode("utf-16-le"), "ok"),
    ],
)
async def test_a_type_is_allowed_by_its_name_and_by_its_bytes(content_type: str, body: bytes, outcome: str) -> None:
    assert (await fetch(answer(body, content_type=content_type))).outcome == outcome


async def test_a_page_without_a_type_is_known_by_its_bytes() -> None:
    bare = b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n"
    assert (await fetch(bare % len(PAGE) + PAGE)).outcome == "ok"
    assert (await fetch(bare % 8 + b"%PDF-1.4")).content_type == "application/pdf"
    assert (await fetch(bare % 6 + b"GIF89a")).outcome == "wrong_type"


async def test_a_site_may_say_that_nothing_changed_since() -> None:
    async with Site({"a.example/": answer(status=304)}) as site, fetcher(site) as read:
        fetched = await read.fetch(URL, etag='"v1"', last_modified="Tue, 20 Oct 2026 10:00:00 GMT")
        assert fetched.outcome == "unchanged"
        assert site.headers[-1]["if-none-match"] == '"v1"'
        assert site.headers[-1]["if-modified-since"] == "tue, 20 oct 2026 10:00:00 gmt"


async def test_retry_after_is_told_in_seconds_or_as_a_date() -> None:
    assert (await fetch(answer(status=429, retry_after="120"))).retry_after == 120
    date = format_datetime(datetime.now(UTC) + timedelta(hours=1), usegmt=True)
    assert 3500 < ((await fetch(answer(status=503, retry_after=date))).retry_after or 0) <= 3600
    assert (await fetch(answer(status=503, retry_after="soon"))).retry_after is None
    assert (await fetch(answer(status=503, retry_after="Thu, 01 Jan 1970 00:00:00 GMT"))).retry_after is None


async def test_a_site_that_asks_to_be_left_alone_is_not_asked_for_its_other_pages() -> None:
    async with Site({"a.example/": answer(status=429, retry_after="60")}) as site, fetcher(site) as read:
        await read.fetch(URL)
        second = await read.fetch("http://a.example/second")
        assert (second.outcome, second.reason) == ("failed", "the site asked to be left alone for a while")
        assert 50 < (second.retry_after or 0) <= 60
        assert "a.example/second" not in site.asked


async def test_robots_txt_is_kept_to_and_asked_for_once_a_site() -> None:
    rules = answer("User-agent: *\nDisallow: /private\n", content_type="text/plain")
    answers = {f"a.example/{name}": answer(page()) for name in ("one", "two", "private/x")}
    async with Site({**answers, "a.example/robots.txt": rules}) as site, fetcher(site) as read:
        urls = ["http://a.example/one", "http://a.example/private/x", "http://a.example/two"]
        fetched = await asyncio.gather(*(read.fetch(url) for url in urls))
        assert [one.outcome for one in fetched] == ["ok", "refused", "ok"]
        assert fetched[1].reason == "robots.txt asks that this is not read"
        assert site.asked.count("a.example/robots.txt") == 1
        assert "a.example/private/x" not in site.asked


async def test_robots_txt_of_where_a_redirect_leads_counts_too() -> None:
    answers = {
        "a.example/": moved("http://b.example/x"),
        "b.example/robots.txt": answer("User-agent: *\nDisallow: /"),
        "b.example/x": answer(page()),
    }
    async with Site(answers) as site, fetcher(site) as read:  # type: ignore[arg-type]
        assert (await read.fetch(URL)).outcome == "refused"
        assert "b.example/x" not in site.asked


@pytest.mark.parametrize(
    ("robots", "outcome"),
    [
        (answer(status=404), "ok"),
        (answer(status=403), "ok"),
        (answer(page()), "ok"),
        (answer(b"\xff\x00\xfe" * 100), "ok"),
        (moved("/robots.txt"), "ok"),
        (moved("/other.txt"), "refused"),
        (answer("User-agent: *\nDisallow: /\n" + "# x\n" * 200_000), "refused"),
        (answer(gzip.compress(bytes(50_000_000)), content_encoding="gzip"), "ok"),
        (answer(status=500), "failed"),
        (answer(status=429, retry_after="60"), "failed"),
    ],
)
async def test_a_robots_txt_that_is_missing_allows_and_one_that_fails_is_waited_for(
    robots: bytes, outcome: str
) -> None:
    answers = {
        "a.example/robots.txt": robots,
        "a.example/other.txt": answer("User-agent: *\nDisallow: /"),
        "a.example/": answer(page()),
    }
    async with Site(answers) as site, fetcher(site) as read:  # type: ignore[arg-type]
        assert (await read.fetch(URL)).outcome == outcome


async def test_robots_txt_can_be_left_unread_by_a_setting() -> None:
    answers = {"a.example/robots.txt": answer("User-agent: *\nDisallow: /"), "a.example/": answer(page())}
    async with Site(answers) as site, fetcher(site, patient(article_robots=False)) as read:  # type: ignore[arg-type]
        assert (await read.fetch(URL)).outcome == "ok"


async def test_one_host_gets_the_set_number_of_requests_at_once_however_many_pages_are_wanted() -> None:
    async def slow(writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(0.02)
        writer.write(answer(page()))

    settings = patient(article_per_host=2, article_robots=False)
    async with Site({f"a.example/{n}": slow for n in range(12)}) as site, fetcher(site, settings) as read:
        fetched = await asyncio.gather(*(read.fetch(f"http://a.example/{n}") for n in range(12)))
        assert {one.outcome for one in fetched} == {"ok"}
        assert site.most_at_once == 2


async def test_waiting_for_a_turn_does_not_count_against_a_page() -> None:
    async def slow(writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(0.1)
        writer.write(answer(page()))

    settings = patient(article_per_host=1, article_robots=False, article_total_timeout=0.5)
    async with Site({f"a.example/{n}": slow for n in range(8)}) as site, fetcher(site, settings) as read:
        fetched = await asyncio.gather(*(read.fetch(f"http://a.example/{n}") for n in range(8)))
    assert {one.outcome for one in fetched} == {"ok"}


async def test_the_bundled_pages_are_read_the_same_way_and_their_hosts_have_no_robots_txt() -> None:
    transport = SampleSource().pages()
    assert transport is not None
    async with Fetcher(transport, patient()) as read:
        assert (await read.fetch("https://waxwing.example/not-there")).outcome == "failed"
        known = next(url for url, (_, told) in transport._answers.items() if told.keys() == {"file"})  # type: ignore[attr-defined]
        assert (await read.fetch(known)).outcome == "ok"


async def test_without_the_guard_a_private_address_would_be_read() -> None:
    """The control: what the tests above see refused is refused by the guard and by nothing else."""
    names = Names(otherwise=["127.0.0.1"])
    async with Site({"a.example/": answer(page())}) as site:
        async with fetcher(site, names=names, vet=is_public) as read:
            assert (await read.fetch(URL)).outcome == "refused"
        async with fetcher(site, names=names, vet=lambda address: True) as read:
            assert (await read.fetch(URL)).outcome == "ok"


async def test_an_error_of_ours_is_not_taken_for_one_of_the_site() -> None:
    class Broken(httpx.AsyncBaseTransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            raise ZeroDivisionError

    async with Fetcher(Broken(), patient(article_robots=False)) as read:
        with pytest.raises(ZeroDivisionError):
            await read.fetch(URL)

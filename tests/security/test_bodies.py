"""Bodies that mean harm or are broken (bombs, cut-off streams, ill-formed HTML), through fetching and extraction."""

from __future__ import annotations

import asyncio
import json
import re
import tarfile
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import pytest

from hnintel.web.extract import Extracted
from hnintel.web.extraction_pool import ExtractionPool, ExtractionTimeout
from hnintel.web.fetcher import Fetcher
from hnintel.web.media import to_text
from hnintel.web.outcomes import Fetched
from tests.security.loopback import Site, answer, fetcher, patient

URL = "http://a.example/"
SETTINGS = patient(article_robots=False)

ENCODINGS = {
    "bomb-br.bin": "br",
    "bomb-deflate.bin": "deflate",
    "bomb-gzip.bin": "gzip",
    "bomb-zstd.bin": "zstd",
    "html-br.bin": "br",
    "html-gzip-deflate-gzip.bin": "gzip, deflate, gzip",
    "html-gzip-deflate.bin": "gzip, deflate",
    "html-gzip.bin": "gzip",
    "html-rawdeflate.bin": "deflate",
    "html-zlibdeflate.bin": "deflate",
    "html-zstd-static-content-size.bin": "zstd",
    "html-zstd-static-no-content-size.bin": "zstd",
    "html-zstd-streaming-no-content-size.bin": "zstd",
    "feed-sample1.xml.gz": "gzip",
    "truncated-crc-error-short.gz": "gzip",
    "truncated-crc-error.gz": "gzip",
    "unexpected-eof.gz": "gzip",
}


async def fetch(body: bytes, **headers: str) -> Fetched:
    async with Site({"a.example/": answer(body, **headers)}) as site, fetcher(site, SETTINGS) as read:
        return await read.fetch(URL)


@pytest.mark.parametrize("name", [name for name in ENCODINGS if name.startswith("bomb")])
async def test_a_bomb_ends_at_the_cap_with_bounded_memory(corpora: Path, name: str) -> None:
    body = (corpora / "compression" / name).read_bytes()
    tracemalloc.start()
    try:
        fetched = await fetch(body, content_encoding=ENCODINGS[name])
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert (fetched.outcome, fetched.html) == ("too_large", None)
    assert peak < 2 * SETTINGS.article_max_bytes


@pytest.mark.parametrize("name", [name for name in ENCODINGS if name.startswith(("html", "feed"))])
async def test_every_way_of_compressing_a_page_is_undone(corpora: Path, name: str) -> None:
    fetched = await fetch((corpora / "compression" / name).read_bytes(), content_encoding=ENCODINGS[name])
    assert fetched.outcome == "ok"
    assert (fetched.html or "").rstrip().endswith(("</html>", "</products>"))


@pytest.mark.parametrize("name", [name for name in ENCODINGS if name.startswith(("truncated", "unexpected"))])
async def test_a_compressed_page_that_is_cut_off_is_not_taken_for_the_page(corpora: Path, name: str) -> None:
    fetched = await fetch((corpora / "compression" / name).read_bytes(), content_encoding=ENCODINGS[name])
    assert (fetched.outcome, fetched.html) == ("failed", None)


async def test_every_file_sent_as_any_encoding_or_as_it_is_ends_well(corpora: Path) -> None:
    bodies = [path.read_bytes() for path in sorted((corpora / "compression").iterdir())]
    answers = {
        f"a.example/{number}/{encoding}": answer(body, content_encoding=encoding)
        for number, body in enumerate(bodies)
        for encoding in ("identity", "gzip", "deflate", "br", "zstd", "gzip,gzip")
    }
    async with Site(answers) as site, fetcher(site, SETTINGS) as read:  # type: ignore[arg-type]
        ended = [(await read.fetch(f"http://{key}")).outcome for key in answers]
    assert set(ended) == {"ok", "failed", "too_large", "wrong_type"}


def members(archive: Path) -> Iterator[tuple[str, bytes]]:
    with tarfile.open(archive) as opened:
        for member in opened:
            held = opened.extractfile(member)
            if held is not None:
                yield member.name, held.read()


def pages(corpora: Path) -> list[bytes]:
    """The inputs of html5lib's tree and encoding tests, and feedparser's ill-formed feeds."""
    found: list[bytes] = []
    for name, body in members(corpora / "html5lib/html5lib_tests_tree_tokenizer_encoding.tar.xz"):
        if name.endswith(".dat"):
            found += re.findall(rb"#data\n(.*?)\n#(?:errors|encoding)", body, re.DOTALL)
        elif not name.endswith(".test"):
            found.append(body)
    return found + [body for _, body in members(corpora / "html5lib/feedparser_encoding_illformed.tar.xz")]


def snippets(corpora: Path) -> list[bytes]:
    """The inputs of html5lib's tokenizer tests: thousands, of a few characters each."""
    found: list[bytes] = []
    for name, body in members(corpora / "html5lib/html5lib_tests_tree_tokenizer_encoding.tar.xz"):
        if name.endswith(".test"):
            tests = json.loads(body)
            cases = tests.get("tests", tests.get("xmlViolationTests", []))
            found += [case["input"].encode("utf-8", "surrogatepass") for case in cases]
    return found


async def through(read: Fetcher, pool: ExtractionPool, url: str) -> tuple[Fetched, Extracted | None]:
    """A page the whole way: fetched, and its text taken out."""
    fetched = await read.fetch(url)
    if fetched.html is None:
        return fetched, None
    try:
        return fetched, await pool.article(fetched.html, fetched.url)
    except ExtractionTimeout:  # that a page killed the process that read it would be another failure
        return fetched, None


async def all_through(bodies: list[bytes], pool: ExtractionPool) -> None:
    """Send every one of *bodies* as a page, and hold what comes of it to what is promised."""
    answers = {f"a.example/{number}": answer(body, content_type="text/html") for number, body in enumerate(bodies)}
    gate = asyncio.Semaphore(20)
    async with Site(answers) as site, fetcher(site, SETTINGS) as read:  # type: ignore[arg-type]

        async def one(key: str) -> tuple[Fetched, Extracted | None]:
            async with gate:
                return await through(read, pool, f"http://{key}")

        ended = await asyncio.gather(*(one(key) for key in answers))
    assert {fetched.outcome for fetched, _ in ended} <= {"ok", "wrong_type"}
    assert sum(fetched.outcome == "ok" for fetched, _ in ended) > 0.98 * len(bodies)
    for _, found in ended:
        assert found is None or not re.search(r"[\x00-\x08\u202a-\u202e\ud800-\udfff]", found.text or "")


@pytest.mark.parametrize("of", [10, pytest.param(1, marks=pytest.mark.slow)])
async def test_ill_formed_html_goes_through_fetching_and_extraction(
    corpora: Path, pool: ExtractionPool, of: int
) -> None:
    bodies = pages(corpora)
    assert len(bodies) > 1500
    await all_through(bodies[::of], pool)


@pytest.mark.slow
async def test_every_odd_snippet_of_html_goes_through_too(corpora: Path, pool: ExtractionPool) -> None:
    bodies = snippets(corpora)
    assert len(bodies) > 5000
    await all_through(bodies, pool)


def test_an_encoding_is_found_as_browsers_find_it(corpora: Path) -> None:
    """html5lib's encoding cases: what a page declares decides, wherever and however it says it."""
    right, cases = 0, 0
    for name, body in members(corpora / "html5lib/html5lib_tests_tree_tokenizer_encoding.tar.xz"):
        if "encoding/" not in name or not name.endswith(".dat"):
            continue
        for page, encoding in re.findall(rb"#data\n(.*?)\n#encoding\n(\S+)", body, re.DOTALL):
            cases += 1
            right += to_text(page, "text/html") == page.decode(encoding.decode(), "replace")
    assert cases > 50
    assert right / cases > 0.9


@pytest.mark.parametrize(
    "html",
    [
        "<div>" * 200_000 + "deep",
        "<b>" * 200_000 + "bold",
        "<table><tr><td>" * 30_000,
        "<ul><li>" * 50_000,
        "<p " + "a=b " * 300_000 + ">x",
        "&" * 2_000_000,
        "<a href=x>" * 300_000,
        "<p>hello world there" * 250_000,
        '<script type="application/ld+json">' + "[" * 500_000 + "</script><p>x",
        '<meta name="author" content="' + "a " * 500_000 + '">',
        "<p>" + "2020-01-01 " * 300_000,
        "<!--" * 500_000,
        "<![CDATA[" * 100_000,
        "<svg><foreignObject>" * 20_000 + "<p>x",
    ],
    ids=lambda html: html[:12],
)
async def test_a_pathological_page_costs_its_limit_and_the_next_is_read(html: str, pool: ExtractionPool) -> None:
    fine = "<html><body><article><p>" + "An ordinary sentence of an ordinary page. " * 30
    reads = await asyncio.gather(pool.article(html, URL), pool.article(fine, URL), return_exceptions=True)
    assert isinstance(reads[0], Extracted | ExtractionTimeout)
    assert isinstance(reads[1], Extracted)
    assert "ordinary page" in (reads[1].text or "")

"""A PDF gives its text, title and author, and a hostile one ends in an outcome with a name."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hnintel.ingest.articles import Wanted, read_articles
from hnintel.web import pdf
from hnintel.web.extraction_pool import ExtractionFailed, ExtractionPool
from hnintel.web.pdf import NO_TEXT, PdfText, read_pdf
from tests.security.loopback import Site, answer, fetcher, page, patient
from tests.unit import pdf_files
from tests.unit.pdf_files import ENCRYPTED, HOSTILE, LINE, SOUND, document
from tests.unit.test_articles import NOW


@pytest.fixture(scope="module")
def pool() -> Iterator[ExtractionPool]:
    made = ExtractionPool(1, 20.0)
    yield made
    made.close()


def test_a_pdf_gives_its_text_title_and_author() -> None:
    read = read_pdf(SOUND, 10)
    assert (read.title, read.author, read.fault) == ("Tides in brass", "Florian Voss, Ada Berg", None)
    assert (read.text or "").count(LINE) == 6


def test_pages_come_in_their_order_and_only_so_many_of_them(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = document([[f"Page number {number}."] for number in range(6)])
    assert read_pdf(whole, 10).text == "\n\n".join(f"Page number {number}." for number in range(6))
    monkeypatch.setattr(pdf, "MOST_PAGES", 2)
    assert read_pdf(whole, 10).text == "Page number 0.\n\nPage number 1."


def test_only_so_many_characters_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pdf, "MOST_CHARS", 100)
    assert len(read_pdf(document([[LINE] * 3] * 3), 10).text or "") == 100


def test_a_paragraph_is_on_one_line() -> None:
    halves = [
        "The tide tables were computed in brass by",
        "a clerk of the harbour, with forty wheels.",
        "Then they were lost.",
    ]
    assert read_pdf(document([halves]), 10).text == f"{halves[0]} {halves[1]}\n{halves[2]}"


@pytest.mark.parametrize("title", ["", "untitled", "Microsoft Word - tides.docx", "tides_v3.tex", "...", "Slide 1"])
def test_what_a_program_calls_a_file_is_no_title(title: str) -> None:
    assert read_pdf(document([[LINE]], b"/Title (%s)" % title.encode()), 10).title is None


def test_a_pdf_without_time_or_text_or_behind_a_password_says_so() -> None:
    assert read_pdf(pdf_files.NO_TEXT, 10) == PdfText(fault=NO_TEXT)
    assert read_pdf(SOUND, 0) == PdfText(fault="the PDF took too long to read")
    assert read_pdf(ENCRYPTED, 10) == PdfText(fault="the PDF is encrypted")
    assert read_pdf(b"%PDF-1.7", 10) == PdfText(fault="the PDF is damaged")


def test_a_pdf_may_take_only_so_much_memory_and_the_process_has_its_own_bound_afterwards() -> None:
    resource = pytest.importorskip("resource")
    before = resource.getrlimit(resource.RLIMIT_AS)
    with pdf._bounded_memory(), pytest.raises(MemoryError):
        bytearray(3 * 2**30)
    assert resource.getrlimit(resource.RLIMIT_AS) == before


@pytest.mark.parametrize("name", HOSTILE)
async def test_a_hostile_pdf_ends_in_an_outcome_with_a_name_and_the_next_is_read(
    pool: ExtractionPool, name: str
) -> None:
    told = {
        "a.example/1": answer(HOSTILE[name], content_type="application/pdf"),
        "a.example/2": answer(SOUND, content_type="application/pdf"),
    }
    async with Site(told) as site, fetcher(site) as web:
        urls = ["http://a.example/1", "http://a.example/2"]
        bad, good = await read_articles(web, [Wanted(url, url) for url in urls], patient(), NOW, pool)
    assert (good.status, good.title) == ("ok", "Tides in brass")
    assert bad.text is None
    assert (bad.status, bad.reason) in {
        ("wrong_type", "the PDF is damaged"),
        ("wrong_type", "the PDF needs too much memory"),
        ("wrong_type", "the PDF took too long to read"),
        ("empty", NO_TEXT),
        ("retry_at", "no text after 20 s"),
        ("retry_at", "the process that read the page died"),
    }


@given(st.binary(max_size=30), st.integers(0, len(SOUND)), st.integers(0, len(SOUND)))
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
async def test_a_pdf_with_other_bytes_somewhere_never_takes_the_pool_down(
    pool: ExtractionPool, put: bytes, start: int, end: int
) -> None:
    broken = b"%PDF-1.7\n" + SOUND[9 : max(start, 9)] + put + SOUND[max(end, 9) :]
    try:
        read = await pool.article(broken, "", "application/pdf")
    except ExtractionFailed:
        return
    assert (read.text is None) == (read.fault is not None)


@pytest.mark.parametrize(
    ("path", "content_type", "body", "status"),
    [
        ("a.pdf", "application/pdf", SOUND, "ok"),
        ("a", "application/x-pdf", SOUND, "ok"),
        ("a", "text/html", SOUND, "ok"),
        ("a", "text/plain", SOUND, "ok"),
        ("a.PDF", "application/octet-stream", SOUND, "ok"),
        ("a", "application/octet-stream", SOUND, "wrong_type"),
        ("a.pdf", "application/octet-stream", b"MZ program", "wrong_type"),
        ("a.pdf", "application/pdf", page().encode(), "wrong_type"),
        ("a.pdf", "application/pdf", ENCRYPTED, "wrong_type"),
        ("a.pdf", "application/pdf", pdf_files.NO_TEXT, "empty"),
        ("a.pdf", "application/pdf", SOUND + bytes(6_000_000), "too_large"),
    ],
)
async def test_a_pdf_is_known_by_its_bytes_whatever_it_is_called(
    pool: ExtractionPool, path: str, content_type: str, body: bytes, status: str
) -> None:
    url = f"http://a.example/{path}"
    async with Site({f"a.example/{path}": answer(body, content_type=content_type)}) as site, fetcher(site) as web:
        (read,) = await read_articles(web, [Wanted(url, url)], patient(), NOW, pool)
    assert read.status == status
    assert (read.text is None) == (status != "ok") == (read.reason is not None)
    if status == "ok":
        assert (read.content_type, read.author) == ("application/pdf", "Florian Voss, Ada Berg")

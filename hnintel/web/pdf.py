"""Reads the text, title and authors of a PDF (pypdfium2), within bounds; runs in the extraction processes."""

from __future__ import annotations

import contextlib
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

#: The most pages, and characters, that are read of a file.
MOST_PAGES, MOST_CHARS = 200, 300_000
NO_TEXT = "the PDF has no text"
#: Bytes of address space that reading a file may take beyond what the process has.
_MEMORY = 2**30
#: pdfium marks a hyphen at a line's end by one of these.
_HYPHENS = re.compile("[\x02\ufffe]\\s*")
#: A line that goes on in the next: long, without the end of a sentence.
_GOES_ON = re.compile(r"(?<=[^\n]{40})(?<![.:;!?])\n(?=\S)")
_NO_TITLE = re.compile(
    r"untitled|microsoft (word|powerpoint)|.*\.(docx?|tex|dvi|pdf|pptx?|indd|rtf|qxd)|slide \d+|\W*", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class PdfText:
    """What a file holds; without ``text``, ``fault`` says in a few words why."""

    text: str | None = None
    title: str | None = None
    author: str | None = None
    fault: str | None = None


def read_pdf(data: bytes, seconds: float) -> PdfText:
    """Return the text of a PDF, of its first pages if it is long.

    Never raises for a faulty file; one that has pdfium crash or hang ends its process, which the pool reports.

    Args:
        data: the file.
        seconds: after which no further page is begun.
    """
    import pypdfium2 as pdfium

    ends = time.monotonic() + seconds
    with _bounded_memory():
        try:
            document = pdfium.PdfDocument(data)
        except pdfium.PdfiumError as error:
            return PdfText(fault=_fault(error))
        except MemoryError:
            return PdfText(fault="the PDF needs too much memory")
        try:
            text = "\n\n".join(_pages(document, ends)).strip()[:MOST_CHARS]
            said = document.get_metadata_dict()
        except MemoryError:
            return PdfText(fault="the PDF needs too much memory")
        finally:
            document.close()
    if not text:
        return PdfText(fault=NO_TEXT if time.monotonic() < ends else "the PDF took too long to read")
    title = said.get("Title") or ""
    return PdfText(text, None if _NO_TITLE.fullmatch(title.strip()) else title, said.get("Author") or None)


def _fault(error: Any) -> str:
    from pypdfium2 import raw

    if getattr(error, "err_code", None) in (raw.FPDF_ERR_PASSWORD, raw.FPDF_ERR_SECURITY):
        return "the PDF is encrypted"
    return "the PDF is damaged"


def _pages(document: Any, ends: float) -> Iterator[str]:
    """The texts of the first pages; a page that cannot be read is left out."""
    import pypdfium2 as pdfium

    left = MOST_CHARS
    for number in range(min(len(document), MOST_PAGES)):
        if left <= 0 or time.monotonic() >= ends:
            return
        with contextlib.suppress(pdfium.PdfiumError):
            page = document[number]
            written = page.get_textpage()
            text = _joined(written.get_text_range(0, min(left, written.count_chars())))
            written.close()
            page.close()
            left -= len(text)
            yield text


def _joined(text: str) -> str:
    """*text* with the lines of a paragraph on one."""
    lines = _HYPHENS.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))
    return _GOES_ON.sub(" ", lines)


@contextlib.contextmanager
def _bounded_memory() -> Iterator[None]:
    """Bound what the block may take, so that a compressed bomb ends early; some systems have no such bound."""
    try:
        import resource

        with open("/proc/self/statm", encoding="ascii") as file:
            used = int(file.read().split()[0]) * resource.getpagesize()
        soft, hard = resource.getrlimit(resource.RLIMIT_AS)
        bounds = [bound for bound in (soft, hard, used + _MEMORY) if bound != resource.RLIM_INFINITY]
        resource.setrlimit(resource.RLIMIT_AS, (min(bounds), hard))
    except (ImportError, OSError, ValueError):
        yield
        return
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))

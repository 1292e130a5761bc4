"""PDFs for tests, written by hand: sound ones and hostile ones."""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence

LINE = "The tide tables were computed in brass by a clerk of the harbour."


def pdf(objects: Mapping[int, bytes], trailer: bytes = b"") -> bytes:
    """A file of numbered *objects*, of which 1 is the catalogue, with its table of references."""
    body, offsets = bytearray(b"%PDF-1.7\n"), {}
    for number, content in objects.items():
        offsets[number] = len(body)
        body += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    start, size = len(body), max(objects) + 1
    body += b"xref\n0 %d\n0000000000 65535 f \n" % size
    for number in range(1, size):
        body += b"%010d 00000 n \n" % offsets.get(number, 0)
    return bytes(body) + b"trailer\n<< /Root 1 0 R /Size %d %s >>\nstartxref\n%d\n%%%%EOF\n" % (size, trailer, start)


def stream(content: bytes, told: bytes = b"") -> bytes:
    """A compressed stream."""
    packed = zlib.compress(content, 9)
    return b"<< /Length %d /Filter /FlateDecode %s >>\nstream\n%s\nendstream" % (len(packed), told, packed)


def document(pages: Sequence[Sequence[str]], info: bytes = b"", count: int | None = None) -> bytes:
    """A document of pages of lines.

    Args:
        pages: the lines of each page, ASCII.
        info: the entries of its information dictionary.
        count: the number of pages that it claims to have.
    """
    kids = b" ".join(b"%d 0 R" % (10 + 2 * place) for place in range(len(pages)))
    objects = {
        1: b"<< /Type /Catalog /Pages 2 0 R >>",
        2: b"<< /Type /Pages /Kids [%s] /Count %d >>" % (kids, len(pages) if count is None else count),
        3: b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
        4: b"<< %s >>" % info,
    }
    for place, lines in enumerate(pages):
        shown = b"".join(b"(%s) Tj 0 -14 Td\n" % line.encode() for line in lines)
        objects[10 + 2 * place] = (
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents %d 0 R "
            b"/Resources << /Font << /F 3 0 R >> >> >>" % (11 + 2 * place)
        )
        objects[11 + 2 * place] = stream(b"BT /F 11 Tf 50 800 Td\n%s ET" % shown)
    return pdf(objects, b"/Info 4 0 R")


SOUND = document([[LINE] * 6], b"/Title (Tides in brass) /Author (Florian Voss, Ada Berg)")
NO_TEXT = document([[]])
_PAGE = b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 11 0 R >>"
_ENCRYPTED = b"/Encrypt << /Filter /Standard /V 2 /R 3 /Length 128 /P -4 /O <%s> /U <%s> >> /ID [<00> <00>]"
ENCRYPTED = pdf(
    {1: b"<< /Type /Catalog /Pages 2 0 R >>", 2: b"<< /Type /Pages /Kids [] /Count 0 >>"},
    _ENCRYPTED % (b"1f" * 32, b"2e" * 32),
)
#: Files that are faulty on purpose; none of them has a text.
HOSTILE = {
    "only a beginning": b"%PDF-1.7",
    "nothing but zeros": b"%PDF-1.7\n" + bytes(5000),
    "truncated": SOUND[: len(SOUND) // 3],
    "no catalogue": pdf({2: b"<< /Type /Pages /Kids [] /Count 0 >>"}),
    "pages that contain themselves": pdf(
        {1: b"<< /Type /Catalog /Pages 2 0 R >>", 2: b"<< /Type /Pages /Kids [2 0 R 2 0 R] /Count 9 >>"}
    ),
    "a billion pages": document([], count=1_000_000_000),
    "a length that refers to itself": pdf(
        {
            1: b"<< /Type /Catalog /Pages 2 0 R >>",
            2: b"<< /Type /Pages /Kids [10 0 R] /Count 1 >>",
            10: _PAGE,
            11: b"<< /Length 11 0 R >>\nstream\nBT ET\nendstream",
        }
    ),
    "references in a circle": SOUND.replace(b"/Root 1 0 R", b"/Root 1 0 R /Prev 9", 1)[:-30] + b"startxref\n9\n%%EOF\n",
    "arrays a hundred thousand deep": pdf(
        {1: b"<< /Type /Catalog /Pages 2 0 R /X " + b"[" * 100_000 + b"]" * 100_000 + b" >>", 2: b"<< /Type /Pages >>"}
    ),
    "a stream that grows a thousandfold": pdf(
        {
            1: b"<< /Type /Catalog /Pages 2 0 R >>",
            2: b"<< /Type /Pages /Kids [10 0 R] /Count 1 >>",
            10: _PAGE,
            11: stream(b"q Q " * 50_000_000),
        }
    ),
    "a form that draws itself": pdf(
        {
            1: b"<< /Type /Catalog /Pages 2 0 R >>",
            2: b"<< /Type /Pages /Kids [10 0 R] /Count 1 >>",
            10: _PAGE.replace(b"/Contents", b"/Resources << /XObject << /X 12 0 R >> >> /Contents"),
            11: stream(b"/X Do"),
            12: stream(
                b"/X Do /X Do",
                b"/Type /XObject /Subtype /Form /BBox [0 0 9 9] /Resources << /XObject << /X 12 0 R >> >>",
            ),
        }
    ),
}

"""Media types of articles, detection of binary bodies, and decoding of bytes to text."""

from __future__ import annotations

from w3lib.encoding import html_to_unicode, http_content_type_encoding, read_bom

#: Media types that can contain an article; any other is `wrong_type`.
PLAIN = ("text/plain", "text/markdown", "text/x-markdown")
PDF = "application/pdf"
HTML = ("text/html", "application/xhtml+xml")
READABLE = (*HTML, PDF, "application/x-pdf", *PLAIN)
#: A file that is sent without a type of its own.
_ANY_FILE = ("application/octet-stream", "binary/octet-stream", "application/force-download")

#: The first bytes of file types that are not text, and their names.
_MAGIC: tuple[tuple[bytes, str], ...] = (
    (b"%PDF-", PDF),
    (b"\x89PNG\r\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"RIFF", "a RIFF file"),
    (b"PK\x03\x04", "application/zip"),
    (b"\x1f\x8b", "application/gzip"),
    (b"BZh", "application/x-bzip2"),
    (b"\xfd7zXZ\x00", "application/x-xz"),
    (b"\x28\xb5\x2f\xfd", "application/zstd"),
    (b"7z\xbc\xaf\x27\x1c", "application/x-7z-compressed"),
    (b"Rar!\x1a\x07", "application/vnd.rar"),
    (b"\x7fELF", "an ELF program"),
    (b"\x00asm", "application/wasm"),
    (b"OggS", "application/ogg"),
    (b"ID3", "audio/mpeg"),
    (b"fLaC", "audio/flac"),
    (b"\x1a\x45\xdf\xa3", "video/webm"),
)
_HEAD = 1024
_WIDE = ("utf-16", "utf-32")


def media_type(content_type: str) -> str:
    """``text/html`` of ``Text/HTML; charset=utf-8``; ``""`` without a type."""
    return content_type.partition(";")[0].strip().lower()[:100]


def is_readable(kind: str, path: str) -> bool:
    """Whether a body of the media type *kind* can contain an article; one without a type may be a PDF by its *path*."""
    return not kind or kind in READABLE or (kind in _ANY_FILE and path.lower().endswith(".pdf"))


def binary(body: bytes, content_type: str) -> str | None:
    """The type of a *body* that is not text, whatever its header claims; None for text."""
    head = body[:_HEAD]
    for magic, name in _MAGIC:
        if head.startswith(magic) or (name == PDF and magic in head.lstrip()[:16]):
            return name
    if head[4:8] == b"ftyp":
        return "video/mp4"
    if read_bom(body)[0] or (http_content_type_encoding(content_type) or "").startswith(_WIDE):
        return None
    return "binary" if head.count(0) * 20 > len(head) else None


def to_text(body: bytes, content_type: str) -> str:
    """The characters of *body*: by its byte-order mark, else the header, else its own declaration, else detection."""
    try:
        return html_to_unicode(content_type, body, auto_detect_fun=_detect)[1]
    except (LookupError, UnicodeError):  # Python has codecs that do not decode text: "hex", "idna", "undefined"
        return body.decode(_detect(body), errors="replace")


def _detect(body: bytes) -> str:
    """The encoding of a page that declares none: UTF-8 if valid, else the likeliest by its letters."""
    try:
        body.decode("utf-8")
    except UnicodeDecodeError:
        from charset_normalizer import from_bytes

        best = from_bytes(body[:50_000]).best()
        return best.encoding if best else "utf-8"
    return "utf-8"

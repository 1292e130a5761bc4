"""Text from bytes: what a page declares, what it does not, and what its bytes show."""

from __future__ import annotations

import pytest

from hnintel.web.media import binary, media_type, to_text

WORDS = "<p>Größe, naïveté, señor, çağ — “quoted”</p>"
RUSSIAN = "<html><body><p>" + "Это обычная русская страница о погоде и новостях сегодня. " * 20 + "</p></body></html>"
JAPANESE = (
    "<html><body><p>" + "これは日本語のページです。天気とニュースについて書いてあります。" * 20 + "</p></body></html>"
)


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (WORDS.encode(), "text/html; charset=utf-8"),
        (WORDS.encode(), "text/html"),
        (WORDS.encode("cp1252", "xmlcharrefreplace"), "text/html; charset=iso-8859-1"),
        (b"<meta charset=windows-1252>" + WORDS.encode("cp1252", "xmlcharrefreplace"), "text/html"),
        (b"\xef\xbb\xbf" + WORDS.encode(), "text/html; charset=latin-1"),  # the byte-order mark knows better
        (WORDS.encode("utf-16"), "text/html"),
    ],
)
def test_an_encoding_is_taken_from_the_mark_the_header_or_the_page(body: bytes, content_type: str) -> None:
    assert "señor" in to_text(body, content_type)


@pytest.mark.parametrize(
    ("text", "encoding", "word"),
    [(RUSSIAN, "cp1251", "погоде"), (JAPANESE, "shift_jis", "天気"), (JAPANESE, "euc_jp", "天気")],
)
def test_an_encoding_that_nobody_declares_is_told_by_the_letters(text: str, encoding: str, word: str) -> None:
    assert word in to_text(text.encode(encoding), "text/html")


@pytest.mark.parametrize("declared", ["utf-99", "x-user-defined", "..", "a" * 1000, "undefined", "idna", "hex"])
def test_an_encoding_that_does_not_exist_is_as_good_as_none(declared: str) -> None:
    assert "señor" in to_text(WORDS.encode(), f"text/html; charset={declared}")
    assert "señor" in to_text(f"<meta charset={declared}>{WORDS}".encode(), "text/html")


def test_bytes_that_do_not_fit_are_replaced_and_the_rest_is_kept() -> None:
    assert "kept" in to_text(b"<p>\xff\xfe\xc3\x28 kept</p>"[5:] + b"\xc3", "text/html; charset=utf-8")


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"%PDF-1.7", "application/pdf"),
        (b"\n\n  %PDF-1.4", "application/pdf"),
        (b"GIF89a....", "image/gif"),
        (b"\x00\x00\x00\x18ftypmp42", "video/mp4"),
        (b"\x1f\x8b\x08\x00", "application/gzip"),
        (b"\x7fELF\x02", "an ELF program"),
        (b"<html>" + bytes(200), "binary"),
        (b"<html>\x00</html>" + b"x" * 100, None),  # a stray NUL happens on real pages
        (b"<html><body>%PDF- is how they begin", None),
        (b"", None),
        ("<p>x</p>".encode("utf-16"), None),
    ],
)
def test_what_is_no_text_is_known_by_its_bytes(body: bytes, kind: str | None) -> None:
    assert binary(body, "text/html") == kind


def test_a_media_type_is_in_lower_case_without_its_parameters() -> None:
    assert media_type(" Text/HTML ;charset=x") == "text/html"
    assert media_type("") == ""
    assert len(media_type("x" * 5000)) == 100

"""What may be shown and what may be linked."""

from __future__ import annotations

import unicodedata
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hnintel.site.text import clean, clip, safe_url


@given(st.text())
def test_clean_text_is_one_line_without_controls_and_stays_as_it_is(text: str) -> None:
    line = clean(text)

    assert clean(line) == line
    assert not {char for char in line if unicodedata.category(char) in ("Cc", "Cs", "Zl", "Zp")}
    assert not set(line) & set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f\u061c")
    line.encode("utf-8")


@pytest.mark.parametrize("text", ["می‌خواهم", "क्‍ष", "👩‍💻", "é", "naïve café", "日本語", "Việt Nam", "C# & F#"])
def test_honest_writing_is_left_alone(text: str) -> None:
    assert clean(text) == text


def test_piles_of_combining_marks_are_cut_down() -> None:
    assert len(clean("a" + "\u0316" * 100 + "b")) <= 6


def test_text_of_invisible_characters_alone_is_empty() -> None:
    assert clean("\u200b\u200d\u2060\ufeff\u3164 \u202e\x07") == ""


@pytest.mark.parametrize(
    ("text", "expected"),
    [("short", "short"), ("one two three four", "one two three…"), ("x" * 30, "x" * 14 + "…")],
)
def test_long_text_is_cut_at_a_word_and_marked(text: str, expected: str) -> None:
    assert clip(text, 15) == expected


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://a.example/x?y=1&z=2#w", "https://a.example/x?y=1&z=2#w"),
        ("HTTP://A.example:8080/", "http://a.example:8080/"),
        ("https://en.wikipedia.org/wiki/C_(letter)", "https://en.wikipedia.org/wiki/C_%28letter%29"),
        ("https://a.example/%D7%90", "https://a.example/%D7%90"),
        ("https://a.example/é", "https://a.example/%C3%A9"),
        ("https://bücher.example/", "https://xn--bcher-kva.example/"),
        ("http://[2001:db8::1]:80/x", "http://[2001:db8::1]:80/x"),
        ("https://a.example?x", "https://a.example?x"),
    ],
)
def test_an_honest_address_becomes_plain_ascii_and_leads_to_the_same_place(url: str, expected: str) -> None:
    assert safe_url(url) == expected


@pytest.mark.parametrize(
    "url",
    [
        None,
        "",
        "javascript:alert(1)",
        "https:evil",
        "https://a b.example/",
        "https://a.example:99999/",
        "https://u:p@a.example",
    ],
)
def test_anything_else_is_refused(url: str | None) -> None:
    assert safe_url(url) is None


def test_no_address_of_the_web_platform_tests_escapes_http_or_ascii(web_platform_addresses: list[str]) -> None:
    urls = [url for address in web_platform_addresses if (url := safe_url(address))]

    assert urls
    for url in urls:
        parts = urlsplit(url)
        assert parts.scheme in ("http", "https")
        assert parts.hostname
        assert url.isascii()
        assert not set(url) & set("<>\"'`\\ {}|()")

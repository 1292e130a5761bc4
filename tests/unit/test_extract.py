"""Articles out of pages, and the small HTML of Hacker News."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hnintel.web.extract import Extracted, article, clean, item_text, plain

SENTENCE = "The tide tables were computed in brass, with forty-two wheels and one wire, by a clerk of the harbour. "
PAGE = f"""<!doctype html><html lang="en-GB"><head><title>Tides in brass | The Harbour</title>
<meta property="og:title" content="Tides in brass"><meta name="author" content="Florian Voss">
<meta property="article:published_time" content="2026-10-20T08:00:00Z"></head>
<body><nav><a href="/">Home</a> <a href="/about">About us</a></nav>
<article><h1>Tides in brass</h1><p>{SENTENCE * 4}</p><p>{SENTENCE * 3}</p>
<table><tr><td>Harbour</td><td>4.2 m</td></tr></table><pre><code>tide(42)</code></pre></article>
<section class="comments"><p>First comment, nothing to do with it.</p></section>
<footer>Subscribe to our newsletter</footer></body></html>"""


def test_the_article_is_found_with_what_the_page_says_of_it() -> None:
    found = article(PAGE, "https://harbour.example/tides")
    assert found.text is not None
    assert found.text.count("forty-two wheels") == 7
    assert "4.2 m" in found.text
    assert "tide(42)" in found.text
    assert not any(word in found.text for word in ("About us", "newsletter", "First comment"))
    assert (found.title, found.author, found.language) == ("Tides in brass", "Florian Voss", "en")
    assert found.published_on == date(2026, 10, 20)


def test_an_article_whose_markup_looks_like_a_sidebar_is_read_whole() -> None:
    paragraphs = f"<p>{SENTENCE * 3}</p>" * 6
    page = f"<html><body><div><p>May 19, 2020.</p></div><div class='sidebar'>{paragraphs}</div></body></html>"
    assert (article(page, "https://a.example/").text or "").count("forty-two wheels") == 18


def test_an_author_who_is_a_handle_and_a_day_to_come_are_not_taken_from_the_page() -> None:
    said = PAGE.replace("Florian Voss", "florian").replace("2026-10-20T", "2030-10-20T")
    page = article(said, "https://harbour.example/tides")
    assert (page.title, page.author, page.published_on) == ("Tides in brass", None, None)


@pytest.mark.parametrize(
    "html",
    [
        "",
        " ",
        "<html></html>",
        "<html><body><nav>Home Explore Upload Sign in</nav><noscript>This needs JavaScript.</noscript></body></html>",
        "<!-- only a comment -->",
        "<script>document.write('x')</script>",
        "\x00",
        "<" * 5000,
    ],
)
def test_a_page_without_an_article_has_no_text(html: str) -> None:
    assert article(html, "https://a.example/").text is None


def test_characters_that_only_hide_something_are_taken_out() -> None:
    hidden = PAGE.replace("brass, with", "brass\u200b\u202e\u2066,\x07 with").replace("Tides in", "Tides\ufeff in")
    found = article(hidden, "https://a.example/")
    assert found.text == article(PAGE, "https://a.example/").text
    assert found.title == "Tides in brass"


@pytest.mark.parametrize(
    "code", [0xAD, 0x61C, 0x200B, 0x2060, *range(0x206A, 0x2070), 0xFEFF, 0xE0000, 0xE0041, 0xE007F]
)
def test_a_character_that_hides_is_taken_out(code: int) -> None:
    assert clean(f"be{chr(code)}fore") == "before"


def test_a_line_separator_is_the_end_of_a_line() -> None:
    assert clean("one\u2028two\u2029three") == "one\ntwo\nthree"


def test_joiners_stay_between_letters_and_are_no_text_alone() -> None:
    assert (
        clean("\U0001f469\u200d\U0001f4bb \u0645\u06cc\u200c\u062e")
        == "\U0001f469\u200d\U0001f4bb \u0645\u06cc\u200c\u062e"
    )
    assert plain("\u200d \u200c\u200b") == Extracted(None)


def test_a_plain_text_is_its_own_article() -> None:
    assert plain(" one\n\ntwo \u200b") == Extracted("one\n\ntwo")
    assert plain(" \n") == Extracted(None)


@pytest.mark.parametrize(
    ("html", "text"),
    [
        (None, None),
        ("  ", None),
        ("plain", "plain"),
        ("one<p>two<p>three", "one\n\ntwo\n\nthree"),
        ("a &lt;b&gt; &#x27;c&#x27; &amp;", "a <b> 'c' &"),
        ("<i>x</i> y <pre><code>  z = 1\n</code></pre>after", "x y \n\n  z = 1\n\nafter"),
        (
            '<a href="https:&#x2F;&#x2F;a.example&#x2F;long" rel="nofollow">https:&#x2F;&#x2F;a.example&#x2F;lo...</a>',
            "https://a.example/long",
        ),
        ('<a href="https://evil.example/">https://good.example/...</a>', "https://good.example/..."),
        ("<p>" * 3000 + "deep", "deep"),
        ("<i>" * 3000 + "deep", "deep"),
    ],
)
def test_an_items_html_becomes_text_as_it_reads(html: str | None, text: str | None) -> None:
    found = item_text(html)
    assert found == text or (found is not None and found.replace(" \n", "\n") == (text or "").replace(" \n", "\n"))


@given(st.text(max_size=300))
@settings(max_examples=200, deadline=None)
def test_an_items_html_can_be_anything_and_nothing_hidden_comes_through(html: str) -> None:
    found = item_text(html)
    assert found is None or found == clean(found)


@given(st.text(max_size=300))
@settings(max_examples=60, deadline=None)
def test_a_page_can_be_anything(html: str) -> None:
    article(html, "https://a.example/")

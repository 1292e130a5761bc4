"""What the Markdown promises: whatever the web says stays text, in CommonMark and in GitHub's dialect of it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from hnintel.site.page import Page, render_markdown
from hnintel.site.text import clean, escape_markdown, markdown_link

READER = MarkdownIt("commonmark").enable(["table", "strikethrough"])

HOSTILE = [
    "[click](javascript:alert(1))",
    "[click](https://evil.example)",
    "![x](https://evil.example/pixel.png)",
    "Wow!",
    "<https://evil.example>",
    "<script>alert(1)</script>",
    "&lt;b&gt; &copy; &#x3c;",
    "# Heading",
    "Heading\n===",
    "- item\n- item",
    "1. item",
    "1) item",
    "+ item",
    "> quote",
    "```sh\nrm -rf\n```",
    "    code",
    "a | b | c\n--- | --- | ---",
    "\\",
    "\\[x](https://evil.example)",
    "**bold** _it_ ~~gone~~ `code`",
    "[x]: https://evil.example",
    "***",
    "$$x$$ {.class} ^[note]",
    "\u202e]evil[",
]


def shape(text: str) -> list[str]:
    """The blocks and inline elements of a document in order, without their text."""
    names = []
    for token in READER.parse(text):
        names.append(token.type)
        names += [child.type for child in token.children or [] if child.type not in ("text", "text_special")]
    return names


def shown(markdown: str) -> str:
    """The text of a document of one paragraph, list item or cell, as a reader sees it."""
    inline = [token for token in READER.parse(markdown) if token.type == "inline"]
    assert len(inline) <= 1, markdown
    children = inline[0].children or [] if inline else []
    assert {child.type for child in children} <= {"text", "text_special"}, markdown
    return "".join(child.content for child in children)


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_changes_no_element_of_the_document(page_saying: Callable[..., Page], text: str) -> None:
    assert shape(render_markdown(page_saying(text))) == shape(render_markdown(page_saying("plain words")))


@pytest.mark.parametrize("of", [10, pytest.param(1, marks=pytest.mark.slow)])
def test_naughty_strings_change_no_element_of_the_document(
    page_saying: Callable[..., Page], naughty_strings: list[str], of: int
) -> None:
    plain = shape(render_markdown(page_saying("plain words")))
    for text in naughty_strings[::of]:
        # A string that is nothing but invisible characters leaves an empty place, which no reader can be led by.
        if clean(text):
            assert shape(render_markdown(page_saying(text))) == plain, text


@settings(max_examples=300, deadline=None)
@given(st.one_of(st.text(), st.text(alphabet="\\`*_{}[]()<>#+-.!|~&@$^=:/ \n1aw")))
def test_escaped_text_reads_as_itself_wherever_a_line_can_start(text: str) -> None:
    escaped, expected = escape_markdown(text), clean(text)

    assert shown(escaped) == expected
    assert shown(f"- {escaped}") == expected
    assert shown(f"3. {escaped}") == expected


@pytest.mark.parametrize("text", ["https://evil.example/x", "http://1.2.3.4/", "www.evil.example", "mail@evil.example"])
def test_bare_addresses_are_broken_so_that_no_reader_makes_links_of_them(text: str) -> None:
    assert not re.search(r"\w://|www\.\w|\w@\w", escape_markdown(text))


@pytest.mark.parametrize(
    "url", ["https://a.example/x_(y)|z", "https://a.example/<b>", 'https://a.example/"x"', "https://a.example/`"]
)
def test_a_linked_address_cannot_leave_its_place(url: str) -> None:
    document = READER.parse(f"| h |\n| --- |\n| {markdown_link('text', url)} |")
    inline = [token for token in document if token.type == "inline"]

    assert len(inline) == 2
    assert [child.type for child in inline[1].children or []] == ["link_open", "text", "link_close"]


def test_an_address_that_must_not_be_followed_is_no_link() -> None:
    assert markdown_link("text", "javascript:alert(1)") == "text"


def test_a_story_says_what_its_commenters_agree_and_disagree_on(page_saying: Callable[..., Page]) -> None:
    page = page_saying("plain words")
    told = replace(page.top_stories[0], agreement="It is [fast](x).", disagreement="It is *not*.", tone="mixed")
    (line,) = [one for one in render_markdown(replace(page, top_stories=(told,))).split("\n") if "mixed" in one]
    assert "· comments mixed" in line
    assert line.endswith("· commenters agree: It is \\[fast\\]\\(x\\). · they disagree: It is \\*not\\*.")


def test_claims_link_to_the_discussions_of_the_stories_they_cite(page_saying: Callable[..., Page]) -> None:
    text = render_markdown(page_saying("plain words"))

    assert (
        "- plain words ([1](<https://news.ycombinator.com/item?id=101>), [2](<https://news.ycombinator.com/item?id=102>))"
        in text.splitlines()
    )


def test_sample_data_is_called_invented_and_links_nowhere(sample_page: Page) -> None:
    text = render_markdown(sample_page)

    assert "Invented sample data" in text
    assert "link_open" not in shape(text)


def test_an_empty_day_says_what_is_missing_in_sentences(empty_page: Page) -> None:
    text = render_markdown(empty_page)

    assert "No briefing was written for this day." in text
    assert "There are no stories for this day." in text
    assert "|" not in text


def test_no_line_ends_in_blanks_and_no_gap_is_wider_than_one_line(page_saying: Callable[..., Page]) -> None:
    text = render_markdown(page_saying("plain words"))

    assert not re.search(r"[ \t]\n", text)
    assert "\n\n\n" not in text

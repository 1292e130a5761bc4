"""What the HTML page promises: it loads nothing, runs nothing, says who made it, and stands up to hostile text."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from lxml import html

from hnintel.site.page import Claim, Page, page_path, render_index, render_markdown, render_page
from hnintel.site.view import wall
from hnintel.web.walls import wordings

HOSTILE = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    '"><svg/onload=alert(1)>',
    "' onmouseover='alert(1)",
    "</style><style>*{display:none}</style>",
    "</title></h1></bdi></p></main><h1>Owned</h1>",
    "<!-- --!><base href=https://evil.example>",
    "{{ 7 * 7 }}{% raw %}",
    "<a href=https://evil.example>here</a>",
]
LOADING = ("script", "link", "iframe", "object", "embed", "img", "image", "use", "base", "form")
REFERENCES = ("src", "srcset", "data", "action", "formaction", "poster", "background", "cite", "ping", "xlink:href")


def parsed(text: str) -> html.HtmlElement:
    return html.document_fromstring(text)


def shape(text: str) -> list[str]:
    """The elements of a page in order, without their text."""
    return [element.tag for element in parsed(text).iter() if isinstance(element.tag, str)]


def assert_loads_and_runs_nothing(text: str) -> None:
    tree = parsed(text)
    assert not [element for tag in LOADING for element in tree.iter(tag)]
    for element in tree.iter():
        if isinstance(element.tag, str):
            names = [name.lower() for name in element.attrib]
            assert not [name for name in names if name.startswith("on") or name == "style" or name in REFERENCES]
    css = "".join(tree.xpath("//style/text()"))
    assert "url(" not in css
    assert "@import" not in css


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_changes_no_element_of_the_page(page_saying: Callable[..., Page], text: str) -> None:
    page = render_page(page_saying(text))

    assert shape(page) == shape(render_page(page_saying("plain words")))
    assert_loads_and_runs_nothing(page)


@pytest.mark.parametrize("of", [10, pytest.param(1, marks=pytest.mark.slow)])
def test_naughty_strings_change_no_element_of_the_page(
    page_saying: Callable[..., Page], naughty_strings: list[str], of: int
) -> None:
    plain = shape(render_page(page_saying("plain words")))
    # Joined in heaps, since each rendering draws charts; a string that broke out would take its heap with it.
    strings = naughty_strings[::of]
    for start in range(0, len(strings), 8):
        page = render_page(page_saying("x " + " ".join(strings[start : start + 8])))
        assert shape(page) == plain
        assert_loads_and_runs_nothing(page)
        page.encode("utf-8")


@pytest.mark.parametrize("char", list("\u202e\u2066\u200f\u061c\u200b\ufeff\x00\x1b\U000e0041"))
def test_invisible_and_bidi_control_characters_are_not_on_the_page(page_saying: Callable[..., Page], char: str) -> None:
    assert char not in render_page(page_saying(f"be{char}fore"))


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "JaVaScRiPt:alert(1)",
        " javascript:alert(1)",
        "java\nscript:alert(1)",
        "data:text/html,<script>alert(1)</script>",
        "vbscript:x",
        "file:///etc/passwd",
        "//evil.example/",
        "https://bank.example@evil.example/",
        "https://",
        "https://[::1",
        "https://evil.example\\.bank.example/",
    ],
)
def test_an_address_that_must_not_be_followed_is_shown_as_text(page_saying: Callable[..., Page], url: str) -> None:
    tree = parsed(render_page(page_saying("plain words", url=url)))

    assert not [link for link in tree.xpath("//h3//a/@href") if "ycombinator" not in link]
    assert "not linked" in tree.text_content()


def test_a_story_says_what_its_commenters_agree_and_disagree_on(page_saying: Callable[..., Page]) -> None:
    page = page_saying("plain words")
    first = replace(page.top_stories[0], agreement="It is fast.", disagreement="It is not <b>safe</b>.", tone="mixed")
    silent = replace(first, agreement=None, disagreement=None, tone=None)
    told = parsed(render_page(replace(page, top_stories=(first,), claims=()))).xpath("//article")[0].text_content()
    assert "Commenters agree: It is fast." in " ".join(told.split())
    assert "They disagree: It is not <b>safe</b>." in " ".join(told.split())
    assert "comments mixed" in " ".join(told.split())
    alone = parsed(render_page(replace(page, top_stories=(silent,), claims=()))).xpath("//article")[0].text_content()
    assert "agree" not in alone


@pytest.mark.parametrize("kind", [kind for kind in wordings() if kind != "lines"])
def test_a_story_says_in_words_why_its_article_could_not_be_read(page_saying: Callable[..., Page], kind: str) -> None:
    page = page_saying("Words")
    walled = replace(page, claims=(), top_stories=(replace(page.top_stories[0], wall=kind),))
    said, words = wall(kind), {"paywall": "paywall", "login": "log-in form"}
    assert said == words.get(kind, said)
    assert "_" not in said
    (entry,) = parsed(render_page(walled)).xpath("//li/article")
    assert f"Could not be read: {said}" in entry.text_content()
    assert f"could not be read: {said}" in render_markdown(walled)


def test_a_story_whose_article_was_read_says_nothing_of_walls(page_saying: Callable[..., Page]) -> None:
    page = page_saying("Words")
    read = replace(page, claims=(), top_stories=(replace(page.top_stories[0], wall=None),))
    assert "ould not be read" not in render_page(read) + render_markdown(read)


def test_links_leave_only_for_the_story_and_its_discussion(page_saying: Callable[..., Page]) -> None:
    tree = parsed(render_page(page_saying("plain words")))
    outbound = [a for a in tree.xpath("//a") if "://" in a.get("href")]

    assert {a.get("href") for a in outbound} == {
        "https://site.example/a",
        "https://news.ycombinator.com/item?id=101",
        "https://news.ycombinator.com/item?id=102",
    }
    assert {a.get("rel") for a in outbound} == {"nofollow noopener noreferrer"}


def test_every_claim_leads_to_the_entries_of_the_stories_it_cites(page_saying: Callable[..., Page]) -> None:
    tree = parsed(render_page(page_saying("plain words")))

    for claim in tree.xpath("//div[@class='claim']"):
        links = claim.xpath(".//ul[@class='sources']//a/@href")
        assert links == ["#story-101", "#story-102"]
        assert all(tree.get_element_by_id(link[1:]).tag == "article" for link in links)


def test_a_claim_without_sources_says_so(page_saying: Callable[..., Page]) -> None:
    page = replace(page_saying("plain words"), claims=(Claim("trends", "Up.", ()),))

    assert "This claim cites no story." in render_page(page)


def test_a_claim_of_an_unknown_section_is_refused() -> None:
    with pytest.raises(ValueError, match="section"):
        Claim("gossip", "It is said that …", ())


def test_sample_data_is_called_invented_and_links_nowhere_outside(sample_page: Page) -> None:
    page = render_page(sample_page)

    assert "Invented sample data" in page
    assert not [link for link in parsed(page).xpath("//a/@href") if "://" in link]


def test_the_policy_allows_the_pages_own_style_and_nothing_else(page_saying: Callable[..., Page]) -> None:
    tree = parsed(render_page(page_saying("plain words")))
    (policy,) = tree.xpath("//meta[@http-equiv='Content-Security-Policy']/@content")
    (style,) = tree.xpath("//style/text()")

    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert f"style-src 'sha256-{digest}'" in policy
    assert policy.startswith("default-src 'none';")
    assert "unsafe" not in policy


def test_an_empty_day_says_what_is_missing_in_sentences(empty_page: Page) -> None:
    page = render_page(empty_page)

    for sentence in (
        "No briefing was written for this day.",
        "There are no stories for this day.",
        "No story of this day was given a topic.",
        "No story’s sentiment is known.",
        "No names were found",
        "No story of this day links to a site.",
        "No articles were asked for.",
    ):
        assert sentence in page
    assert not parsed(page).xpath("//table | //svg | //ol")


@pytest.mark.parametrize("days", [1, 3, 30])
def test_a_history_of_any_length_has_a_row_a_day(page_saying: Callable[..., Page], days: int) -> None:
    tree = parsed(render_page(page_saying("plain words", days=days)))

    assert len(tree.xpath("//details//tbody/tr")) == days
    assert tree.xpath("//svg[contains(@class, 'sentiment-chart')]/@aria-label")[0].startswith("Stories by sentiment")


def test_charts_are_shapes_with_a_name_and_without_scripts_styles_or_ids(page_saying: Callable[..., Page]) -> None:
    charts = parsed(render_page(page_saying("plain words"))).xpath("//svg")

    assert len(charts) == 3
    for chart in charts:
        assert chart.get("role") == "img"
        assert chart.get("aria-label") == chart.xpath("./title/text()")[0]
        assert {child.tag for child in chart.iter()} <= {"svg", "title", "g", "rect", "path", "text"}
        assert not chart.xpath(".//@id | .//@style | .//comment()")


def test_the_same_page_is_the_same_file_but_for_when_it_was_written(page_saying: Callable[..., Page]) -> None:
    page = page_saying("plain words")
    later = replace(page, provenance=replace(page.provenance, written_at=datetime(2026, 10, 24, 7, 0, tzinfo=UTC)))

    def without_written(text: str) -> str:
        return re.sub(r"<div><dt>Written</dt>.*?</div>", "", text)

    assert render_page(page) == render_page(page)
    assert without_written(render_page(page)) == without_written(render_page(later))
    assert render_page(page) != render_page(later)


def test_right_to_left_text_is_isolated_from_what_surrounds_it(page_saying: Callable[..., Page]) -> None:
    hebrew = "מסד נתונים חדש"
    tree = parsed(render_page(page_saying(hebrew)))

    for element in tree.xpath(f"//body//*[not(self::title)][contains(text(), '{hebrew}')]"):
        around = [element, *element.iterancestors()]
        assert any(e.tag == "bdi" or e.get("dir") == "auto" for e in around), element.tag


def test_a_reader_of_the_page_alone_can_tell_how_it_was_made(page_saying: Callable[..., Page]) -> None:
    footer = parsed(render_page(page_saying("run-7"))).xpath("//footer")[0].text_content()

    for fact in ("machine-made", "model-a", "312", "184,302", "0.4127 credits", "hacker_news", "run-7", "New_York"):
        assert fact in footer


def test_headings_landmarks_and_ids_are_in_order(page_saying: Callable[..., Page]) -> None:
    tree = parsed(render_page(page_saying("plain words")))
    ids = tree.xpath("//@id")

    assert len(tree.xpath("//h1")) == len(tree.xpath("//main")) == len(tree.xpath("//body/footer")) == 1
    assert len(ids) == len(set(ids))
    assert all(link[1:] in ids for link in tree.xpath("//a/@href") if link.startswith("#"))
    assert tree.xpath("//a[@class='skip']/@href") == ["#content"]


def test_the_index_lists_the_briefings_newest_first_and_escapes_headlines() -> None:
    oldest, older, newest = date(2025, 12, 31), date(2026, 10, 21), date(2026, 10, 22)
    page = render_index([(oldest, HOSTILE[0], 1), (newest, "Two", 71), (older, "", 70)])

    assert parsed(page).xpath("//main//a/@href") == [page_path(newest), page_path(older), page_path(oldest)]
    assert "No headline was written for this day." in page
    assert_loads_and_runs_nothing(page)


def test_an_index_without_briefings_says_so() -> None:
    assert "No briefing has been published yet." in render_index([])

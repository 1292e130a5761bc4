"""What a page says of its article in a sentence, and the name of its site."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hnintel.web.extract import article
from hnintel.web.page_metadata import LONGEST_DESCRIPTION, LONGEST_SITE_NAME, one_line

SENTENCE = "A clerk of the harbour computed the tides with forty-two wheels of brass."
TEXT = "<article>" + f"<p>{SENTENCE} {SENTENCE} {SENTENCE}</p>" * 4 + "</article>"


def page(head: str, title: str = "Tides in brass | The Harbour") -> str:
    return f"<!doctype html><html><head><title>{title}</title>{head}</head><body>{TEXT}</body></html>"


def described(head: str, title: str = "Tides in brass | The Harbour") -> str | None:
    return article(page(head, title), "https://harbour.example/tides").description


def meta(name: str, content: str, attribute: str = "name") -> str:
    return f'<meta {attribute}="{name}" content="{content}">'


def data(**said: object) -> str:
    return f'<script type="application/ld+json">{json.dumps(said)}</script>'


def test_the_description_is_the_pages_own_then_that_of_open_graph_then_that_of_the_linked_data() -> None:
    own, graph = meta("Description", "Own."), meta("og:description", "Graph.", "property")
    linked = data(**{"@graph": [{"@type": ["NewsArticle"], "description": "Linked."}]})
    assert described(linked + graph + own) == "Own."
    assert described(linked + graph) == "Graph."
    assert described(linked) == "Linked."
    assert described("") is None


@pytest.mark.parametrize("empty", ["", "  ", "&nbsp;", "<br>", "..."])
def test_a_description_without_a_word_gives_way_to_the_next(empty: str) -> None:
    assert described(meta("description", empty) + meta("og:description", "Graph.", "property")) == "Graph."


def test_linked_data_that_describes_no_article_is_not_taken() -> None:
    assert described(data(**{"@type": "Organization", "description": "We run harbours."})) is None


@pytest.mark.parametrize("slogan", ["The Harbour", "the harbour.", "Tides in brass", "Tides in brass | The Harbour"])
def test_a_description_that_is_the_title_or_the_name_of_the_site_is_none(slogan: str) -> None:
    assert described(meta("description", slogan)) is None
    assert described(meta("description", slogan) + meta("og:description", SENTENCE, "property")) == SENTENCE


def test_a_slogan_that_follows_the_name_of_the_site_in_the_title_is_no_description() -> None:
    assert described(meta("description", "News of all ports"), "Tides – The Harbour – News of all ports") is None


def test_a_description_has_no_markup_no_entities_and_no_control_characters() -> None:
    hostile = "Tides&lt;script&gt;x()&lt;/script&gt; &amp;amp; &amp;lt;b&amp;gt;brass&amp;lt;/b&amp;gt;"
    assert described(meta("description", f"{hostile}\u202e\u200b\n wheels&#x202e;")) == "Tidesx() & brass wheels"


def test_a_long_description_is_cut_at_a_word_and_a_long_name_of_a_site_too() -> None:
    found = article(
        page(meta("description", "brass " * 50_000) + meta("og:site_name", "harbour " * 500, "property")), ""
    )
    assert found.description is not None
    assert found.site_name is not None
    assert found.description.endswith("brass…")
    assert len(found.description) <= LONGEST_DESCRIPTION
    assert len(found.site_name) <= LONGEST_SITE_NAME
    assert len(article(page(meta("description", "b" * 9000)), "").description or "") == LONGEST_DESCRIPTION


def test_the_name_of_the_site_is_what_it_calls_itself() -> None:
    assert article(page(meta("og:site_name", "The  Harbour", "property")), "").site_name == "The Harbour"
    publisher = data(**{"@type": "NewsArticle", "publisher": {"@type": "Organization", "name": "Harbour News"}})
    assert article(page(publisher), "").site_name == "Harbour News"
    assert article(page(""), "").site_name is None


@pytest.mark.parametrize(
    ("links", "declared"),
    [
        ('<link rel="canonical" href="https://harbour.example/a">', "https://harbour.example/a"),
        ('<link rel="Alternate Canonical" href=" ../b ">', "https://harbour.example/b"),
        (
            '<link rel="canonical" href="/a"><link rel="canonical" href="https://harbour.example/a">',
            "https://harbour.example/a",
        ),
        ('<link rel="canonical" href="/a"><link rel="canonical" href="/b">', None),
        ('<link rel="canonical" href="http://[">', None),
        ('<link rel="canonical">', None),
        ('<link rel="stylesheet" href="/a">', None),
    ],
)
def test_the_address_that_a_page_declares_is_one_or_none(links: str, declared: str | None) -> None:
    assert article(page(links), "https://harbour.example/x/tides").declared_url == declared


@given(st.text())
def test_any_text_becomes_a_line_without_tags(text: str) -> None:
    assert "\n" not in one_line(text)
    assert one_line(f"<p>{one_line('brass')}</p>") == "brass"

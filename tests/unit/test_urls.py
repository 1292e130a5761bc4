"""Which article a URL names, and which site it is of."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hnintel.http.urls import TRACKING, canonical_url, domain


@pytest.mark.parametrize(
    ("url", "canonical"),
    [
        ("https://a.example/x", "https://a.example/x"),
        (" https://A.Example/X ", "https://a.example/X"),
        ("HTTPS://a.example/x#part", "https://a.example/x"),
        ("https://a.example:443/x", "https://a.example/x"),
        ("http://a.example:80/x", "http://a.example/x"),
        ("https://a.example:8443/x", "https://a.example:8443/x"),
        ("https://a.example/?b=2&a=1", "https://a.example/?a=1&b=2"),
        ("https://a.example/?id=7&utm_source=hn&fbclid=x", "https://a.example/?id=7"),
        ("https://a.example", "https://a.example/"),
    ],
)
def test_urls_that_name_one_article_have_one_key(url: str, canonical: str) -> None:
    assert canonical_url(url) == canonical


@pytest.mark.parametrize(
    "url",
    [
        None,
        "",
        "  ",
        "a.example/x",
        "/x",
        "ftp://a.example/",
        "javascript:alert(1)",
        "http://",
        "http://a.example:port/",
    ],
)
def test_what_cannot_be_fetched_has_no_key(url: str | None) -> None:
    assert canonical_url(url) is None


@pytest.mark.parametrize("parameter", TRACKING)
def test_where_a_reader_came_from_is_not_part_of_the_key(parameter: str) -> None:
    assert canonical_url(f"https://a.example/x?id=1&{parameter}=hn") == "https://a.example/x?id=1"


@given(st.text(max_size=80))
def test_any_text_has_a_key_or_none_and_a_key_is_its_own(text: str) -> None:
    for url in (text, f"http://{text}", f"https://a.example/{text}"):
        key = canonical_url(url)
        assert key is None or canonical_url(key) == key
        domain(url)


@pytest.mark.parametrize(
    ("url", "site"),
    [
        ("https://www.a.example/x", "a.example"),
        ("https://News.A.example./x", "news.a.example"),
        ("https://user@a.example:8080/", "a.example"),
        ("http://[::1]/", "::1"),
        ("no url", None),
        (None, None),
        ("http://[", None),
    ],
)
def test_a_site_is_the_host_a_reader_would_name(url: str | None, site: str | None) -> None:
    assert domain(url) == site

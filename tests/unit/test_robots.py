"""What a robots.txt says to us."""

from __future__ import annotations

import pytest

from hnintel.web.robots import NO_RULES, RobotsCache, Rules, parse, robots_url

US = "hn-intelligence/0.1 (+https://example.com/contact)"


@pytest.mark.parametrize(
    ("text", "path", "allowed"),
    [
        ("User-agent: *\nDisallow: /", "/x", False),
        ("User-agent: *\nDisallow:", "/x", True),
        ("User-agent: *\nDisallow: /a", "/b", True),
        ("User-agent: *\nDisallow: /\nAllow: /news", "/news/1", True),
        ("User-agent: *\nDisallow: /*.pdf$", "/x.pdf", False),
        ("User-agent: hn-intelligence\nDisallow: /\n\nUser-agent: *\nDisallow:", "/x", False),
        ("User-agent: HN-Intelligence\nDisallow:\n\nUser-agent: *\nDisallow: /", "/x", True),
        ("User-agent: example\nDisallow: /", "/x", True),  # a word of our contact is not our name
        ("User-agent: GPTBot\nDisallow: /", "/x", True),
        ("", "/x", True),
        ("<html><body>Not found</body></html>", "/x", True),
        ("\x00\x01\x02 Disallow /", "/x", True),
    ],
)
def test_rules_are_those_for_our_name_else_those_for_all(text: str, path: str, allowed: bool) -> None:
    assert parse(text.encode()).allows(f"https://a.example{path}", US) is allowed


def test_a_site_without_rules_allows_everything() -> None:
    assert NO_RULES.allows("https://a.example/x", US)
    assert NO_RULES.delay(US) == 0


@pytest.mark.parametrize(("wish", "kept"), [("2", 2.0), ("0.5", 0.5), ("86400", 30.0), ("-5", 0.0), ("soon", 0.0)])
def test_a_crawl_delay_is_kept_within_reason(wish: str, kept: float) -> None:
    assert parse(f"User-agent: *\nCrawl-delay: {wish}\n".encode()).delay(US) == kept


def test_a_robots_txt_that_is_hostile_is_read_in_time_that_its_length_explains() -> None:
    stars = "User-agent: *\n" + "Disallow: /" + "*a" * 2000 + "b\n"
    assert parse((stars * 20).encode()).allows("https://a.example/" + "a" * 2000, US)


@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("https://a.example/x/y?z#f", "https://a.example/robots.txt"),
        ("http://a.example:8080/", "http://a.example:8080/robots.txt"),
        ("HTTP://A.Example.:80/x", "http://a.example/robots.txt"),
        ("https://a.example.:8443/", "https://a.example:8443/robots.txt"),
        ("http://bücher.example/", "http://xn--bcher-kva.example/robots.txt"),
        ("http://[2606:4700::1]:8080/x", "http://[2606:4700::1]:8080/robots.txt"),
    ],
)
def test_rules_are_those_of_scheme_host_and_port(url: str, place: str) -> None:
    assert robots_url(url) == place


def test_rules_are_kept_for_an_hour_and_a_failure_to_read_them_for_minutes() -> None:
    now = 0.0
    cache = RobotsCache(clock=lambda: now)
    assert cache.get("https://a.example/robots.txt") is None
    cache.put("https://a.example/robots.txt", NO_RULES)
    cache.put("https://b.example/robots.txt", Rules(unreachable="HTTP 503"))
    now = 301.0
    assert cache.get("https://a.example/robots.txt") is NO_RULES
    assert cache.get("https://b.example/robots.txt") is None
    now = 3601.0
    assert cache.get("https://a.example/robots.txt") is None

"""robots.txt (RFC 9309): a site's rules for robots, cached by site. Pure; fetcher.py reads the file."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import httpx
from protego import Protego

from hnintel.http.urls import DEFAULT_PORTS, host_name

#: The most bytes parsed of a robots.txt; the standard requires 500 KiB.
MAX_BYTES = 512_000
#: The longest crawl delay (seconds) that is honoured; a longer delay is cut to it.
_LONGEST_DELAY = 30.0


@dataclass(frozen=True, slots=True)
class Rules:
    """The rules of a site. ``unreachable`` is why they are unknown; then no page of the site is read yet."""

    parsed: Protego | None = None
    unreachable: str | None = None
    retry_after: float | None = None

    def allows(self, url: str, user_agent: str) -> bool:
        """Whether *url* may be read."""
        return self.parsed is None or self.parsed.can_fetch(url, _token(user_agent))

    def delay(self, user_agent: str) -> float:
        """The site's crawl delay in seconds; 0 if it sets none."""
        seconds = self.parsed.crawl_delay(_token(user_agent)) if self.parsed else None
        return min(max(float(seconds or 0.0), 0.0), _LONGEST_DELAY)


#: The rules of a site without a robots.txt: every page may be read.
NO_RULES = Rules()


def parse(body: bytes) -> Rules:
    """Parse a robots.txt; other content, such as a page, has no rules."""
    return Rules(Protego.parse(body.decode("utf-8", errors="replace")))


def robots_url(url: str) -> str:
    """The URL of the robots.txt for *url*, the same for every spelling of its site."""
    parsed = httpx.URL(url)
    host = asked_host(url)
    port = "" if parsed.port in (None, DEFAULT_PORTS.get(parsed.scheme)) else f":{parsed.port}"
    return f"{parsed.scheme}://{f'[{host}]' if ':' in host else host}{port}/robots.txt"


def asked_host(url: str) -> str:
    """The host of *url*, normalised: ASCII, lower case, without a final dot.

    Raises:
        httpx.InvalidURL: *url* is not a valid URL.
    """
    return host_name(httpx.URL(url).raw_host.decode("ascii"))


class RobotsCache:
    """A cache of rules by robots.txt URL: valid rules for an hour, unreachable ones for some minutes."""

    def __init__(self, clock: Callable[[], float] = time.monotonic, lifetime: float = 3600.0, retry: float = 300.0):
        self._clock, self._lifetime, self._retry = clock, lifetime, retry
        self._known: dict[str, tuple[float, Rules]] = {}

    def get(self, robots: str) -> Rules | None:
        """The rules of a robots.txt URL, or None if unknown or expired."""
        until, rules = self._known.get(robots, (0.0, None))
        return rules if rules is not None and self._clock() < until else None

    def put(self, robots: str, rules: Rules) -> None:
        """Store *rules*."""
        self._known[robots] = (self._clock() + (self._retry if rules.unreachable else self._lifetime), rules)


def _token(user_agent: str) -> str:
    """The product token of a user agent, which robots.txt names: ``hn-intelligence`` of ``…/0.1 (+…)``."""
    return user_agent.split("/", 1)[0].split(" ", 1)[0]

"""robots.txt (RFC 9309): what a site asks of robots, read once a site and kept for the run. Pure; fetch.py reads it."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import httpx
from protego import Protego

from hnintel.http.urls import DEFAULT_PORTS, host_name

#: Bytes of a robots.txt that are looked at; the standard asks for 500 KiB at least.
MAX_BYTES = 512_000
#: The longest pause between two requests that a site can ask for; one that asks for more is not worth a run's time.
_LONGEST_DELAY = 30.0


@dataclass(frozen=True, slots=True)
class Rules:
    """What one site asks for. ``unreachable`` says why its wishes are not known: then nothing of it is read yet."""

    parsed: Protego | None = None
    unreachable: str | None = None
    retry_after: float | None = None

    def allows(self, url: str, user_agent: str) -> bool:
        """Whether *url* may be read."""
        return self.parsed is None or self.parsed.can_fetch(url, _token(user_agent))

    def delay(self, user_agent: str) -> float:
        """Seconds that the site wants between two requests; 0 where it does not say."""
        wanted = self.parsed.crawl_delay(_token(user_agent)) if self.parsed else None
        return min(max(float(wanted or 0.0), 0.0), _LONGEST_DELAY)


#: A site without a robots.txt: everything may be read.
NO_RULES = Rules()


def parse(body: bytes) -> Rules:
    """The rules of a robots.txt; what is no robots.txt (a page, say) has none."""
    return Rules(Protego.parse(body.decode("utf-8", errors="replace")))


def robots_url(url: str) -> str:
    """Where the rules for *url* are; the same for every spelling of its site."""
    asked = httpx.URL(url)
    host = asked_host(url)
    port = "" if asked.port in (None, DEFAULT_PORTS.get(asked.scheme)) else f":{asked.port}"
    return f"{asked.scheme}://{f'[{host}]' if ':' in host else host}{port}/robots.txt"


def asked_host(url: str) -> str:
    """The host that a request for *url* goes to, in one spelling: ASCII, lower case, no dot at its end.

    Raises:
        httpx.InvalidURL: it is no URL that can be asked for.
    """
    return host_name(httpx.URL(url).raw_host.decode("ascii"))


class RobotsCache:
    """Rules by the address of their robots.txt, each kept for a while: for good ones an hour, else some minutes."""

    def __init__(self, clock: Callable[[], float] = time.monotonic, lifetime: float = 3600.0, retry: float = 300.0):
        self._clock, self._lifetime, self._retry = clock, lifetime, retry
        self._known: dict[str, tuple[float, Rules]] = {}

    def get(self, robots: str) -> Rules | None:
        """The rules, if they are known and not too old."""
        until, rules = self._known.get(robots, (0.0, None))
        return rules if rules is not None and self._clock() < until else None

    def put(self, robots: str, rules: Rules) -> None:
        """Keep *rules*."""
        self._known[robots] = (self._clock() + (self._retry if rules.unreachable else self._lifetime), rules)


def _token(user_agent: str) -> str:
    """The product token of a user agent, which is what a robots.txt names: ``hn-intelligence`` of ``…/0.1 (+…)``."""
    return user_agent.split("/", 1)[0].split(" ", 1)[0]

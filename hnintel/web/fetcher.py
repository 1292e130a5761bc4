"""Fetches articles: a GET within bounds (scheme, address, redirects, size, type, time) that ends in one outcome."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from http.cookiejar import CookieJar, DefaultCookiePolicy
from types import TracebackType
from typing import Self

import httpx

from hnintel.http.decoding import ACCEPT_ENCODING, Body, DecodingFailed, TooLarge
from hnintel.settings import Settings
from hnintel.web import media, outcomes, robots
from hnintel.web.host_limits import HostTurns, WaitedEnough
from hnintel.web.outcomes import Fetched, Outcome


class Fetcher:
    """Fetches pages through a transport, within the bounds of the settings; safe for concurrent fetches.

    Args:
        transport: the transport of requests; a :class:`~hnintel.web.guard.GuardedTransport` for the web.
        settings: the bounds.
        turns: limits of requests to a host, shared by the chunks of a run; by default the fetcher's own.
        rules: the cache of robots.txt rules, shared likewise.
    """

    def __init__(
        self,
        transport: httpx.AsyncBaseTransport,
        settings: Settings,
        turns: HostTurns | None = None,
        rules: robots.RobotsCache | None = None,
    ) -> None:
        self._settings = settings
        self._turns = turns or HostTurns(
            settings.article_per_host, settings.article_host_delay, most_waiting=settings.article_host_wait
        )
        self._rules = rules or robots.RobotsCache()
        self._reading_rules: dict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._client = httpx.AsyncClient(
            transport=transport,
            trust_env=False,
            follow_redirects=False,
            auth=httpx.Auth(),  # adds nothing; without it httpx would send credentials from a URL
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
            headers={
                "User-Agent": settings.user_agent,
                "Accept": "text/html,application/xhtml+xml,application/pdf;q=0.9,text/plain;q=0.8",
                "Accept-Encoding": ACCEPT_ENCODING,
            },
            timeout=httpx.Timeout(settings.article_read_timeout, connect=settings.article_connect_timeout, pool=None),
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._client.aclose()

    async def fetch(self, url: str, etag: str | None = None, last_modified: str | None = None) -> Fetched:
        """GET *url*; never raises for an error of a site or a network.

        With the *etag* or *last_modified* of an earlier answer, a site may answer ``unchanged`` without a body.
        """
        validators = {"If-None-Match": etag, "If-Modified-Since": last_modified}
        headers = {name: value for name, value in validators.items() if value}
        deadline = _Deadline(self._settings.article_total_timeout)
        is_permanent = True
        for hop in range(self._settings.max_redirects + 1):
            refusal = outcomes.refusal(url)
            if refusal:
                return Fetched("refused", refusal, url=url)
            rules = await self._rules_for(url)
            try:
                result = await self._hop(url, headers, rules, deadline)
            except WaitedEnough:
                return Fetched("failed", "the pauses of its host were longer than a run waits", url=url, tried=hop > 0)
            if isinstance(result, Fetched):
                return replace(result, moved=is_permanent and hop > 0)
            url, is_permanent = result.url, is_permanent and result.is_permanent
        return Fetched("refused", f"more than {self._settings.max_redirects} redirects", url=url)

    async def _hop(
        self, url: str, headers: dict[str, str], rules: robots.Rules, deadline: _Deadline
    ) -> Fetched | _Redirect:
        """One request, after waiting for the host: the outcome, or a redirect."""
        host = robots.asked_host(url)
        if rules.unreachable:
            return Fetched("failed", f"robots.txt: {rules.unreachable}", url=url, retry_after=rules.retry_after)
        if not rules.allows(url, self._settings.user_agent):
            return Fetched("refused", "robots.txt asks that this is not read", url=url)
        async with self._turns.turn(host, rules.delay(self._settings.user_agent)):
            rest = self._turns.resting(host)
            if rest:
                return Fetched("failed", "the site asked to be left alone for a while", url=url, retry_after=rest)
            try:
                async with deadline.running(), self._client.stream("GET", url, headers=headers) as response:
                    if response.status_code in outcomes.REDIRECTS and response.headers.get("location"):
                        target = outcomes.redirected(url, response.headers["location"])
                        return _Redirect(target, response.status_code in outcomes.PERMANENT)
                    result = await self._read(response, url, conditional=bool(headers))
            except Exception as error:
                return Fetched(*outcomes.failure(error, self._settings.article_total_timeout), url=url)
            if result.retry_after:
                self._turns.rest(host, result.retry_after)
            return result

    async def _read(self, response: httpx.Response, url: str, conditional: bool) -> Fetched:
        content_type = response.headers.get("content-type", "")
        media_type = media.media_type(content_type)

        def ended(outcome: Outcome, reason: str | None = None, **more: str | bytes | float | None) -> Fetched:
            # The fields in *more* differ in type; mypy cannot match a name with the type of its value.
            return Fetched(outcome, reason, response.status_code, media_type or None, url=url, **more)  # type: ignore[arg-type]

        outcome, reason = outcomes.by_status(response.status_code, conditional)
        if outcome == "failed":
            return ended(outcome, reason, retry_after=outcomes.retry_after(response.headers.get("retry-after")))
        if outcome != "ok":
            return ended(outcome, reason)
        if not media.is_readable(media_type, response.request.url.path):
            return ended("wrong_type", f"{media_type} is not read")
        try:
            body = await _body(response, self._settings.article_max_bytes)
        except TooLarge as error:
            return ended("too_large", str(error))
        except DecodingFailed as error:
            return ended("failed", str(error))
        kind = media.binary(body, content_type)
        if kind == media.PDF:
            media_type = media.PDF
        elif media_type and media_type.startswith("application/") and media_type not in media.HTML:
            return ended("wrong_type", f"no PDF, though it calls itself {media_type}")
        elif kind:
            return ended("wrong_type", f"{kind}, whatever it calls itself")
        return ended(
            "ok",
            body=body,
            header=content_type,
            etag=outcomes.validator(response.headers.get("etag")),
            last_modified=outcomes.validator(response.headers.get("last-modified")),
        )

    async def _rules_for(self, url: str) -> robots.Rules:
        """The robots.txt rules for *url*; the first caller for a site reads them, the others wait."""
        if not self._settings.article_robots:
            return robots.NO_RULES
        robots_url = robots.robots_url(url)
        async with self._reading_rules[robots_url]:
            rules = self._rules.get(robots_url)
            if rules is None:
                try:
                    rules = await self._read_rules(robots_url)
                except httpx.ConnectError:  # fetching the page fails alike, with a better message
                    return robots.NO_RULES
                except Exception as error:
                    reason = outcomes.failure(error, self._settings.article_total_timeout)[1]
                    rules = robots.Rules(unreachable=reason)
                self._rules.put(robots_url, rules)
            return rules

    async def _read_rules(self, robots_url: str) -> robots.Rules:
        """Read robots.txt (RFC 9309, 2.3.1): an error makes the rules unknown, a missing file means no rules."""
        async with asyncio.timeout(self._settings.article_total_timeout):
            for _ in range(self._settings.max_redirects + 1):
                if outcomes.refusal(robots_url):
                    break
                async with self._client.stream("GET", robots_url) as response:
                    target, status = response.headers.get("location"), response.status_code
                    if status in outcomes.REDIRECTS and target:
                        robots_url = outcomes.redirected(robots_url, target)
                        continue
                    if status == 429 or status >= 500:
                        after = outcomes.retry_after(response.headers.get("retry-after"))
                        return robots.Rules(unreachable=f"HTTP {status}", retry_after=after)
                    return await _rules_in(response) if status in outcomes.READ else robots.NO_RULES
        return robots.NO_RULES


@dataclass(frozen=True, slots=True)
class _Redirect:
    """Where a site sends a request on to, and whether for good."""

    url: str
    is_permanent: bool


class _Deadline:
    """Seconds that an article may take in all; waiting for the host's limits does not count."""

    def __init__(self, seconds: float) -> None:
        self._left = seconds

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        clock = asyncio.get_running_loop().time
        began = clock()
        try:
            async with asyncio.timeout(self._left):
                yield
        finally:
            self._left -= clock() - began


async def _body(response: httpx.Response, limit: int) -> bytes:
    """The decoded body; raises TooLarge, and drops the connection, as soon as it exceeds *limit* bytes."""
    length = response.headers.get("content-length", "")
    if length.isdecimal() and len(length) < 20 and int(length) > limit:
        raise TooLarge(f"more than {limit} bytes")
    body = Body(response.headers.get("content-encoding", ""), limit)
    async for data in response.aiter_raw():
        body.feed(data)
    return body.finish()


async def _rules_in(response: httpx.Response) -> robots.Rules:
    """Parse a robots.txt, only its beginning if it is very long; a file that cannot be decoded has no rules."""
    try:
        body = Body(response.headers.get("content-encoding", ""), robots.MAX_BYTES)
        try:
            async for data in response.aiter_raw():
                body.feed(data)
        except TooLarge:
            return robots.parse(body.so_far)
        return robots.parse(body.finish())
    except DecodingFailed:
        return robots.NO_RULES

"""The fetcher of articles: one GET with every bound (scheme, address, redirects, size, type, time) and one outcome."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
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
    """Reads pages through a transport, within the bounds of the settings; safe for many fetches at once.

    Args:
        transport: what requests go through; a :class:`~hnintel.web.guard.GuardedTransport` for the web.
        settings: every bound.
        turns: whose turn it is at a host; one for all chunks of a run, else the fetcher's own.
        rules: robots.txt by site; the same.
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
            auth=httpx.Auth(),  # adds nothing; without it httpx would send what a URL has before its host
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
            headers={
                "User-Agent": settings.user_agent,
                "Accept": "text/html,application/xhtml+xml,text/plain;q=0.8",
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
        """GET *url*; never raises for what a site or a network can do.

        With the *etag* or *last_modified* of an earlier answer a site may say ``unchanged`` and send nothing.
        """
        asked = {"If-None-Match": etag, "If-Modified-Since": last_modified}
        headers = {name: value for name, value in asked.items() if value}
        deadline = _Deadline(self._settings.article_total_timeout)
        for hop in range(self._settings.max_redirects + 1):
            refusal = outcomes.refusal(url)
            if refusal:
                return Fetched("refused", refusal, url=url)
            rules = await self._rules_for(url)
            try:
                ended = await self._hop(url, headers, rules, deadline)
            except WaitedEnough:
                return Fetched("failed", "the pauses of its host were longer than a run waits", url=url, tried=hop > 0)
            if isinstance(ended, Fetched):
                return ended
            url = ended
        return Fetched("refused", f"more than {self._settings.max_redirects} redirects", url=url)

    async def _hop(self, url: str, headers: dict[str, str], rules: robots.Rules, deadline: _Deadline) -> Fetched | str:
        """One request, in its turn: how it ended, or where it was sent on to."""
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
                        return outcomes.redirected(url, response.headers["location"])
                    ended = await self._read(response, url, conditional=bool(headers))
            except Exception as error:
                return Fetched(*outcomes.failure(error, self._settings.article_total_timeout), url=url)
            if ended.retry_after:
                self._turns.rest(host, ended.retry_after)
            return ended

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
        if media_type and media_type not in media.READABLE:
            return ended("wrong_type", f"{media_type} is not read")
        try:
            body = await _body(response, self._settings.article_max_bytes)
        except TooLarge as error:
            return ended("too_large", str(error))
        except DecodingFailed as error:
            return ended("failed", str(error))
        kind = media.binary(body, content_type)
        if kind:
            return ended("wrong_type", f"{kind}, whatever it calls itself")
        return ended(
            "ok",
            body=body,
            header=content_type,
            etag=outcomes.validator(response.headers.get("etag")),
            last_modified=outcomes.validator(response.headers.get("last-modified")),
        )

    async def _rules_for(self, url: str) -> robots.Rules:
        """What the site of *url* asks of robots, read by whoever comes first."""
        if not self._settings.article_robots:
            return robots.NO_RULES
        place = robots.robots_url(url)
        async with self._reading_rules[place]:
            rules = self._rules.get(place)
            if rules is None:
                try:
                    rules = await self._read_rules(place)
                except httpx.ConnectError:  # the page itself will meet the same, and says so better
                    return robots.NO_RULES
                except Exception as error:
                    why = outcomes.failure(error, self._settings.article_total_timeout)[1]
                    rules = robots.Rules(unreachable=why)
                self._rules.put(place, rules)
            return rules

    async def _read_rules(self, place: str) -> robots.Rules:
        """By RFC 9309, 2.3.1: a site that fails has unknown wishes, one that has no such file has none."""
        async with asyncio.timeout(self._settings.article_total_timeout):
            for _ in range(self._settings.max_redirects + 1):
                if outcomes.refusal(place):
                    break
                async with self._client.stream("GET", place) as response:
                    target, status = response.headers.get("location"), response.status_code
                    if status in outcomes.REDIRECTS and target:
                        place = outcomes.redirected(place, target)
                        continue
                    if status == 429 or status >= 500:
                        after = outcomes.retry_after(response.headers.get("retry-after"))
                        return robots.Rules(unreachable=f"HTTP {status}", retry_after=after)
                    return await _rules_in(response) if status in outcomes.READ else robots.NO_RULES
        return robots.NO_RULES


class _Deadline:
    """Seconds that one article may take in all; waiting for a turn is not its fault and does not count."""

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
    """The decoded body; the connection is dropped as soon as there is more than *limit* bytes of it."""
    length = response.headers.get("content-length", "")
    if length.isdecimal() and len(length) < 20 and int(length) > limit:
        raise TooLarge(f"more than {limit} bytes")
    body = Body(response.headers.get("content-encoding", ""), limit)
    async for data in response.aiter_raw():
        body.feed(data)
    return body.finish()


async def _rules_in(response: httpx.Response) -> robots.Rules:
    """The rules of a robots.txt, of its beginning if it is very long; none in one that cannot be decoded."""
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

"""The fetcher of articles: one GET with every bound (scheme, address, redirects, size, type, time) and one outcome."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from types import TracebackType
from typing import Literal, Self
from urllib.parse import urljoin, urlsplit

import httpx
from w3lib.encoding import html_to_unicode

from hnintel.guard import AddressRefused
from hnintel.settings import Settings

Outcome = Literal["ok", "gone", "refused", "too_large", "wrong_type", "failed"]

#: Media types that hold an article; anything else is `wrong_type`.
READABLE = ("text/html", "application/xhtml+xml", "text/plain")
_GONE = frozenset({404, 410})
_REFUSED = frozenset({401, 402, 403, 405, 406, 407, 451})
_REDIRECTS = frozenset({301, 302, 303, 307, 308})


@dataclass(frozen=True, slots=True)
class Fetched:
    """How one GET ended. ``failed`` may go better another time; the rest is final. No page text in reason."""

    outcome: Outcome
    reason: str | None = None
    http_status: int | None = None
    content_type: str | None = None
    html: str | None = None
    url: str = ""


class Fetcher:
    """Reads pages through a transport, within the bounds of the settings; safe for many fetches at once."""

    def __init__(self, transport: httpx.AsyncBaseTransport, settings: Settings) -> None:
        self._settings = settings
        self._client = httpx.AsyncClient(
            transport=transport,
            trust_env=False,
            follow_redirects=False,
            headers={"User-Agent": settings.user_agent, "Accept": "text/html,application/xhtml+xml,text/plain;q=0.8"},
            timeout=httpx.Timeout(settings.article_read_timeout, connect=settings.article_connect_timeout),
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._client.aclose()

    async def fetch(self, url: str) -> Fetched:
        """GET *url*; never raises for what a site or a network can do."""
        try:
            async with asyncio.timeout(self._settings.article_total_timeout):
                return await self._follow(url)
        except TimeoutError:
            return Fetched("failed", f"not done after {self._settings.article_total_timeout:g} s", url=url)
        except httpx.InvalidURL as error:
            return Fetched("refused", f"not a URL that can be asked for: {error}", url=url)
        except httpx.HTTPError as error:
            if isinstance(_root(error), AddressRefused):
                return Fetched("refused", str(_root(error)), url=url)
            return Fetched("failed", f"{type(error).__name__}: {error}"[:200].rstrip(": "), url=url)

    async def _follow(self, url: str) -> Fetched:
        for _ in range(self._settings.max_redirects + 1):
            refusal = _refusal(url)
            if refusal:
                return Fetched("refused", refusal, url=url)
            async with self._client.stream("GET", url) as response:
                target = response.headers.get("location")
                if response.status_code not in _REDIRECTS or not target:
                    return await self._read(response, url)
            url = urljoin(url, target)
        return Fetched("refused", f"more than {self._settings.max_redirects} redirects", url=url)

    async def _read(self, response: httpx.Response, url: str) -> Fetched:
        status, content_type = response.status_code, response.headers.get("content-type", "")
        media_type = content_type.partition(";")[0].strip().lower()

        def ended(outcome: Outcome, reason: str | None = None, html: str | None = None) -> Fetched:
            return Fetched(outcome, reason, status, media_type or None, html, url)

        if status in _GONE:
            return ended("gone", f"HTTP {status}")
        if status in _REFUSED:
            return ended("refused", f"HTTP {status}")
        if status != 200:
            return ended("failed" if status == 429 or status >= 500 else "refused", f"HTTP {status}")
        if media_type and media_type not in READABLE:
            return ended("wrong_type", f"{media_type} is not read")
        limit, body = self._settings.article_max_bytes, bytearray()
        async for piece in response.aiter_bytes():
            body += piece
            if len(body) > limit:
                return ended("too_large", f"more than {limit} bytes")
        if body[:5] == b"%PDF-" or b"\x00\x00" in body[:64]:
            return ended("wrong_type", "binary, whatever it calls itself")
        _, html = html_to_unicode(content_type, bytes(body), auto_detect_fun=_detect)
        return ended("ok", html=html)


def _refusal(url: str) -> str | None:
    try:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https"):
            return f"the scheme {parts.scheme or '(none)'} is not read"
        if not parts.hostname:
            return "no host"
        if parts.username or parts.password:
            return "credentials in a URL are not sent"
        parts.port  # noqa: B018 - raises for a port that is no number
    except ValueError as error:
        return str(error)
    return None


def _detect(body: bytes) -> str:
    """The encoding of a page that declares none: UTF-8 where it fits, else the likeliest by its letters."""
    from charset_normalizer import from_bytes

    best = from_bytes(body[:50_000]).best()
    return best.encoding if best else "utf-8"


def _root(error: BaseException) -> BaseException:
    while error.__cause__ is not None:
        error = error.__cause__
    return error

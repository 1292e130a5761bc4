"""Outcomes of a GET, and the outcome of each status, error and URL. Pure; fetcher.py sends the requests."""

from __future__ import annotations

import email.utils
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal
from urllib.parse import urljoin, urlsplit

import httpx

from hnintel.web import media
from hnintel.web.guard import AddressRefused

Outcome = Literal["ok", "unchanged", "gone", "refused", "too_large", "wrong_type", "failed"]

#: Statuses with a page in the answer, and those that point elsewhere.
READ = frozenset({200, 203})
REDIRECTS = frozenset({301, 302, 303, 307, 308})
PERMANENT = frozenset({301, 308})
_GONE = frozenset({404, 410})
#: A valid DNS name or an IPv4 address; a host with a colon is an IPv6 address.
_HOST = re.compile(r"[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*\.?", re.IGNORECASE)
#: Statuses worth a retry, besides every 5xx.
_PASSING = frozenset({202, 408, 425, 429})
#: Our descriptions of httpx' errors, whose own messages may quote the server's answer.
_FAILURES: tuple[tuple[type[httpx.HTTPError], str], ...] = (
    (httpx.ConnectTimeout, "no connection was made in time"),
    (httpx.ReadTimeout, "the site stopped answering"),
    (httpx.TimeoutException, "the site took too long"),
    (httpx.ProtocolError, "the answer was broken off or is not HTTP"),
    (httpx.ReadError, "the connection was lost"),
)


@dataclass(frozen=True, slots=True)
class Fetched:
    """The result of a GET. ``failed`` may be retried; every other outcome is final. ``reason`` has no page text.

    ``body`` is the decompressed body and ``header`` its Content-Type. ``url`` is the URL after redirects;
    ``retry_after`` the seconds that the site asked us to wait; ``tried`` is False if no request was sent; ``moved`` is
    True if there were redirects, and each was permanent.
    """

    outcome: Outcome
    reason: str | None = None
    http_status: int | None = None
    content_type: str | None = None
    body: bytes | None = None
    header: str = ""
    url: str = ""
    etag: str | None = None
    last_modified: str | None = None
    retry_after: float | None = None
    tried: bool = True
    moved: bool = False

    @property
    def html(self) -> str | None:
        """The decoded body; detecting the encoding may be slow."""
        return None if self.body is None else media.to_text(self.body, self.header)


def by_status(status: int, conditional: bool) -> tuple[Outcome, str | None]:
    """The outcome and reason of an HTTP status; 304 is valid only for a *conditional* request."""
    if status in READ:
        return "ok", None
    if status == 304 and conditional:
        return "unchanged", None
    if status in _GONE:
        return "gone", f"HTTP {status}"
    return ("failed" if status in _PASSING or 500 <= status < 600 else "refused"), f"HTTP {status}"


def failure(error: Exception, total: float) -> tuple[Outcome, str]:
    """The outcome and reason of an error; an error of neither network nor guard is a bug and is raised again."""
    if isinstance(error, TimeoutError):
        return "failed", f"not done after {total:g} s"
    if isinstance(error, httpx.InvalidURL | httpx.UnsupportedProtocol | UnicodeError):
        return "refused", "not a URL that can be asked for"
    if not isinstance(error, httpx.HTTPError):
        raise error
    root = _root(error)
    if isinstance(root, AddressRefused):
        return "refused", str(root)
    for kind, reason in _FAILURES:
        if isinstance(error, kind):
            return "failed", reason
    return "failed", f"{type(error).__name__}: {error}"[:200].rstrip(": ")


def redirected(url: str, location: str) -> str:
    """The URL of a redirect from *url* to *location*; ``""``, which is refused, if they cannot be joined."""
    try:
        return urljoin(url, location)
    except ValueError:
        return ""


def refusal(url: str) -> str | None:
    """Why *url* is refused, or None."""
    try:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https"):
            return f"the scheme {parts.scheme[:20] or '(none)'} is not read"
        if not parts.hostname:
            return "no host"
        sent = httpx.URL(url)  # the URL that is sent; both parsers must agree
        if "@" in parts.netloc or sent.userinfo:
            return "credentials in a URL are not sent"
        host = sent.raw_host.decode("ascii")
        if not (_HOST.fullmatch(host) or ":" in host):
            return "no name that a host can have"
        parts.port  # noqa: B018 - raises for an invalid port
    except (ValueError, httpx.InvalidURL):
        return "not a URL that can be asked for"
    return None


def retry_after(value: str | None) -> float | None:
    """Seconds of a Retry-After, a number or a date; None if missing, invalid or past."""
    if not value:
        return None
    if value.strip().isdecimal():
        return float(value.strip()[:9]) or None
    try:
        when = email.utils.parsedate_to_datetime(value)
    except (ValueError, TypeError, OverflowError):
        return None
    return max(0.0, ((when if when.tzinfo else when.replace(tzinfo=UTC)) - datetime.now(UTC)).total_seconds()) or None


def validator(value: str | None) -> str | None:
    """*value* if it is a short validator of printable ASCII, which can be sent back in a header; else None."""
    return value if value and len(value) <= 300 and value.isascii() and value.isprintable() else None


def _root(error: BaseException) -> BaseException:
    while error.__cause__ is not None:
        error = error.__cause__
    return error

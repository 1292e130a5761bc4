"""How a GET can end, and which end a status, an error or a URL means. Pure; fetcher.py does the asking."""

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
_GONE = frozenset({404, 410})
#: A name as the DNS takes it, or an IPv4 address; what has a colon in it is an IPv6 address.
_HOST = re.compile(r"[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*\.?", re.IGNORECASE)
#: May go better another time, beside every 5xx.
_PASSING = frozenset({202, 408, 425, 429})
#: What a failure of httpx's is in our words: its own may quote what the server sent.
_FAILURES: tuple[tuple[type[httpx.HTTPError], str], ...] = (
    (httpx.ConnectTimeout, "no connection was made in time"),
    (httpx.ReadTimeout, "the site stopped answering"),
    (httpx.TimeoutException, "the site took too long"),
    (httpx.ProtocolError, "the answer was broken off or is not HTTP"),
    (httpx.ReadError, "the connection was lost"),
)


@dataclass(frozen=True, slots=True)
class Fetched:
    """How one GET ended. ``failed`` may go better another time; the rest is final. No page text in reason.

    ``body`` is as it was sent, decompressed, and ``header`` the Content-Type that came with it. ``url`` is the one that
    answered, redirects followed; ``retry_after`` the seconds that the site asked us to wait; ``tried`` False where the
    site was not asked at all.
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

    @property
    def html(self) -> str | None:
        """The body's characters; finding out which they are may take a while."""
        return None if self.body is None else media.to_text(self.body, self.header)


def by_status(status: int, conditional: bool) -> tuple[Outcome, str | None]:
    """What an answer's status means; 304 is an answer only where a *conditional* request was made."""
    if status in READ:
        return "ok", None
    if status == 304 and conditional:
        return "unchanged", None
    if status in _GONE:
        return "gone", f"HTTP {status}"
    return ("failed" if status in _PASSING or 500 <= status < 600 else "refused"), f"HTTP {status}"


def failure(error: Exception, total: float) -> tuple[Outcome, str]:
    """How a request ended that raised. Anything that is not the network's or ours is a bug and is raised again."""
    if isinstance(error, TimeoutError):
        return "failed", f"not done after {total:g} s"
    if isinstance(error, httpx.InvalidURL | httpx.UnsupportedProtocol | UnicodeError):
        return "refused", "not a URL that can be asked for"
    if not isinstance(error, httpx.HTTPError):
        raise error
    root = _root(error)
    if isinstance(root, AddressRefused):
        return "refused", str(root)
    for kind, words in _FAILURES:
        if isinstance(error, kind):
            return "failed", words
    return "failed", f"{type(error).__name__}: {error}"[:200].rstrip(": ")


def redirected(url: str, location: str) -> str:
    """Where *location*, sent from *url*, leads; ``""``, which is refused, where it is nothing that could be joined."""
    try:
        return urljoin(url, location)
    except ValueError:
        return ""


def refusal(url: str) -> str | None:
    """Why *url* is not asked for, or None."""
    try:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https"):
            return f"the scheme {parts.scheme[:20] or '(none)'} is not read"
        if not parts.hostname:
            return "no host"
        asked = httpx.URL(url)  # what will be sent; the two must see the same URL
        if "@" in parts.netloc or asked.userinfo:
            return "credentials in a URL are not sent"
        host = asked.raw_host.decode("ascii")
        if not (_HOST.fullmatch(host) or ":" in host):
            return "no name that a host can have"
        parts.port  # noqa: B018 - raises for a port that is no number
    except (ValueError, httpx.InvalidURL):
        return "not a URL that can be asked for"
    return None


def retry_after(value: str | None) -> float | None:
    """The seconds that a Retry-After asks for, given so or as a date; None where there is none to honour."""
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
    """A validator worth keeping: short, and printable ASCII, as it goes back into a header."""
    return value if value and len(value) <= 300 and value.isascii() and value.isprintable() else None


def _root(error: BaseException) -> BaseException:
    while error.__cause__ is not None:
        error = error.__cause__
    return error

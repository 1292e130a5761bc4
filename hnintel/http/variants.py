"""What different addresses of one article have in common: a guess, to be held by evidence. Pure; no network."""

from __future__ import annotations

import re
from functools import lru_cache
from ipaddress import ip_address
from urllib.parse import parse_qsl, urlencode, urlsplit

from hnintel.http.urls import TRACKING

#: Parameters that a site itself says are none of the address where its page names one without them.
_REFERRING = frozenset({"ref", "referrer", "referer", "source", "campaign", "medium", "xtor", *TRACKING})
_IS_AMP = frozenset({("amp", ""), ("amp", "1"), ("amp", "true"), ("outputtype", "amp"), ("view", "amp")})
#: Labels before a site's name that stand for a form of its pages.
_FORMS = frozenset({"www", "m", "mobile", "amp"})
_INDEX = re.compile(r"index\.(html?|php)")


@lru_cache(maxsize=8192)
def variant(url: str, is_lenient: bool = False) -> str:
    """Return what the addresses of an article's forms share; equal for ``http://m.a.example/x/`` and ``https://a.example/x``.

    The scheme, ``www.``, ``m.``, ``mobile.`` and ``amp.``, ``/amp``, ``index.html``, a slash at the end and parameters
    that say where a reader came from are left out.

    Args:
        url: a canonical URL.
        is_lenient: leave out every parameter that courlan takes for a tracker; some sites tell pages apart by these.
    """
    parts = urlsplit(url)
    host = parts.hostname or ""
    port = f":{parts.port}" if parts.port else ""
    return f"{_site_host(host)}{port}{_path(parts.path)}?{_query(parts.query, is_lenient)}"


def is_root(url: str) -> bool:
    """Whether *url* is the first page of its host."""
    parts = urlsplit(url)
    return _path(parts.path) == "" and not parts.query


def is_above(url: str, other: str) -> bool:
    """Whether the path of *url* is a folder that *other* is in: an overview, where a site sends what it has no more."""
    return _path(urlsplit(other).path).startswith(f"{_path(urlsplit(url).path)}/") and not urlsplit(url).query


@lru_cache(maxsize=4096)
def _site_host(host: str) -> str:
    """*host* without labels of forms, down to the name that its owner registered."""
    own = _registered(host)
    labels = host.removesuffix(own).rstrip(".").split(".")
    return ".".join([label for label in labels if label and label not in _FORMS] + [own])


def _registered(host: str) -> str:
    """The part of *host* that its owner registered, also below a shared domain such as ``github.io``."""
    from tld import get_fld  # reads its list of domains: only where addresses are compared

    try:
        return str(ip_address(host))
    except ValueError:
        found = get_fld(f"https://{host}/", fail_silently=True, search_private=True)
        return found or ".".join(host.split(".")[-2:])


def _path(path: str) -> str:
    segments = [segment for segment in path.split("/") if segment]
    if segments and _INDEX.fullmatch(segments[-1]):
        segments.pop()
    if len(segments) > 1 and segments[-1] == "amp":
        segments.pop()
    elif len(segments) > 1 and segments[0] == "amp":
        segments.pop(0)
    if segments:
        segments[-1] = re.sub(r"\.amp(\.html?)?$", r"\1", segments[-1])
    return "".join(f"/{segment}" for segment in segments)


def _query(query: str, is_lenient: bool) -> str:
    kept = [
        (name, value)
        for name, value in parse_qsl(query, keep_blank_values=True)
        if not _is_referring(name.lower(), is_lenient) and (name.lower(), value.lower()) not in _IS_AMP
    ]
    return urlencode(sorted(kept))


def _is_referring(name: str, is_lenient: bool) -> bool:
    from courlan.clean import TRACKERS_RE  # as in _registered

    return name in _REFERRING or name.startswith("utm_") or (is_lenient and TRACKERS_RE.search(name) is not None)

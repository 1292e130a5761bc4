"""What a URL names: which article, and which site. Pure; no network."""

from __future__ import annotations

from urllib.parse import urlsplit

from w3lib.url import canonicalize_url, url_query_cleaner

#: Query parameters that say where a reader came from and never which page is meant.
TRACKING = (
    "utm_source utm_medium utm_campaign utm_term utm_content utm_id fbclid gclid dclid msclkid mc_cid mc_eid igshid "
    "ref_src ref_url _hsenc _hsmi vero_id yclid"
).split()

DEFAULT_PORTS = {"http": 80, "https": 443}


def canonical_url(url: str | None) -> str | None:
    """The key of the article that *url* names, or None where it is nothing that could be fetched.

    Fragments and tracking parameters go, the query is put in order, the host in lower case; the path stays as it is.
    """
    key = _canonical(url or "")
    # Taking control characters or escapes out may bring something to light that goes, too; a key is its own key.
    for _ in range(3):
        again = _canonical(key or "")
        if again == key:
            return key
        key = again
    return None


def _canonical(url: str) -> str | None:
    try:
        parts = urlsplit(url.strip())
        if parts.scheme.lower() not in ("http", "https") or not parts.hostname:
            return None
        if parts.port == DEFAULT_PORTS[parts.scheme.lower()]:  # asking for .port raises where it is no number
            parts = parts._replace(netloc=parts.netloc.rpartition(":")[0])
        return canonicalize_url(url_query_cleaner(parts.geturl(), TRACKING, remove=True, unique=False))
    except ValueError:
        return None


def host_name(host: str) -> str:
    """One spelling for each name of a host: lower case, without the dot that may end a name in the DNS."""
    return host.lower().removesuffix(".")


def domain(url: str | None) -> str | None:
    """The host a reader would name: lower case, without ``www.``; None where there is none."""
    try:
        host = urlsplit((url or "").strip()).hostname
    except ValueError:
        return None
    return host.removeprefix("www.").rstrip(".") or None if host else None

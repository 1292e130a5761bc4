"""The article key and the site of a URL. Pure; no network."""

from __future__ import annotations

from urllib.parse import urlsplit

from w3lib.url import canonicalize_url, url_query_cleaner

#: Query parameters that track where a reader came from and never identify the page.
TRACKING = (
    "utm_source utm_medium utm_campaign utm_term utm_content utm_id fbclid gclid dclid msclkid mc_cid mc_eid igshid "
    "ref_src ref_url _hsenc _hsmi vero_id yclid"
).split()

DEFAULT_PORTS = {"http": 80, "https": 443}


def canonical_url(url: str | None) -> str | None:
    """The key of the article at *url*, or None if *url* cannot be fetched.

    Fragments and tracking parameters are removed, the query is sorted, the host in lower case; the path is unchanged.
    """
    key = _canonical(url or "")
    # Removing control characters or escapes may expose more to remove; the result must be its own key.
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
        if parts.port == DEFAULT_PORTS[parts.scheme.lower()]:  # .port raises if it is not a number
            parts = parts._replace(netloc=parts.netloc.rpartition(":")[0])
        return canonicalize_url(url_query_cleaner(parts.geturl(), TRACKING, remove=True, unique=False))
    except ValueError:
        return None


def host_name(host: str) -> str:
    """Normalise a host name: lower case, without the final dot of a DNS name."""
    return host.lower().removesuffix(".")


def domain(url: str | None) -> str | None:
    """The host of *url* in lower case, without ``www.``; None without a host."""
    try:
        host = urlsplit((url or "").strip()).hostname
    except ValueError:
        return None
    return host.removeprefix("www.").rstrip(".") or None if host else None

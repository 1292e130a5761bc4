"""Whether a text that was set is a URL that something can be asked at. Pure; no network."""

from __future__ import annotations

from urllib.parse import urlsplit


def is_http_url(value: str) -> bool:
    """Whether something can be asked over HTTP at *value*: it has the scheme, a host, and a port that is one."""
    try:
        parts = urlsplit(value)
        host, port = parts.hostname or "", parts.port
    except ValueError:  # a bracket without the other, a port that is none
        return False
    if not value.isprintable() or " " in value:  # what is split has lost its line breaks
        return False
    return parts.scheme in ("http", "https") and host != "" and "%" not in host and port != 0

"""Checks that a setting is an HTTP URL. Pure; no network."""

from __future__ import annotations

from urllib.parse import urlsplit


def is_http_url(value: str) -> bool:
    """Whether *value* is an HTTP URL with a host and, if any, a valid port."""
    try:
        parts = urlsplit(value)
        host, port = parts.hostname or "", parts.port
    except ValueError:  # an unmatched bracket, an invalid port
        return False
    if not value.isprintable() or " " in value:  # urlsplit removes line breaks silently
        return False
    return parts.scheme in ("http", "https") and host != "" and "%" not in host and port != 0

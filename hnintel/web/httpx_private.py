"""What we need of httpx that its public interface lacks."""

from __future__ import annotations

import httpcore
import httpx


def set_pool(transport: httpx.AsyncHTTPTransport, pool: httpcore.AsyncConnectionPool) -> None:
    """Have *transport* connect by way of *pool*: httpx has no argument for httpcore's network backend."""
    transport._pool = pool

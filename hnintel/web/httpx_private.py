"""Uses of httpx' private interface."""

from __future__ import annotations

import httpcore
import httpx


def set_pool(transport: httpx.AsyncHTTPTransport, pool: httpcore.AsyncConnectionPool) -> None:
    """Replace the pool of *transport*: httpx has no argument for httpcore's network backend."""
    transport._pool = pool

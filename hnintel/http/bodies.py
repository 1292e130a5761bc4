"""Bodies of HTTP answers, bounded in decoded bytes while they stream: a compressed or endless body is never held."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import httpx

from hnintel.http.decoding import Body


async def read_bounded(response: httpx.Response, limit: int) -> bytes:
    """The decoded body of *response*, a streamed one.

    Args:
        response: whose body was not read yet.
        limit: the most bytes, on the wire and after each of its codings.

    Raises:
        TooLarge: there are more.
        DecodingFailed: it is not what its ``Content-Encoding`` says, or ends early.
    """
    return await _read(response.aiter_raw(), response, limit)


def bounding(limit: int) -> Callable[[Any], Awaitable[None]]:
    """An event hook for the responses of a client that a package reads by itself, of httpx or of one that is like it.

    It reads the body as :func:`read_bounded` does, and raises what that raises; the package finds it decoded.
    """

    async def bound(response: Any) -> None:
        stream = response.stream
        try:
            content = await _read(stream, response, limit)
        finally:
            await stream.aclose()
        response.headers.pop("content-encoding", None)  # it is undone
        # A client takes a stream of its own kind only, and its response makes it.
        response.stream = type(response)(response.status_code, content=content).stream

    return bound


async def _read(pieces: AsyncIterator[bytes], response: Any, limit: int) -> bytes:
    body = Body(response.headers.get("content-encoding", ""), limit)
    async for piece in pieces:
        body.feed(piece)
    return body.finish()

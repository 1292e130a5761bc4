"""Reads HTTP bodies within a limit of decoded bytes, so that no compressed or endless body fills the memory."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import httpx

from hnintel.http.decoding import Body


async def read_bounded(response: httpx.Response, limit: int) -> bytes:
    """Read and decode the body of a streamed *response*.

    Args:
        response: a response whose body was not read yet.
        limit: the most bytes, on the wire and after each coding.

    Raises:
        TooLarge: the body exceeds the limit.
        DecodingFailed: the body does not match its ``Content-Encoding``, or ends early.
    """
    return await _read(response.aiter_raw(), response, limit)


def bounding(limit: int) -> Callable[[Any], Awaitable[None]]:
    """A response event hook for a client of httpx, or one like it, whose bodies another package reads.

    It reads the body like :func:`read_bounded`, with the same errors; the package then reads the decoded body.
    """

    async def bound(response: Any) -> None:
        stream = response.stream
        try:
            content = await _read(stream, response, limit)
        finally:
            await stream.aclose()
        response.headers.pop("content-encoding", None)  # the body is decoded
        # A client accepts only its own kind of stream, which its response class makes.
        response.stream = type(response)(response.status_code, content=content).stream

    return bound


async def _read(pieces: AsyncIterator[bytes], response: Any, limit: int) -> bytes:
    body = Body(response.headers.get("content-encoding", ""), limit)
    async for piece in pieces:
        body.feed(piece)
    return body.finish()

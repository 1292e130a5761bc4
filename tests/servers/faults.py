"""What each fault of the weather does to a connection; afterwards it is closed."""

from __future__ import annotations

import asyncio
import gzip
import http
from collections.abc import Mapping
from functools import lru_cache

from tests.servers.material import Page

#: Seconds between two bytes of a slow answer.
DRIP = 0.05
#: What the bomb unpacks to.
BOMB_BYTES = 200_000_000
_STATUS = {"429": 429, "500": 500, "503": 503}
_CLOSE = {"Connection": "close"}
_PRIVATE = "http://169.254.169.254/latest/meta-data/"


def head(status: int, headers: Mapping[str, str]) -> bytes:
    """A status line and headers."""
    phrase = http.HTTPStatus(status).phrase
    return "\r\n".join(
        [f"HTTP/1.1 {status} {phrase}", *(f"{name}: {value}" for name, value in headers.items()), "", ""]
    ).encode("latin-1")


def whole(page: Page, length: int | None = None) -> bytes:
    """An answer as it should be, or with another *length* than it has; after that one the connection is closed."""
    standing = {"Content-Type": page.content_type, "Content-Length": str(len(page.body) if length is None else length)}
    return head(page.status, {**standing, **({} if length is None else _CLOSE), **page.headers}) + page.body


async def befall(
    fault: str,
    page: Page,
    path: str,
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    retry_after: int | None,
) -> None:
    """Answer with *page* as *fault* would have it."""
    half = page.body[: len(page.body) // 2]
    if fault == "hang":
        await _until_gone(reader)
    elif fault in _STATUS:
        writer.write(_unwell(_STATUS[fault], retry_after))
    elif fault == "truncated":
        writer.write(whole(Page(half, page.content_type), len(page.body)))
    elif fault == "malformed":
        writer.write(whole(Page(half + b"<", page.content_type), len(half) + 1))
    elif fault == "wrong_length":
        writer.write(whole(page, max(len(page.body) - 3, 0)))
    elif fault == "redirect_loop":
        writer.write(head(302, {"Location": path, "Content-Length": "0", **_CLOSE}))
    elif fault == "redirect_private":
        writer.write(head(302, {"Location": _PRIVATE, "Content-Length": "0", **_CLOSE}))
    elif fault == "bomb":
        packed = await asyncio.to_thread(_bomb)  # takes a second to make, once
        headers = {"Content-Encoding": "gzip"}
        writer.write(whole(Page(packed, page.content_type, headers=headers), len(packed)))
    elif fault == "slow":
        await _drip(page, writer)
    elif fault == "endless":
        await _endless(page, writer)
    await writer.drain()  # "drop" has nothing to say


def _unwell(status: int, retry_after: int | None) -> bytes:
    says_when = {"Retry-After": str(retry_after)} if retry_after is not None and status in (429, 503) else {}
    return head(status, {**says_when, "Content-Length": "0", **_CLOSE})


async def _until_gone(reader: asyncio.StreamReader) -> None:
    while await reader.read(65_536):
        pass


async def _drip(page: Page, writer: asyncio.StreamWriter) -> None:
    answer = whole(page, len(page.body))
    start = answer.index(b"\r\n\r\n") + 4
    writer.write(answer[:start])
    for place in range(start, len(answer)):
        writer.write(answer[place : place + 1])
        await writer.drain()
        await asyncio.sleep(DRIP)


async def _endless(page: Page, writer: asyncio.StreamWriter) -> None:
    writer.write(head(200, {"Content-Type": page.content_type}))
    while True:  # ends when whoever asked closes: drain raises then
        writer.write(b"<p>and so on</p>" * 512)
        await writer.drain()
        await asyncio.sleep(0)


@lru_cache(maxsize=1)
def _bomb() -> bytes:
    return gzip.compress(b"<p>boom</p>" * (BOMB_BYTES // 11), 9)

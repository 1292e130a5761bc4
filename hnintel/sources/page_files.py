"""An httpx transport that answers from files, so that articles use the same code path as on the web."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterable
from pathlib import Path
from typing import Any

import httpx

from hnintel.errors import SourceError, first_line

#: Delays in ``pages.json`` are divided by this factor.
CLOCK = 20.0
_PIECE = 65_536


class PageFiles(httpx.AsyncBaseTransport):
    """Answers GET from the ``pages.json`` of its folders.

    ``pages.json`` maps a URL to ``{"file", "status", "content_type", "encoding", "delay", "redirect", "repeat",
    "drop"}``, all optional: the file lies in ``pages/`` as UTF-8 and is sent in ``encoding`` (a codec); ``delay`` is
    seconds of silence before the answer; ``repeat`` sends the file repeatedly, up to that many bytes; ``drop``
    drops the connection. An unlisted URL does not resolve, like a dead host.
    """

    def __init__(self, folders: Iterable[Path]) -> None:
        self._answers: dict[str, tuple[Path, dict[str, Any]]] = {}
        for folder in folders:
            listed = _listed(folder / "pages.json")
            try:
                self._answers.update({_normalised(url): (folder / "pages", answer) for url, answer in listed.items()})
            except httpx.InvalidURL as error:
                raise SourceError(f"{folder / 'pages.json'} has a key that is no URL: {error}") from None

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Answer from the file, or raise httpx's errors for simulated network faults."""
        folder, answer = self._answers.get(_normalised(str(request.url)), (Path(), {"unknown": True}))
        if "unknown" in answer:
            raise httpx.ConnectError(f"{request.url.host} is not among the pages", request=request)
        await _be_slow(float(answer.get("delay", 0)), request)
        if answer.get("drop"):
            raise httpx.RemoteProtocolError("the connection was broken off", request=request)
        if "redirect" in answer:
            return httpx.Response(int(answer.get("status", 301)), headers={"Location": answer["redirect"]})
        body = _body_of(folder, str(answer["file"]), request) if "file" in answer else b""
        if "encoding" in answer:
            body = body.decode("utf-8").encode(answer["encoding"])
        return httpx.Response(
            int(answer.get("status", 200)),
            headers={"Content-Type": answer.get("content_type", "text/html; charset=utf-8")},
            stream=_Body(body, int(answer.get("repeat", 0))),
        )


class _Body(httpx.AsyncByteStream):
    def __init__(self, body: bytes, repeat: int) -> None:
        self._body, self._repeat = body, repeat

    async def __aiter__(self) -> AsyncIterator[bytes]:
        sent = 0
        while True:
            for start in range(0, len(self._body), _PIECE):
                yield self._body[start : start + _PIECE]
            sent += len(self._body)
            if not self._body or sent >= self._repeat:
                return


async def _be_slow(seconds: float, request: httpx.Request) -> None:
    patience = (request.extensions.get("timeout") or {}).get("read")
    if patience is not None and seconds > patience:
        await asyncio.sleep(patience / CLOCK)
        raise httpx.ReadTimeout(f"nothing came for {patience:g} s", request=request)
    await asyncio.sleep(seconds / CLOCK)


def _listed(file: Path) -> dict[str, dict[str, Any]]:
    try:
        listed = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise SourceError(f"{file} cannot be read: {first_line(error, 120)}") from None
    if not isinstance(listed, dict) or not all(isinstance(answer, dict) for answer in listed.values()):
        raise SourceError(f"{file} must be a JSON object that maps each URL to an object with its answer")
    return listed


def _body_of(folder: Path, name: str, request: httpx.Request) -> bytes:
    """The bytes of a page; raises RemoteProtocolError for a path outside the folder of pages."""
    file = (folder / name).resolve()
    if not file.is_relative_to(folder.resolve()) or not file.is_file():
        raise httpx.RemoteProtocolError("pages.json names no file of its folder", request=request)
    return file.read_bytes()


def _normalised(url: str) -> str:
    """*url* as a server receives it: normalised by httpx, without its fragment."""
    return str(httpx.URL(url).copy_with(fragment=None))

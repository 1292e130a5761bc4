"""A site written byte by byte, and an internet in which every name leads to it: what the fetcher's tests stand on."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import Awaitable, Callable, Iterable
from types import TracebackType
from typing import Any, Self

import httpcore

from hnintel.settings import Settings
from hnintel.web.fetcher import Fetcher
from hnintel.web.guard import GuardedBackend, GuardedTransport, is_public

#: What names resolve to unless a test says otherwise: an address of the public kind. Nothing is ever sent to it.
PUBLIC = "93.184.216.34"

Answer = bytes | Callable[[asyncio.StreamWriter], Awaitable[None]]


def answer(body: bytes | str = b"", status: int = 200, **headers: str) -> bytes:
    """A whole, honest HTTP answer; ``content_type="..."`` and so on are its headers."""
    body = body.encode() if isinstance(body, str) else body
    told = {"content_type": "text/html; charset=utf-8", "content_length": str(len(body))} | headers
    lines = [f"HTTP/1.1 {status} Whatever"] + [f"{name.replace('_', '-')}: {value}" for name, value in told.items()]
    return "\r\n".join([*lines, "connection: close", "", ""]).encode() + body


def moved(to: str, status: int = 302) -> bytes:
    """A redirect."""
    return answer(status=status, location=to)


class Site:
    """Answers ``host/path`` by what *answers* says, else 404, on a free port of 127.0.0.1.

    ``asked`` holds what was asked for, in order, and ``headers`` what came with each.
    """

    def __init__(self, answers: dict[str, Answer] | None = None, tls: ssl.SSLContext | None = None) -> None:
        self._tls = tls
        self.answers: dict[str, Answer] = dict(answers or {})
        self.asked: list[str] = []
        self.headers: list[dict[str, str]] = []
        self.at_once = self.most_at_once = 0

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=self._tls)
        self.port: int = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
            headers = dict(line.lower().split(": ", 1) for line in head[1:] if ": " in line)
            # Unread, it would have the connection reset, and with it what the other side has not read yet.
            await reader.readexactly(int(headers.get("content-length", "0")))
            key = headers["host"].partition(":")[0] + head[0].split(" ")[1]
            self.asked.append(key)
            self.headers.append(headers)
            self.at_once += 1
            self.most_at_once = max(self.most_at_once, self.at_once)
            try:
                told = self.answers.get(key, answer("nothing here", status=404))
                if isinstance(told, bytes):
                    writer.write(told)
                    await writer.drain()
                else:
                    await told(writer)
            finally:
                self.at_once -= 1
        with contextlib.suppress(OSError):
            writer.close()


class Detour(httpcore.AsyncNetworkBackend):
    """Notes the address that is to be connected to, and connects to a port of this machine in its place."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.addresses: list[str] = []
        self._inner = httpcore.AnyIOBackend()

    async def connect_tcp(
        self, host: str, port: int, timeout: float | None = None, *args: Any, **kwargs: Any
    ) -> httpcore.AsyncNetworkStream:
        self.addresses.append(host)
        return await self._inner.connect_tcp("127.0.0.1", self.port, timeout)


class Names:
    """A resolver: what each name has been given, else a public address. ``asked`` holds the names, in order."""

    def __init__(self, known: dict[str, list[str]] | None = None, otherwise: Iterable[str] = (PUBLIC,)) -> None:
        self.known, self.otherwise = known or {}, list(otherwise)
        self.asked: list[str] = []

    async def __call__(self, host: str, port: int) -> list[str]:
        self.asked.append(host)
        return self.known.get(host, self.otherwise)


def patient(**changes: object) -> Settings:
    """Settings under which nothing waits for politeness."""
    return Settings(**({"article_host_delay": 0, "article_per_host": 50} | changes))  # type: ignore[arg-type]


def fetcher(
    site: Site,
    settings: Settings | None = None,
    names: Names | None = None,
    vet: Callable[[str], bool] = is_public,
    tls: ssl.SSLContext | None = None,
    **more: Any,
) -> Fetcher:
    """A fetcher behind the guard, for an internet in which every connection ends at *site*."""
    settings = settings or patient()
    backend = GuardedBackend(settings.allowed_ports, (), names or Names(), vet, Detour(site.port))
    return Fetcher(GuardedTransport(settings, backend, tls), settings, **more)


def page(words: int = 300) -> str:
    """An article that an extractor finds."""
    text = " ".join(f"word{number % 97} follows word{number % 89}." for number in range(words // 3))
    return f"<html lang=en><head><title>A title</title></head><body><article><p>{text}</p></article></body></html>"


__all__ = ["PUBLIC", "Detour", "Names", "Site", "answer", "fetcher", "moved", "page", "patient"]

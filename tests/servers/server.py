"""The server itself: HTTP/1.1 on 127.0.0.1, in a thread of its own, with the faults written straight to the socket.

h11 parses requests. Answers are written by hand, because half of them are meant to break the rules h11 keeps.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import threading
from collections import Counter
from dataclasses import dataclass
from types import TracebackType
from typing import Self
from urllib.parse import parse_qsl, urlsplit

import h11

from tests.servers import faults, hacker_news, web
from tests.servers.hacker_news import Shape
from tests.servers.material import Page, World
from tests.servers.weather import Weather

#: Hosts by which the two interfaces are asked; any other name is a site of the web.
_OURS = ("127.0.0.1", "localhost")


@dataclass(frozen=True)
class Request:
    """What was asked for."""

    host: str
    path: str
    params: dict[str, str]

    @property
    def url(self) -> str:
        """Host, path and query: what weather is decided by."""
        return f"{self.host}{self.path}" + (f"?{sorted(self.params.items())}" if self.params else "")


class LoopbackServer:
    """Serves a World in some Weather; a context manager.

    ``firebase_url`` and ``algolia_url`` are what settings take. A request under any other host name than 127.0.0.1 is
    for the web; a test lets names resolve to this server by a resolver of its own. ``requests`` counts what was asked
    by service (``item``, ``maxitem``, ``search``, ``web``), ``met`` the faults by their names, and ``at_once`` is the
    largest number of requests that were in the server at one time.

    Args:
        world: what there is; it may be changed while it is served.
        weather: may be replaced while it is served.
        shape: of Algolia's hits, ``old`` or ``new``.
        make_page: what answers for pages that the world does not have.
        port: 0 takes a free one.
    """

    def __init__(
        self,
        world: World,
        weather: Weather | None = None,
        shape: Shape = "new",
        make_page: web.Maker | None = None,
        port: int = 0,
    ) -> None:
        self.world = world
        self.weather = weather or Weather()
        self.shape: Shape = shape
        self.make_page = make_page
        self.port = port
        self.requests: Counter[str] = Counter()
        self.met: Counter[str] = Counter()
        self.at_once = 0
        self._inside = 0
        self._ready = threading.Event()
        self._failure: BaseException | None = None

    @property
    def firebase_url(self) -> str:
        """Where items are read."""
        return f"http://127.0.0.1:{self.port}/v0"

    @property
    def algolia_url(self) -> str:
        """Where days are listed."""
        return f"http://127.0.0.1:{self.port}/api/v1"

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), name="loopback-server", daemon=True)
        self._thread.start()
        self._ready.wait()
        if self._failure is not None:
            raise self._failure
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()

    async def _serve(self) -> None:
        """Runs in the thread, until the block of the context manager ends."""
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        try:
            server = await asyncio.start_server(self._connected, "127.0.0.1", self.port)
        except OSError as error:
            self._failure = error
            self._ready.set()
            return
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        await self._stop.wait()
        server.close()  # asyncio.run cancels the connections that are left

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, h11.RemoteProtocolError, asyncio.CancelledError):
            while request := await _request(reader):
                if not await self._answer(request, reader, writer):
                    break
        writer.close()

    async def _answer(self, request: Request, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Answer one request as the weather is; whether the connection may go on."""
        self._inside += 1
        self.at_once = max(self.at_once, self._inside)
        try:
            page = self._page(request)
            fault = self.weather.fault(request.url)
            await asyncio.sleep(self.weather.latency)
            if fault is None:
                writer.write(faults.whole(page))
                await writer.drain()
                return True
            self.met[fault] += 1
            await faults.befall(fault, page, request.path, reader, writer, self.weather.retry_after)
            return False
        finally:
            self._inside -= 1

    def _page(self, request: Request) -> Page:
        if request.host not in _OURS:
            self.requests["web"] += 1
            return web.page(self.world, request.host, request.path, self.make_page)
        if request.path.startswith("/v0/"):
            path = request.path.removeprefix("/v0")
            self.requests[path.split("/")[1].removesuffix(".json")] += 1
            return _json(hacker_news.firebase(self.world, path))
        if request.path == "/api/v1/search_by_date":
            self.requests["search"] += 1
            return _json(hacker_news.algolia(self.world, request.params, self.shape))
        self.requests["unknown"] += 1
        return web.NOT_FOUND


async def _request(reader: asyncio.StreamReader) -> Request | None:
    """The next request of a connection; None where there is no further one."""
    parser = h11.Connection(h11.SERVER)
    while True:
        event = parser.next_event()
        if event is h11.NEED_DATA:
            parser.receive_data(await reader.read(65_536))
        elif isinstance(event, h11.Request):
            headers = {name.decode(): value.decode() for name, value in event.headers}
            parts = urlsplit(event.target.decode("latin-1"))
            host = headers.get("host", "").partition(":")[0].lower()
            return Request(host, parts.path, dict(parse_qsl(parts.query)))
        else:
            return None


def _json(value: object) -> Page:
    return Page(json.dumps(value).encode(), "application/json; charset=utf-8")

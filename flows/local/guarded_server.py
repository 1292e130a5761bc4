"""Prefect's server behind checks of each request's ``Host`` and each WebSocket's ``Origin``, without its API's docs.

Run as ``python -m flows.local.guarded_server``, or as this file alone.

Needs Prefect and what comes with it, nothing else of this project, so that a container with Prefect's own image can run
it. Authentication, CORS and CSRF are Prefect's settings (docs/decisions/0019-authenticated-servers.md).
"""

from __future__ import annotations

import argparse
import asyncio
import os
import re
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from filelock import BaseFileLock, FileLock, Timeout

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

#: Names under which a server on this machine is reached. Another name is another site's, resolved to this address.
LOOPBACK = ("127.0.0.1", "localhost", "[::1]")
#: Seconds that a server waits while other servers of the home create or migrate its database.
START_WITHIN = 300.0
_TRIED_EVERY = 0.1
#: Pages about the API that FastAPI adds to each of its apps. They need no password, and load scripts from a CDN.
_API_DOCS = ("/docs", "/docs/oauth2-redirect", "/redoc", "/openapi.json")
_HOST = re.compile(r"(\*\.)?[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*|\[[0-9A-Fa-f:.]+\]")


class OneStartAtATime:
    """An app whose startup holds a file lock: two concurrent migrations of a database both fail."""

    def __init__(self, app: ASGIApp, lock: Path) -> None:
        self._app, self._path = app, lock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass every call on; hold the lock during the startup."""
        if scope["type"] != "lifespan":
            await self._app(scope, receive, send)
            return
        lock = FileLock(self._path, thread_local=False)
        await _hold(lock)

        async def send_and_release(message: Message) -> None:
            if message["type"].startswith("lifespan.startup."):
                lock.release()
            await send(message)

        try:
            await self._app(scope, receive, send_and_release)
        finally:
            lock.release()


async def _hold(lock: BaseFileLock) -> None:
    """Take *lock*, without a thread that a signal would have to wait for.

    Raises:
        TimeoutError: another server held the lock for START_WITHIN seconds.
    """
    deadline = time.monotonic() + START_WITHIN
    while True:
        try:
            lock.acquire(blocking=False)
        except Timeout:
            if time.monotonic() >= deadline:
                raise TimeoutError(
                    f"{lock.lock_file} was held for {START_WITHIN:g} s: end the process that holds it"
                ) from None
            await asyncio.sleep(_TRIED_EVERY)
        else:
            return


def guarded_app(hosts: Sequence[str] = (), services: bool = True) -> ASGIApp:
    """Prefect's app by the settings of the environment, behind the checks of this module.

    Args:
        hosts: names beside those of loopback, without a port; ``*.example.com`` is for all below it.
        services: False for the API and the UI alone.
    """
    import prefect.settings
    from prefect.server.api.server import create_app

    app = create_app(final=True, webserver_only=not services)
    settings = prefect.settings.get_current_settings()
    settings.home.mkdir(parents=True, exist_ok=True)
    api = settings.server.api
    guarded = behind_origin_check(app, api.cors_allowed_origins.split(","))
    guarded = without_api_docs(guarded, ("/api", api.base_path or ""))
    return behind_host_check(OneStartAtATime(guarded, settings.home / "server-start.lock"), hosts)


def behind_host_check(app: ASGIApp, hosts: Sequence[str] = ()) -> ASGIApp:
    """*app* for requests to loopback's names and these; every other ``Host`` is answered with 400."""
    from starlette.middleware.trustedhost import TrustedHostMiddleware

    return TrustedHostMiddleware(app, [*LOOPBACK, *hosts], www_redirect=False)


def without_api_docs(app: ASGIApp, prefixes: Sequence[str] = ("/api",)) -> ASGIApp:
    """*app* with 404 in place of the pages about its API, at the root and below each of *prefixes*."""
    from starlette.responses import PlainTextResponse

    hidden = {f"{prefix.rstrip('/')}{path}" for prefix in ("", *prefixes) for path in _API_DOCS}

    async def hiding(scope: Scope, receive: Receive, send: Send) -> None:
        is_hidden = scope["type"] == "http" and scope["path"].rstrip("/") in hidden
        await (PlainTextResponse("Not Found", 404) if is_hidden else app)(scope, receive, send)

    return hiding


def behind_origin_check(app: ASGIApp, origins: Sequence[str] = ()) -> ASGIApp:
    """*app* with each WebSocket refused (403) that a page of another site opens: CORS does not hold for them.

    A client that is no browser sends no ``Origin`` and goes on. To be placed behind the check of the ``Host``.

    Args:
        origins: those allowed beside the server's own, such as ``http://localhost:4200``; ``*`` allows all.
    """
    from starlette.datastructures import Headers
    from starlette.websockets import WebSocketClose

    allowed = {origin.strip().rstrip("/").lower() for origin in origins}

    async def checking(scope: Scope, receive: Receive, send: Send) -> None:
        is_refused = False
        if scope["type"] == "websocket" and "*" not in allowed:
            headers = Headers(scope=scope)
            own = {f"{scheme}://{headers.get('host', '')}".lower() for scheme in ("http", "https")}
            is_refused = any(origin.lower() not in allowed | own for origin in headers.getlist("origin"))
        await (WebSocketClose(1008) if is_refused else app)(scope, receive, send)

    return checking


def _host(value: str) -> str:
    if not _HOST.fullmatch(value):
        raise argparse.ArgumentTypeError(f"{value[:80]!r} is not a host name: give a name without a port, and not *")
    return value


def main(argv: Sequence[str]) -> None:
    """Serve until a signal ends it. Host and port are Prefect's own settings where they are not given."""
    parser = argparse.ArgumentParser(description="Prefect's server behind checks of Host and Origin")
    parser.add_argument("--host", help="the address to listen at (default: PREFECT_SERVER_API_HOST)")
    parser.add_argument("--port", type=int, help="the port to listen at (default: PREFECT_SERVER_API_PORT)")
    parser.add_argument("--no-services", action="store_true", help="the API and the UI alone")
    parser.add_argument(
        "--allow-host",
        action="append",
        default=[],
        type=_host,
        metavar="NAME",
        help="a name beside 127.0.0.1, localhost and [::1] under which it is reached; may be given again",
    )
    options = parser.parse_args(argv)
    if options.no_services:  # before Prefect is imported, which reads its settings then
        os.environ["PREFECT_SERVER_ANALYTICS_ENABLED"] = "false"
    import prefect.settings
    import uvicorn

    api = prefect.settings.get_current_settings().server.api
    uvicorn.run(
        guarded_app(options.allow_host, not options.no_services),
        host=options.host or api.host,
        port=options.port or api.port,
        timeout_keep_alive=api.keepalive_timeout,
        ws_ping_interval=api.websocket_ping_interval,
        ws_ping_timeout=api.websocket_ping_timeout,
        log_level=prefect.settings.get_current_settings().server.logging_level.lower(),
    )


if __name__ == "__main__":
    main(sys.argv[1:])

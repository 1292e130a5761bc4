"""Prefect's server behind a check of each request's ``Host``.

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
#: Seconds that a server waits for others of the same home to have made, or brought up to date, its database.
START_WITHIN = 300.0
_TRIED_EVERY = 0.1
_HOST = re.compile(r"(\*\.)?[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*|\[[0-9A-Fa-f:.]+\]")


class OneStartAtATime:
    """An app whose startup holds a file lock: two that migrate one database at once both fail."""

    def __init__(self, app: ASGIApp, lock: Path) -> None:
        self._app, self._path = app, lock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass everything on; where it is the startup, once the lock is held, and until it is over."""
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
        TimeoutError: others held it for START_WITHIN seconds.
    """
    deadline = time.monotonic() + START_WITHIN
    while True:
        try:
            lock.acquire(blocking=False)
        except Timeout:
            if time.monotonic() >= deadline:
                raise TimeoutError(f"{lock.lock_file} was held for {START_WITHIN:g} s: end who holds it") from None
            await asyncio.sleep(_TRIED_EVERY)
        else:
            return


def guarded_app(hosts: Sequence[str] = (), services: bool = True) -> ASGIApp:
    """Prefect's app by the settings of the environment; a ``Host`` that is not expected is answered with 400.

    Args:
        hosts: names beside those of loopback, without a port; ``*.example.com`` is for all below it.
        services: False for the API and the UI alone.
    """
    import prefect.settings
    from prefect.server.api.server import create_app

    app = create_app(final=True, webserver_only=not services)
    settings = prefect.settings.get_current_settings()
    settings.home.mkdir(parents=True, exist_ok=True)
    return behind_host_check(OneStartAtATime(app, settings.home / "server-start.lock"), hosts)


def behind_host_check(app: ASGIApp, hosts: Sequence[str] = ()) -> ASGIApp:
    """*app* for requests to loopback's names and these; every other ``Host`` is answered with 400."""
    from starlette.middleware.trustedhost import TrustedHostMiddleware

    return TrustedHostMiddleware(app, [*LOOPBACK, *hosts], www_redirect=False)


def _host(value: str) -> str:
    if not _HOST.fullmatch(value):
        raise argparse.ArgumentTypeError(f"{value[:80]!r} is no name of a host: give one without a port, and not *")
    return value


def main(argv: Sequence[str]) -> None:
    """Serve until a signal ends it. Host and port are Prefect's own settings where they are not given."""
    parser = argparse.ArgumentParser(description="Prefect's server, refusing requests for another Host")
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
    asked = parser.parse_args(argv)
    if asked.no_services:  # before Prefect is imported, which reads its settings then
        os.environ["PREFECT_SERVER_ANALYTICS_ENABLED"] = "false"
    import prefect.settings
    import uvicorn

    api = prefect.settings.get_current_settings().server.api
    uvicorn.run(
        guarded_app(asked.allow_host, not asked.no_services),
        host=asked.host or api.host,
        port=asked.port or api.port,
        timeout_keep_alive=api.keepalive_timeout,
        ws_ping_interval=api.websocket_ping_interval,
        ws_ping_timeout=api.websocket_ping_timeout,
        log_level=prefect.settings.get_current_settings().server.logging_level.lower(),
    )


if __name__ == "__main__":
    main(sys.argv[1:])

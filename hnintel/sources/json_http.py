"""GET of JSON from a trusted but unreliable interface: bounded in time, bytes and attempts."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import httpx
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from hnintel.errors import SourceError, Unreachable
from hnintel.http.bodies import read_bounded
from hnintel.http.decoding import ACCEPT_ENCODING, DecodingFailed, TooLarge
from hnintel.settings import Settings
from hnintel.web.guard import authorities

#: Bytes, decoded. A page of 1,000 hits is 0.1 MB and the longest item 2 MB; a longer answer is rejected.
MOST_BYTES = 16_000_000
#: The longest Retry-After (seconds) that is honoured in full; a later run retries after longer outages.
LONGEST_WAIT = 30.0
_BACKOFF = wait_random_exponential(multiplier=0.2, max=10)


class _Throttled(Unreachable):
    """The server does not answer now; ``retry_after`` is the wait it asked for, in seconds."""

    def __init__(self, message: str, retry_after: float) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class JsonClient:
    """A pool of connections that are reused; safe for concurrent requests.

    Every connection is a separate client: httpx scans all idle connections of a pool twice a request, and with twenty
    that costs more than the request itself.
    """

    def __init__(self, clients: Sequence[httpx.AsyncClient], settings: Settings) -> None:
        self._idle: asyncio.LifoQueue[httpx.AsyncClient] = asyncio.LifoQueue()
        for client in clients:
            self._idle.put_nowait(client)
        self._settings = settings

    async def get(self, url: str, params: Mapping[str, Any] | None = None) -> Any:
        """GET *url* and parse its JSON, with retries, backoff and ``Retry-After``.

        Raises:
            Unreachable: no valid answer within the set attempts.
            SourceError: an HTTP status that a retry would not change.
        """
        retrying = AsyncRetrying(
            retry=retry_if_exception_type(Unreachable),
            wait=_wait,
            stop=stop_after_attempt(self._settings.item_attempts),
            reraise=True,
        )
        return await retrying(self._get_once, url, params)

    async def _get_once(self, url: str, params: Mapping[str, Any] | None) -> Any:
        host = httpx.URL(url).host
        client = await self._idle.get()
        try:
            # httpx's timeouts apply to each piece: a server that sends slowly would never reach them.
            async with asyncio.timeout(self._settings.item_timeout):
                status, headers, body = await _read(client, url, params)
        except TimeoutError:
            raise Unreachable(f"{host} did not answer within {self._settings.item_timeout:g} s") from None
        except httpx.HTTPError as error:
            raise Unreachable(f"{host} cannot be reached ({type(error).__name__})") from error
        finally:
            self._idle.put_nowait(client)
        if status == 429 or status >= 500:
            raise _Throttled(f"{host} answered HTTP {status}", _seconds(headers.get("retry-after")))
        if status != 200:
            raise SourceError(f"{host} answered HTTP {status}")
        try:
            return json.loads(body)
        except (ValueError, RecursionError):
            raise Unreachable(f"{host} answered what is not JSON") from None


async def _read(
    client: httpx.AsyncClient, url: str, params: Mapping[str, Any] | None
) -> tuple[int, httpx.Headers, bytes]:
    async with client.stream("GET", url, params=params) as response:
        try:
            body = await read_bounded(response, MOST_BYTES)
        except TooLarge:
            raise Unreachable(f"{response.url.host} answered more than {MOST_BYTES} bytes") from None
        except DecodingFailed as failed:
            raise Unreachable(f"{response.url.host} answered what cannot be read: {failed}") from None
        return response.status_code, response.headers, body


@asynccontextmanager
async def json_client(settings: Settings) -> AsyncIterator[JsonClient]:
    """A client that is closed at the end of the block."""
    single_connection = httpx.Limits(max_connections=1)
    headers = {"User-Agent": settings.user_agent, "Accept": "application/json", "Accept-Encoding": ACCEPT_ENCODING}
    async with AsyncExitStack() as stack:
        clients = [
            httpx.AsyncClient(
                verify=authorities(), timeout=settings.item_timeout, limits=single_connection, headers=headers
            )
            for _ in range(settings.item_concurrency)
        ]
        for client in clients:
            await stack.enter_async_context(client)
        yield JsonClient(clients, settings)


def _wait(state: RetryCallState) -> float:
    """Seconds to wait: exponential backoff with full jitter, or the server's ``Retry-After`` if longer."""
    error = state.outcome.exception() if state.outcome else None
    asked_for = error.retry_after if isinstance(error, _Throttled) else 0.0
    return max(_BACKOFF(state), min(asked_for, LONGEST_WAIT))


def _seconds(retry_after: str | None) -> float:
    """``Retry-After`` in seconds; 0 for a date, because clocks differ."""
    text = (retry_after or "").strip()
    return float(text) if text.isascii() and text.isdigit() else 0.0

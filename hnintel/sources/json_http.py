"""GET as JSON from an interface that is trusted, but not to be well: bounded in time, bytes and attempts."""

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

#: Bytes, decoded. A page of 1,000 hits is 0.1 MB and the longest item 2 MB; what goes on after this is no answer.
MOST_BYTES = 16_000_000
#: A server that asks for more patience than this (seconds) is asked again by a later run.
LONGEST_WAIT = 30.0
_BACKOFF = wait_random_exponential(multiplier=0.2, max=10)


class _Throttled(Unreachable):
    """It does not answer now, and said when it will."""

    def __init__(self, message: str, retry_after: float) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class JsonClient:
    """So many connections, each kept for the next request; safe for many requests at once.

    Every connection is a client of its own: httpx looks at all the idle ones of a pool twice a request, and with twenty
    that costs more than the request itself.
    """

    def __init__(self, clients: Sequence[httpx.AsyncClient], settings: Settings) -> None:
        self._idle: asyncio.LifoQueue[httpx.AsyncClient] = asyncio.LifoQueue()
        for client in clients:
            self._idle.put_nowait(client)
        self._settings = settings

    async def get(self, url: str, params: Mapping[str, Any] | None = None) -> Any:
        """The JSON that *url* answers with; with backoff on what may pass, and ``Retry-After`` honoured.

        Raises:
            Unreachable: it did not answer well within the set attempts.
            SourceError: it answered, and will not answer otherwise.
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
            # httpx's own limits are for one piece each: a server that drips would never meet them.
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
    """A client for the length of the block."""
    one = httpx.Limits(max_connections=1)
    headers = {"User-Agent": settings.user_agent, "Accept": "application/json", "Accept-Encoding": ACCEPT_ENCODING}
    async with AsyncExitStack() as stack:
        clients = [
            httpx.AsyncClient(verify=authorities(), timeout=settings.item_timeout, limits=one, headers=headers)
            for _ in range(settings.item_concurrency)
        ]
        for client in clients:
            await stack.enter_async_context(client)
        yield JsonClient(clients, settings)


def _wait(state: RetryCallState) -> float:
    """Exponential backoff with full jitter, or as long as the server asked for if that is longer."""
    error = state.outcome.exception() if state.outcome else None
    asked_for = error.retry_after if isinstance(error, _Throttled) else 0.0
    return max(_BACKOFF(state), min(asked_for, LONGEST_WAIT))


def _seconds(retry_after: str | None) -> float:
    """``Retry-After`` in seconds; a date is left to the backoff, for clocks differ."""
    text = (retry_after or "").strip()
    return float(text) if text.isascii() and text.isdigit() else 0.0

"""Turns at a host: so many requests at once and so long between two, over every chunk and thread of a process."""

from __future__ import annotations

import asyncio
import threading
import time
from collections import defaultdict, deque
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import Future
from contextlib import asynccontextmanager
from dataclasses import dataclass, field


@dataclass(slots=True)
class _Host:
    busy: int = 0
    waiting: deque[Future[None]] = field(default_factory=deque)
    next_start: float = 0.0
    resting_until: float = 0.0


class HostTurns:
    """Who may ask which host when. Chunks run in threads with an event loop each, so the book is kept under a lock.

    Args:
        at_once: requests under way to one host.
        delay: seconds from the start of one request to a host to the start of the next.
        clock: seconds, never going back.
        sleep: waits so many of them.
    """

    def __init__(
        self,
        at_once: int,
        delay: float,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._at_once, self._delay = at_once, delay
        self._clock, self._sleep = clock, sleep
        self._lock = threading.Lock()
        self._hosts: dict[str, _Host] = defaultdict(_Host)

    @asynccontextmanager
    async def turn(self, host: str, delay: float = 0.0) -> AsyncIterator[None]:
        """Wait for a turn at *host* and hold it for the block; *delay* is the site's own wish, if longer than ours."""
        await self._enter(host)
        try:
            wait = self._book(host, max(delay, self._delay))
            if wait > 0:
                await self._sleep(wait)
            yield
        finally:
            self._leave(host)

    def rest(self, host: str, seconds: float) -> None:
        """Note that *host* asked to be left alone for *seconds*."""
        with self._lock:
            known = self._hosts[host]
            known.resting_until = max(known.resting_until, self._clock() + seconds)

    def resting(self, host: str) -> float:
        """For how many seconds *host* still wants to be left alone; 0 where it does not."""
        with self._lock:
            return max(0.0, self._hosts[host].resting_until - self._clock()) if host in self._hosts else 0.0

    async def _enter(self, host: str) -> None:
        with self._lock:
            known = self._hosts[host]
            if known.busy < self._at_once:
                known.busy += 1
                return
            place: Future[None] = Future()
            known.waiting.append(place)
        try:
            await asyncio.wrap_future(place)
        except asyncio.CancelledError:
            if not place.cancel() and not place.cancelled():  # the turn was given in the same moment: hand it on
                self._leave(host)
            raise

    def _leave(self, host: str) -> None:
        with self._lock:
            known = self._hosts[host]
            while known.waiting:
                place = known.waiting.popleft()
                if place.set_running_or_notify_cancel():
                    place.set_result(None)  # the place goes from hand to hand: busy stays as it is
                    return
            known.busy -= 1

    def _book(self, host: str, delay: float) -> float:
        """Take the next free start; how many seconds off it is."""
        with self._lock:
            known, now = self._hosts[host], self._clock()
            start = max(now, known.next_start)
            known.next_start = start + delay
            return start - now

"""Limits of requests to a host (concurrency, delay, total pauses) across the chunks and threads of a process."""

from __future__ import annotations

import asyncio
import math
import threading
import time
from collections import defaultdict, deque
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import Future
from contextlib import asynccontextmanager
from dataclasses import dataclass, field


class WaitedEnough(Exception):
    """The next request to a host would exceed the most seconds of pauses there."""


@dataclass(slots=True)
class _Host:
    busy: int = 0
    waiting: deque[Future[None]] = field(default_factory=deque)
    last_start: float = 0.0
    next_start: float = 0.0
    waited: float = 0.0
    resting_until: float = 0.0


class HostTurns:
    """Schedules requests by host. Chunks run in threads with an event loop each, so a lock guards the state.

    Args:
        at_once: the most concurrent requests to a host.
        delay: seconds from the start of one request to a host to the start of the next.
        clock: a monotonic clock, in seconds.
        sleep: sleeps for a number of seconds.
        most_waiting: the most seconds of pauses at a host in total; time spent otherwise does not count.
    """

    def __init__(
        self,
        at_once: int,
        delay: float,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        most_waiting: float = math.inf,
    ) -> None:
        self._at_once, self._delay, self._most_waiting = at_once, delay, most_waiting
        self._clock, self._sleep = clock, sleep
        self._lock = threading.Lock()
        self._hosts: dict[str, _Host] = defaultdict(_Host)

    @asynccontextmanager
    async def turn(self, host: str, delay: float = 0.0) -> AsyncIterator[None]:
        """Wait for a slot at *host* and occupy it during the block; the site's *delay* is used if it is longer.

        Raises:
            WaitedEnough: the pauses at this host would exceed the maximum; no slot is reserved.
        """
        await self._enter(host)
        try:
            wait = self._book(host, max(delay, self._delay))
            if wait > 0:
                await self._sleep(wait)
            yield
        finally:
            self._leave(host)

    def rest(self, host: str, seconds: float) -> None:
        """Record that *host* asked for no requests during *seconds*."""
        with self._lock:
            entry = self._hosts[host]
            entry.resting_until = max(entry.resting_until, self._clock() + seconds)

    def resting(self, host: str) -> float:
        """Seconds for which *host* still asks for no requests; else 0."""
        with self._lock:
            return max(0.0, self._hosts[host].resting_until - self._clock()) if host in self._hosts else 0.0

    async def _enter(self, host: str) -> None:
        with self._lock:
            entry = self._hosts[host]
            if entry.busy < self._at_once:
                entry.busy += 1
                return
            waiter: Future[None] = Future()
            entry.waiting.append(waiter)
        try:
            await asyncio.wrap_future(waiter)
        except asyncio.CancelledError:
            if not waiter.cancel() and not waiter.cancelled():  # the slot was granted at the same moment: release it
                self._leave(host)
            raise

    def _leave(self, host: str) -> None:
        with self._lock:
            entry = self._hosts[host]
            while entry.waiting:
                waiter = entry.waiting.popleft()
                if waiter.set_running_or_notify_cancel():
                    waiter.set_result(None)  # the slot passes to the waiter: busy is unchanged
                    return
            entry.busy -= 1

    def _book(self, host: str, delay: float) -> float:
        """Reserve the next free start and return the seconds until then."""
        with self._lock:
            entry, now = self._hosts[host], self._clock()
            start = max(now, entry.next_start)
            pause = max(0.0, start - max(now, entry.last_start))  # earlier reservations' pauses are counted already
            if entry.waited + pause > self._most_waiting:
                raise WaitedEnough(host)
            entry.waited += pause
            entry.last_start, entry.next_start = start, start + delay
            return start - now

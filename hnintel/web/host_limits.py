"""Turns at a host: requests at once, pauses between two and in all, over the chunks and threads of a process."""

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
    """The next turn at a host would take more waiting than the host may have."""


@dataclass(slots=True)
class _Host:
    busy: int = 0
    waiting: deque[Future[None]] = field(default_factory=deque)
    last_start: float = 0.0
    next_start: float = 0.0
    waited: float = 0.0
    resting_until: float = 0.0


class HostTurns:
    """Who may ask which host when. Chunks run in threads with an event loop each, so the book is kept under a lock.

    Args:
        at_once: requests under way to one host.
        delay: seconds from the start of one request to a host to the start of the next.
        clock: seconds, never going back.
        sleep: waits so many of them.
        most_waiting: seconds of pauses at one host, all together; time that passes by itself is no pause.
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
        """Wait for a turn at *host* and hold it for the block; *delay* is the site's own wish, if longer than ours.

        Raises:
            WaitedEnough: the pauses at this host have been long enough; nothing is booked for this turn.
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
            pause = max(0.0, start - max(now, known.last_start))  # what is booked before it is waited for already
            if known.waited + pause > self._most_waiting:
                raise WaitedEnough(host)
            known.waited += pause
            known.last_start, known.next_start = start, start + delay
            return start - now

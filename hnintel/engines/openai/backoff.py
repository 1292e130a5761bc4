"""The waits before a question is sent again, with a progress line for long waits."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime, timedelta

from hnintel.engines.openai import faults
from hnintel.process import progress

#: Seconds without an answer after which a wait is reported.
REPORTED_AFTER = 5.0


class Patience:
    """The waits of all questions to an endpoint, reported once and not by each question."""

    def __init__(self, base_url: str) -> None:
        self._base_url = base_url
        self._answered_at = time.monotonic()
        self._reported_until = 0.0

    def heard(self) -> None:
        """Record that the endpoint answered, or that asking begins."""
        self._answered_at = time.monotonic()

    async def wait(self, seconds: float, passing: faults.Passing) -> None:
        """Sleep; report why, how long and until when, once the endpoint has not answered for five seconds.

        Args:
            seconds: how long to sleep; cancelling the task ends the sleep at once.
            passing: the failure that caused the wait.
        """
        ends = time.monotonic() + seconds
        await asyncio.sleep(min(seconds, max(0.0, self._answered_at + REPORTED_AFTER - time.monotonic())))
        remaining = ends - time.monotonic()
        if remaining <= 0:
            return
        if ends > self._reported_until + 1:
            self._reported_until = ends
            until = (datetime.now(UTC) + timedelta(seconds=remaining)).strftime("%H:%M:%S")
            asks = "asks to wait" if passing.retry_after else "does not answer, so a wait"
            note = f"{self._base_url} {asks} {seconds:.0f} s ({passing}); it is asked again at {until} UTC"
            progress.update("endpoint", 0, note=note)
        await asyncio.sleep(remaining)

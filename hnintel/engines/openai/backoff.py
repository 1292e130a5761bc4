"""Waiting before a question is sent again, and saying so where it takes long."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime, timedelta

from hnintel.engines.openai import faults
from hnintel.process import progress

#: Seconds without a word after which a wait is spoken of.
TOLD_AFTER = 5.0


class Patience:
    """The waits of all questions to one endpoint, so that a person is told once and not by each of them."""

    def __init__(self, base_url: str) -> None:
        self._base_url = base_url
        self._heard = time.monotonic()
        self._told_until = 0.0

    def heard(self) -> None:
        """Note that the endpoint answered, or that asking begins."""
        self._heard = time.monotonic()

    async def wait(self, seconds: float, passing: faults.Passing) -> None:
        """Sleep, and say why, for how long and until when, once nothing was heard of the endpoint for five seconds.

        Args:
            seconds: to sleep; cancelling the task ends it at once.
            passing: why.
        """
        ends = time.monotonic() + seconds
        await asyncio.sleep(min(seconds, max(0.0, self._heard + TOLD_AFTER - time.monotonic())))
        left = ends - time.monotonic()
        if left <= 0:
            return
        if ends > self._told_until + 1:
            self._told_until = ends
            at = (datetime.now(UTC) + timedelta(seconds=left)).strftime("%H:%M:%S")
            asks = "asks to wait" if passing.retry_after else "does not answer, so a wait"
            told = f"{self._base_url} {asks} {seconds:.0f} s ({passing}); it is asked again at {at} UTC"
            progress.update("endpoint", 0, note=told)
        await asyncio.sleep(left)

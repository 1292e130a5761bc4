"""The loop that runs an enrichment over a day: begin, ask chunk after chunk, judge what came, end."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from hnintel.cost.usage import Enriched

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Chunk:
    """What one chunk came to, and the last item it asked about."""

    came: Enriched
    last: int


class Steps(Protocol):
    """The steps of one enrichment over one day. How a step is performed is the caller's: a plain call, or a task."""

    async def begin(self) -> int:
        """Make the enrichment ready; how many items got an answer that another item has to the very same text."""

    async def ask(self, after: int) -> Chunk | None:
        """Ask about the next pending items behind item *after* and keep the answers; None where nothing is pending."""

    async def judge(self, total: Enriched) -> None:
        """Raise QualityError where too many of the answers so far are bad."""

    async def end(self) -> int:
        """Record that nothing is pending; how many items got an answer that this run got to the very same text."""


async def run_steps(name: str, steps: Steps, report: Callable[[Enriched], None]) -> Enriched:
    """Perform *steps* until nothing is pending. What a step raises ends the loop, and no further step is performed.

    Args:
        name: of the enrichment, for the log.
        steps: performs each step.
        report: is given the total after each chunk, before the chunk is judged.

    Returns:
        what all chunks came to, with the items that were not asked about because another's answer was reused.
    """
    total, after = Enriched(reused=await steps.begin()), 0
    while (chunk := await steps.ask(after)) is not None:
        _warn_uncounted(name, total, chunk.came)
        total, after = total + chunk.came, chunk.last
        report(total)
        await steps.judge(total)
    return total + Enriched(reused=await steps.end())


def _warn_uncounted(name: str, before: Enriched, came: Enriched) -> None:
    """Log, the first time, that an endpoint counts tokens in a way that cannot be right."""
    if came.uncounted and not before.uncounted:
        _log.warning(
            "%s: the endpoint gave no count of tokens that can be right for %d of %d answers: they are booked at an "
            "estimate, so compare the bill with what its operator charges",
            *(name, came.uncounted, came.asked),
        )

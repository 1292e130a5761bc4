"""The loop that runs an enrichment over a day: begin, ask chunk after chunk, judge the answers, end."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from hnintel.cost.usage import Enriched

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Chunk:
    """The usage of one chunk, and the id of its last item."""

    came: Enriched
    last: int


class Steps(Protocol):
    """The steps of one enrichment over one day. The caller implements each step as a plain call or as a task."""

    async def begin(self) -> int:
        """Prepare the enrichment; returns how many items reuse the answer of another item with the same text."""

    async def ask(self, after: int) -> Chunk | None:
        """Ask about the next pending items after item *after* and store the answers; None if nothing is pending."""

    async def judge(self, total: Enriched) -> None:
        """Raise QualityError where too many of the answers so far are bad."""

    async def end(self) -> int:
        """Record that nothing is pending; returns how many items reuse an answer of this run to the same text."""


async def run_steps(name: str, steps: Steps, report: Callable[[Enriched], None]) -> Enriched:
    """Perform *steps* until nothing is pending. An error of a step ends the loop without further steps.

    Args:
        name: the enrichment's name, for the log.
        steps: performs each step.
        report: called with the total after each chunk, before the chunk is judged.

    Returns:
        the sum of all chunks, including the items that reused an answer instead of being asked.
    """
    total, after = Enriched(reused=await steps.begin()), 0
    while (chunk := await steps.ask(after)) is not None:
        _warn_uncounted(name, total, chunk.came)
        total, after = total + chunk.came, chunk.last
        report(total)
        await steps.judge(total)
    return total + Enriched(reused=await steps.end())


def _warn_uncounted(name: str, before: Enriched, came: Enriched) -> None:
    """Warn once that an endpoint reports impossible token counts."""
    if came.uncounted and not before.uncounted:
        _log.warning(
            "%s: the endpoint reported no possible count of tokens for %d of %d answers: they are booked at an "
            "estimate, so compare the costs with the operator's bill",
            *(name, came.uncounted, came.asked),
        )

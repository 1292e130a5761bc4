"""The statuses of a stage and of a run: what the ledger writes, and how a partition stands by it."""

from __future__ import annotations

from typing import Final, Literal

RUNNING: Final = "running"
COMPLETE: Final = "complete"
#: The rows are there, but for those in the dead letters.
PARTIAL: Final = "partial"
FAILED: Final = "failed"
#: Before a question that may exceed a budget.
STOPPED: Final = "stopped"

#: As the ledger writes it.
Status = Literal["running", "complete", "partial", "failed", "stopped"]
#: How a partition stands. ``stale``: done, but what it was made of has changed since.
Standing = Literal[Status, "missing", "stale"]

#: Of a stage whose rows are there.
DONE: Final = (COMPLETE, PARTIAL)
#: The same as the end of a condition in SQL: ``p.status IN (...)``.
IS_DONE: Final = f"IN ({', '.join(map(repr, DONE))})"


def of_done(is_whole: bool) -> Status:
    """The status of what came to its end: complete, or partial where something of it waits in the dead letters."""
    return COMPLETE if is_whole else PARTIAL

"""The statuses of a stage and of a run in the ledger, and the standing of a partition that follows from them."""

from __future__ import annotations

from typing import Final, Literal

RUNNING: Final = "running"
COMPLETE: Final = "complete"
#: The rows are in the warehouse, except those in the dead letters.
PARTIAL: Final = "partial"
FAILED: Final = "failed"
#: Ended before a question that may exceed a budget.
STOPPED: Final = "stopped"

#: As the ledger writes it.
Status = Literal["running", "complete", "partial", "failed", "stopped"]
#: The standing of a partition. ``stale``: done, but its inputs have changed since.
Standing = Literal[Status, "missing", "stale"]

#: The statuses of a stage whose rows are in the warehouse.
DONE: Final = (COMPLETE, PARTIAL)
#: The same as the end of a condition in SQL: ``p.status IN (...)``.
IS_DONE: Final = f"IN ({', '.join(map(repr, DONE))})"


def of_done(is_whole: bool) -> Status:
    """The status of a stage that ran to its end: complete, or partial where it left dead letters."""
    return COMPLETE if is_whole else PARTIAL

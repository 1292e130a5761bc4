"""What the ledger says of a stage and of a run, in a word."""

from __future__ import annotations

from typing import Literal

#: ``stopped``: before a question that may exceed a budget.
Status = Literal["running", "complete", "partial", "failed", "stopped"]
#: Of a stage whose rows are there; ``partial``: but for those in the dead letters.
DONE = ("complete", "partial")

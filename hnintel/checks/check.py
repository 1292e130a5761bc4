"""What a check is, and what it came to."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date

from hnintel.ledger.check_results import Result
from hnintel.settings import Settings
from hnintel.warehouse.base import Session


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether it passed, and one line with the figures; never a word of what was read or answered."""

    passed: bool
    detail: str


@dataclass(frozen=True, slots=True)
class Check:
    """One question about the data of a day that has a right answer.

    Args:
        guards: the stage or enrichment whose rows it is about: ``ingest``, ``sentiment``.
        name: of the check, in words.
        blocking: whether nothing downstream may run where it fails.
        measure: works it out, by SELECTs alone, of the given day.
    """

    guards: str
    name: str
    blocking: bool
    measure: Callable[[Session, date, Settings], Verdict]

    @property
    def label(self) -> str:
        """Its name in ``ops.checks``."""
        return f"{self.guards}: {self.name}"


def share_of(part: int, whole: int, allowed: float, told: str) -> Verdict:
    """Passed where *part* is no more than the share *allowed* of *whole*; *told* says what the part is."""
    if not whole:
        return Verdict(True, "nothing to judge: there are no rows")
    share = part / whole
    limit = f", more than {allowed:.1%}" if share > allowed > 0 else ""
    return Verdict(share <= allowed, f"{part} of {whole} {told} ({share:.1%}{limit})")


def in_a_line(results: Sequence[Result]) -> str:
    """How many of *results* passed."""
    passed = sum(one.passed for one in results)
    return f"{passed} of {len(results)} passed"

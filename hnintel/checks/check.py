"""A check of a day's data, and its verdict."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date

from hnintel.ledger.check_results import Result
from hnintel.settings import Settings
from hnintel.warehouse.base import Session


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether the check passed, and one line with figures; never text of pages or answers."""

    passed: bool
    detail: str


@dataclass(frozen=True, slots=True)
class Check:
    """A check of a day's data that passes or fails.

    Args:
        guards: the stage or enrichment whose rows are checked: ``ingest``, ``sentiment``.
        name: of the check, in words.
        blocking: whether a failure stops the stages downstream.
        measure: computes the verdict for a day, with SELECTs only.
    """

    guards: str
    name: str
    blocking: bool
    measure: Callable[[Session, date, Settings], Verdict]

    @property
    def label(self) -> str:
        """Its name in ``ops.checks``."""
        return f"{self.guards}: {self.name}"


def share_of(part: int, whole: int, allowed: float, words: str) -> Verdict:
    """Passed if *part* is at most the share *allowed* (0 to 1) of *whole*; *words* describe the part."""
    if not whole:
        return Verdict(True, "nothing to judge: there are no rows")
    share = part / whole
    limit = f", more than {allowed:.1%}" if share > allowed > 0 else ""
    return Verdict(share <= allowed, f"{part} of {whole} {words} ({share:.1%}{limit})")


def in_a_line(results: Sequence[Result]) -> str:
    """One line with the number of *results* that passed."""
    passed = sum(result.passed for result in results)
    return f"{passed} of {len(results)} passed"

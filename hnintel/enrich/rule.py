"""A check that an enrichment declares, besides those that follow from its columns."""

from __future__ import annotations

from dataclasses import dataclass

from hnintel.errors import DeclarationError
from hnintel.warehouse.statements import check_syntax


@dataclass(frozen=True)
class Rule:
    """A rule for every answer of an enrichment. It is not part of the question: changing it asks nothing again.

    Args:
        name: in words: ``takeaways are short``.
        holds: a condition on the enrichment's columns. NULL counts as met.
        allowed: the share of a day's answers that may break it.
        blocking: whether a larger share stops everything downstream; else it is a warning.
    """

    name: str
    holds: str
    allowed: float = 0.0
    blocking: bool = False

    def check(self) -> None:
        """Raise DeclarationError, with advice, if the rule is invalid."""
        if not self.name.strip():
            raise DeclarationError("a check has no name; describe the rule in a few words")
        if not 0 <= self.allowed < 1:
            raise DeclarationError(f"check {self.name}: allowed must be a share, at least 0 and below 1")
        check_syntax(f"the condition of check {self.name}", f"SELECT 1 FROM answers WHERE ({self.holds}\n)")

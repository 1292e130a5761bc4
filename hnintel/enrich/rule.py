"""A check that an enrichment declares for itself, beside those that follow from its columns."""

from __future__ import annotations

from dataclasses import dataclass

from hnintel.errors import DeclarationError
from hnintel.warehouse.statements import check_syntax


@dataclass(frozen=True)
class Rule:
    """What every answer of an enrichment should hold to. It is no part of the question: changing it asks nothing anew.

    Args:
        name: in words: ``takeaways are short``.
        holds: a condition on the enrichment's columns. One that is NULL is not broken.
        allowed: the share of a day's answers that may break it.
        blocking: whether nothing downstream runs where more do; else it is a warning.
    """

    name: str
    holds: str
    allowed: float = 0.0
    blocking: bool = False

    def check(self) -> None:
        """Raise DeclarationError, with the mend, where it makes no sense."""
        if not self.name.strip():
            raise DeclarationError("a check has no name; say in words what holds")
        if not 0 <= self.allowed < 1:
            raise DeclarationError(f"check {self.name}: allowed is a share, from 0 to below 1")
        check_syntax(f"the condition of check {self.name}", f"SELECT 1 FROM answers WHERE ({self.holds}\n)")

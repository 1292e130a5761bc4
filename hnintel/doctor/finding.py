"""The result of a check of the doctor."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

#: ``missing`` stops a run, ``warning`` may stop a run; a check is ``skipped`` when another problem prevents it.
Outcome = Literal["ok", "missing", "warning", "skipped"]


@dataclass(frozen=True, slots=True)
class Finding:
    """The result of a check: its name, the outcome, one line, and the commands or statements that fix the problem."""

    name: str
    outcome: Outcome
    detail: str
    mends: tuple[str, ...] = ()

    @classmethod
    def ok(cls, name: str, detail: str) -> Finding:
        """The run has what it needs."""
        return cls(name, "ok", detail)

    @classmethod
    def missing(cls, name: str, detail: str, *mends: str) -> Finding:
        """Something is missing without which a run fails."""
        return cls(name, "missing", detail, mends)

    @classmethod
    def warning(cls, name: str, detail: str, *mends: str) -> Finding:
        """A run may fail, or the check could not determine whether it would."""
        return cls(name, "warning", detail, mends)

    @classmethod
    def skipped(cls, name: str, detail: str) -> Finding:
        """The check could not be made."""
        return cls(name, "skipped", detail)


def missing(findings: Iterable[Finding]) -> list[Finding]:
    """Return the findings that stop a run."""
    return [finding for finding in findings if finding.outcome == "missing"]


def mends(findings: Iterable[Finding]) -> Iterator[str]:
    """Yield the commands and statements that fix *findings*, without duplicates."""
    yield from dict.fromkeys(fix for finding in findings for fix in finding.mends)

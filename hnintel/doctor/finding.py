"""The result of a check of the doctor."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

#: ``missing`` stops a run, ``warning`` may; ``skipped`` could not be looked at because of something else.
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
        """It is there."""
        return cls(name, "ok", detail)

    @classmethod
    def missing(cls, name: str, detail: str, *mends: str) -> Finding:
        """A run would fail."""
        return cls(name, "missing", detail, mends)

    @classmethod
    def warning(cls, name: str, detail: str, *mends: str) -> Finding:
        """A run may fail, or it could not be told."""
        return cls(name, "warning", detail, mends)

    @classmethod
    def skipped(cls, name: str, detail: str) -> Finding:
        """It could not be looked at."""
        return cls(name, "skipped", detail)


def missing(findings: Iterable[Finding]) -> list[Finding]:
    """Those that stop a run."""
    return [one for one in findings if one.outcome == "missing"]


def mends(findings: Iterable[Finding]) -> Iterator[str]:
    """What mends them, each once."""
    yield from dict.fromkeys(mend for one in findings for mend in one.mends)

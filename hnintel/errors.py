"""The errors of the pipeline; the class decides what the runner does next.

HnIntelError                one line: what happened, to what, and what to do
├── UsageError              an argument or a setting is wrong      → report, exit 2, change nothing
├── SourceError             a source cannot be read at all         → report, exit 3
│   └── Unreachable         the source may answer in a minute      → retry, then as above
├── WarehouseError          the warehouse rejected a statement     → report, exit 4
│   ├── WarehouseBusy       another process has locked it          → wait up to a limit, then as above
│   ├── WarehouseLost       the session or the network was lost    → reconnect, retry the transaction, then as above
│   ├── Stopped             a signal or a cancel ended the asking  → store the answers so far; a command exits 130
│   └── ModelUnavailable    the account lacks a model              → ask the fall-back model, if one is set
├── DeclarationError        an enrichment's declaration is wrong   → report, exit 5, ask nothing
├── QualityError            a blocking check failed                → stop the stages downstream, exit 6
├── TransformError          dbt failed                             → stop the stages downstream, exit 7
├── BudgetReached           the next question may exceed a budget  → store the answers so far, stop, exit 8
├── PrefectAway             Prefect's API cannot be reached        → keep what was committed, report, exit 9
└── ListingTooSmall         a day has no stories, or far too few   → keep what was read, publish no page, exit 10
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence


def first_line(message: object, most: int = 300) -> str:
    """The first line of an error or a message, cut to *most* characters; ``no message`` if it is empty."""
    return (str(message).strip() or "no message").splitlines()[0][:most]


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """``; did you mean topic?`` where one of the *known* names is close to *word*; else nothing."""
    close = difflib.get_close_matches(word, list(known), 1)
    return f"; did you mean {close[0]}?" if close else ""


def counted(number: int, singular: str, plural: str | None = None) -> str:
    """A number with its noun: ``1 day``, ``2 days``."""
    return f"{number} {singular if number == 1 else plural or f'{singular}s'}"


class HnIntelError(Exception):
    """Base of the errors that are shown to a user in one line, without a traceback."""

    exit_code = 1
    #: Whether the failed run has published its failure; then the run that started it publishes no second failure.
    announced = False


class UsageError(HnIntelError):
    """An argument or a setting is wrong; nothing was changed."""

    exit_code = 2


class SourceError(HnIntelError):
    """A source cannot be read at all; a retry will not help."""

    exit_code = 3


class Unreachable(SourceError):
    """A source does not answer now; it is retried with backoff."""


class WarehouseError(HnIntelError):
    """The warehouse rejected a statement; the transaction is rolled back."""

    exit_code = 4


class WarehouseBusy(WarehouseError):
    """Another process locked the warehouse, or a stage, for longer than ``lock_wait`` seconds."""


class WarehouseLost(WarehouseError, Unreachable):
    """The session or the network was lost: nothing uncommitted was written, and the transaction may be retried."""


class ModelUnavailable(WarehouseError):
    """The account, or its region, lacks the model; there are no answers."""


class Stopped(WarehouseError):
    """A signal or a cancel ended the asking; the answers so far are stored, and nothing is retried."""


class DeclarationError(HnIntelError):
    """An enrichment's declaration is wrong; nothing was asked."""

    exit_code = 5


class QualityError(HnIntelError):
    """A blocking check failed; the stages downstream do not run."""

    exit_code = 6


class TransformError(HnIntelError):
    """dbt failed; the tables that it did not build are unchanged."""

    exit_code = 7


class BudgetReached(HnIntelError):
    """The next question may exceed a budget; it was not asked, and the answers so far are stored."""

    exit_code = 8


class PrefectAway(HnIntelError):
    """Prefect's API cannot be reached, or was lost during a run; what was committed before is kept."""

    exit_code = 9


class ListingTooSmall(HnIntelError):
    """The source has no story of a day, or far fewer than usual; what it has is stored, and no page is published."""

    exit_code = 10


def of_several(errors: Sequence[HnIntelError], message: str) -> HnIntelError:
    """The error of a run that continued after *errors*: of the class of the first; announced if all of them are."""
    combined = type(errors[0])(message)
    combined.announced = all(error.announced for error in errors)
    return combined


class DayFailed(HnIntelError):
    """The run of a day failed; the reason is in the log of that run."""

    @classmethod
    def of_unforeseen(cls, error: Exception) -> DayFailed:
        """The error for a day that failed with an unexpected *error*; the other days still run."""
        failed = cls(f"unexpected {type(error).__name__}: see the log of the run of that day")
        failed.announced = True  # that run published its failure when it ended
        return failed

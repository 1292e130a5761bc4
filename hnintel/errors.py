"""Every error of the pipeline; each class says what the runner does next.

HnIntelError                what went wrong, to what, and what to do: one line
├── UsageError              the caller's words are off             → tell, exit 2, change nothing
├── SourceError             a source cannot be read at all         → tell, exit 3
│   └── Unreachable         it may be back in a minute             → retry, then as above
├── WarehouseError          the warehouse refused                  → tell, exit 4
│   ├── WarehouseBusy       another process holds it               → wait a bounded time, then as above
│   ├── WarehouseLost       the session or the network went        → reconnect, do the transaction again, then as above
│   ├── Stopped             a signal or a cancel ended it        → keep what was answered; a command exits 130
│   └── ModelUnavailable    the account lacks a model              → ask the fall-back model, if one is set
├── DeclarationError        an enrichment is declared wrong        → tell, exit 5, ask nothing
├── QualityError            a blocking check failed                → stop what is downstream, exit 6
├── TransformError          dbt failed                             → stop what is downstream, exit 7
├── BudgetReached           the next question may exceed a budget  → keep what is paid for, stop, exit 8
└── PrefectAway             Prefect's API cannot be reached        → keep what was done, tell, exit 9
"""

from __future__ import annotations

from collections.abc import Sequence


def first_line(message: object, most: int = 300) -> str:
    """The first line of an error or of its message, cut to *most* characters; ``no message`` where it has none."""
    return (str(message).strip() or "no message").splitlines()[0][:most]


class HnIntelError(Exception):
    """Base of all that is told to a user in one line, without a traceback."""

    exit_code = 1
    #: Whether a run that failed with it has announced that: the run which that one belongs to is no second failure.
    announced = False


class UsageError(HnIntelError):
    """The caller's words are off; nothing was changed."""

    exit_code = 2


class SourceError(HnIntelError):
    """A source cannot be read at all; trying again will not help."""

    exit_code = 3


class Unreachable(SourceError):
    """A source does not answer now; it is tried again with backoff."""


class WarehouseError(HnIntelError):
    """The warehouse refused; what was under way is rolled back."""

    exit_code = 4


class WarehouseBusy(WarehouseError):
    """Another process holds the warehouse, or the day, longer than we wait."""


class WarehouseLost(WarehouseError, Unreachable):
    """The session or the network went: what was not committed was not done, and may be sent again."""


class ModelUnavailable(WarehouseError):
    """The account, or its region, lacks a model that was asked; no answer was given."""


class Stopped(WarehouseError):
    """A signal or a cancel ended the asking; what was answered by then is kept, and nothing is tried again."""


class DeclarationError(HnIntelError):
    """An enrichment is declared wrong; nothing was asked."""

    exit_code = 5


class QualityError(HnIntelError):
    """A blocking check failed; what is downstream does not run."""

    exit_code = 6


class TransformError(HnIntelError):
    """dbt failed; the tables it did not reach are as they were."""

    exit_code = 7


class BudgetReached(HnIntelError):
    """The next question may exceed a budget; it was not asked, and what was paid for is kept."""

    exit_code = 8


class PrefectAway(HnIntelError):
    """Prefect's API cannot be reached, or went in the middle of a run; what was committed by then is kept."""

    exit_code = 9


def of_several(errors: Sequence[HnIntelError], told: str) -> HnIntelError:
    """What a run fails with that went on past *errors*: of the kind of the first; announced where all are."""
    error = type(errors[0])(told)
    error.announced = all(one.announced for one in errors)
    return error


class DayFailed(HnIntelError):
    """The run of a day ended badly; what it said is in its own log."""

    @classmethod
    def of_unforeseen(cls, error: Exception) -> DayFailed:
        """One day failed of what nobody foresaw, which is no reason to leave the others."""
        failed = cls(f"unexpected {type(error).__name__}: see the log of the run of that day")
        failed.announced = True  # by that run, as it ended
        return failed

"""What each exit code of a command means: the codes of the error classes, and those of how a process ends."""

from __future__ import annotations

from hnintel import errors

UNEXPECTED, INTERRUPTED, TERMINATED = 1, 130, 143

#: Each exit code with its meaning, ascending.
EXIT_CODES: dict[int, str] = {
    0: "done",
    UNEXPECTED: "an unexpected error, with the file that has the details",
    errors.UsageError.exit_code: "wrong arguments or settings",
    errors.SourceError.exit_code: "the source cannot be read",
    errors.WarehouseError.exit_code: "the warehouse refused, or a check of doctor is not met",
    errors.DeclarationError.exit_code: "an enrichment or a stage is declared wrong",
    errors.QualityError.exit_code: "a blocking check failed",
    errors.TransformError.exit_code: "dbt failed",
    errors.BudgetReached.exit_code: "a budget is reached",
    errors.PrefectAway.exit_code: "the Prefect API cannot be reached",
    errors.ListingTooSmall.exit_code: "a day has no stories, or far too few: nothing is published over its page",
    INTERRUPTED: "interrupted by Ctrl-C (completed work is stored)",
    TERMINATED: "ended by SIGTERM (completed work is stored)",
}


def as_text() -> str:
    """Return the codes as a paragraph, for the end of a help text."""
    return f"Exit codes: {'; '.join(f'{code} {meaning}' for code, meaning in EXIT_CODES.items())}."

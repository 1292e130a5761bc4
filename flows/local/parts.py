"""Scripts of flows that are commands of :mod:`hnintel.cli`, or parts of a run that are not run by themselves."""

from __future__ import annotations

from collections.abc import Sequence

from flows.local.options import run_script
from hnintel.cli.bill import bill
from hnintel.cli.checks import checks
from hnintel.errors import UsageError


def main_checks(argv: Sequence[str]) -> int:
    """``python flows/checks.py``: the command ``hnintel checks``; the exit code."""
    return run_script(checks, "flows/checks.py", "python flows/checks.py --day yesterday", argv)


def main_billing(argv: Sequence[str]) -> int:
    """``python flows/billing.py``: the command ``hnintel bill``; the exit code."""
    return run_script(bill, "flows/billing.py", "python flows/billing.py --since 2026-10-01", argv)


def main_part(script: str, stage: str, argv: Sequence[str]) -> int:
    """A script whose flow is a part of the run of a day: its help says which command runs it; the exit code."""
    line = f"python flows/main.py --stage {stage}"

    def refuse() -> None:
        raise UsageError(f"{script} is a part of the run of a day, and is not run by itself: {line} runs it")

    refuse.__doc__ = f"The flow of the stage {stage}, a part of the run of a day: `{line}` runs it, not this script."
    return run_script(refuse, script, line, argv)

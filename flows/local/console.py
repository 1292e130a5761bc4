"""The command ``hnintel``: the flows from a shell, and every command of :mod:`hnintel.cli`."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import NoReturn

from hnintel.cli.app import RUNNING, build
from hnintel.cli.invoke import invoke
from hnintel.cli.lazy import Command
from hnintel.process import progress

NAME = "hnintel"

app = build(
    [
        Command(name, f"flows.local.{module}:run", RUNNING)
        for name, module in {
            "run": "day",
            "backfill": "backfill",
            "reconcile": "reconcile",
            "watch": "watch",
            "spotlight": "spotlight",
        }.items()
    ]
)


def main(argv: Sequence[str], prog: str = NAME) -> int:
    """Run the command that *argv* names; the exit code."""
    progress.use(progress.Silent())  # lines that belong to no run go to stderr; the package of the flows logs them
    return invoke(app, list(argv) or ["--help"], prog)


def script(prog: str = NAME) -> NoReturn:
    """Run the command of this process and end the process, as *prog*; the entry point that is installed."""
    code = main(sys.argv[1:], prog)
    if "prefect" in sys.modules:  # its threads are not waited for
        from flows.local.command import leave

        leave(code)
    sys.exit(code)

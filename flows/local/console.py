"""The command ``hnintel``: the flows from a shell, and every command of :mod:`hnintel.cli`."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import NoReturn

from flows.local import backfill, day, reconcile, spotlight, watch
from flows.local.command import leave
from hnintel.cli.app import RUNNING, Command, build
from hnintel.cli.invoke import invoke

NAME = "hnintel"

app = build(
    (
        Command("run", day.run, RUNNING, day.EXAMPLE),
        Command("backfill", backfill.run, RUNNING, backfill.EXAMPLE),
        Command("reconcile", reconcile.run, RUNNING, reconcile.EXAMPLE),
        Command("watch", watch.run, RUNNING, watch.EXAMPLE),
        Command("spotlight", spotlight.run, RUNNING, spotlight.EXAMPLE),
    )
)


def main(argv: Sequence[str], prog: str = NAME) -> int:
    """Run the command that *argv* names; the exit code."""
    return invoke(app, list(argv) or ["--help"], prog)


def script(prog: str = NAME) -> NoReturn:
    """Run the command of this process and end the process, as *prog*; the entry point that is installed."""
    code = main(sys.argv[1:], prog)
    if "prefect" in sys.modules:  # its threads are not waited for
        leave(code)
    sys.exit(code)

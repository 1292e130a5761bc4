"""Options that several commands of the flows take, and how such a command is run as a script."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Annotated, Any

import typer

from flows.local.command import guarded
from hnintel.cli.invoke import invoke
from hnintel.cli.lazy import example
from hnintel.errors import HnIntelError
from hnintel.sources import NAMES

Source = Annotated[
    str | None,
    typer.Option(
        "--source", metavar="|".join(NAMES), help="The source to read from (default: HNINTEL_SOURCE, else live)."
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout at the end.")]
PrefectLogs = Annotated[bool, typer.Option("--prefect-logs", help="Also show Prefect's own logs.")]
Stages = Annotated[
    list[str] | None,
    typer.Option(
        "--stage",
        metavar="NAME[+]",
        help="Only this stage, such as enrich:entities; NAME+ adds all downstream stages; may be given several times.",
    ),
]


def run_script(command: Callable[..., Any], script: str, line: str, words: Sequence[str]) -> int:
    """Run *command* as the script ``python <script>``; the exit code.

    Args:
        command: with typer's annotations.
        script: its path in the checkout.
        line: an example, for its help.
        words: the arguments.
    """
    app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)
    app.command(epilog=example(line))(command)
    return invoke(app, words, f"python {script}")


def guarded_with_json(run: Callable[[], int], as_json: bool) -> int:
    """Call ``guarded``; with *as_json*, also print an error as a JSON object on stdout."""

    def described() -> int:
        try:
            return run()
        except HnIntelError as error:
            if as_json:
                print(json.dumps({"status": "failed", "error": str(error), "exit_code": error.exit_code}))
            raise

    return guarded(described)

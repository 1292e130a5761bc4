"""The commands that need no orchestration, each with its panel and an example; ``hnintel`` adds those of the flows.

An error is one line on stderr and an exit code, as hnintel/errors.py says.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import Annotated, Any, NamedTuple

import typer

from hnintel.cli import dead_letters, exit_codes, schema
from hnintel.cli.bill import bill
from hnintel.cli.checks import checks
from hnintel.cli.doctor import doctor
from hnintel.cli.eval import eval_
from hnintel.cli.gen import gen
from hnintel.cli.invoke import invoke
from hnintel.cli.prune import prune
from hnintel.cli.retention import retention
from hnintel.cli.settings import settings
from hnintel.cli.status import status
from hnintel.cli.version import own_version, show_version

RUNNING, LOOKING, KEEPING, SETTING_UP = "Run days", "Look", "Keep the house", "Set up"
MODULE = "python -m hnintel"


class Command(NamedTuple):
    """A command as the help lists it: its name, what runs, the panel it stands in, and an example."""

    name: str
    run: Callable[..., Any] | typer.Typer
    panel: str
    example: str = ""


COMMANDS = (
    Command("status", status, LOOKING, "hnintel status --from 2026-10"),
    Command("checks", checks, LOOKING, "hnintel checks --day yesterday"),
    Command("dead-letters", dead_letters.app, LOOKING, "hnintel dead-letters list --day 2026-10-22"),
    Command("bill", bill, LOOKING, "hnintel bill --since 2026-10-01"),
    Command("eval", eval_, LOOKING, "hnintel eval --enrichment topic --plan"),
    Command("gen", gen, KEEPING, "hnintel gen --check"),
    Command("prune", prune, KEEPING, "hnintel prune --dry-run"),
    Command("retention", retention, KEEPING, "hnintel retention --dry-run"),
    Command("schema", schema.app, KEEPING, "hnintel schema drop --prefix my_branch --dry-run"),
    Command("doctor", doctor, SETTING_UP, "hnintel doctor --warehouse snowflake"),
    Command("settings", settings, SETTING_UP, "hnintel settings --json"),
    Command("version", show_version, SETTING_UP, "hnintel version"),
)


def build(first: Sequence[Command] = ()) -> typer.Typer:
    """The application with the commands *first*, then those of this package."""
    made = typer.Typer(
        name="hnintel",
        help="Hacker News, read, enriched and published a day at a time.",
        epilog=exit_codes.as_text(),
        rich_markup_mode="rich",
        pretty_exceptions_enable=False,
        no_args_is_help=True,
    )
    made.callback()(_root)
    for name, run, panel, line in (*first, *COMMANDS):
        if isinstance(run, typer.Typer):
            made.add_typer(run, name=name, rich_help_panel=panel, epilog=example(line))
        else:
            made.command(name, rich_help_panel=panel, epilog=example(line))(run)
    return made


def example(line: str) -> str:
    """The end of a command's help."""
    return f"Example: {line}"


def _print_version(wanted: bool) -> None:
    if wanted:
        print(f"hnintel {own_version()}")
        raise typer.Exit


def _root(
    version: Annotated[
        bool, typer.Option("--version", help="Show the version and exit.", callback=_print_version, is_eager=True)
    ] = False,
) -> None:
    """Take the options that stand before a command."""


app = build()


def main(argv: Sequence[str] | None = None) -> int:
    """Run the sub-command that *argv* names, of those that need no orchestration; the exit code."""
    words = list(sys.argv[1:] if argv is None else argv)
    return invoke(app, words or ["--help"], MODULE)

"""The commands that need no orchestration, each with its panel and an example; ``hnintel`` adds those of the flows.

An error is one line on stderr and an exit code, as hnintel/errors.py says.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Annotated

import typer

from hnintel.cli import exit_codes
from hnintel.cli.invoke import invoke
from hnintel.cli.lazy import Command, group_of

RUNNING, LOOKING, KEEPING, SETTING_UP = "Run days", "Look", "Keep the house", "Set up"
MODULE = "python -m hnintel"


COMMANDS = (
    Command("status", "hnintel.cli.status:status", LOOKING, "hnintel status --from 2026-10"),
    Command("checks", "hnintel.cli.checks:checks", LOOKING, "hnintel checks --day yesterday"),
    Command("dead-letters", "hnintel.cli.dead_letters:app", LOOKING, "hnintel dead-letters list --day 2026-10-22"),
    Command("bill", "hnintel.cli.bill:bill", LOOKING, "hnintel bill --since 2026-10-01"),
    Command("eval", "hnintel.cli.eval:eval_", LOOKING, "hnintel eval --enrichment topic --plan"),
    Command("gen", "hnintel.cli.gen:gen", KEEPING, "hnintel gen --check"),
    Command("prune", "hnintel.cli.prune:prune", KEEPING, "hnintel prune --dry-run"),
    Command("retention", "hnintel.cli.retention:retention", KEEPING, "hnintel retention --dry-run"),
    Command("schema", "hnintel.cli.schema:app", KEEPING, "hnintel schema drop --prefix my_branch --dry-run"),
    Command("doctor", "hnintel.cli.doctor:doctor", SETTING_UP, "hnintel doctor --warehouse snowflake"),
    Command("settings", "hnintel.cli.settings:settings", SETTING_UP, "hnintel settings --json"),
    Command("version", "hnintel.cli.version:show_version", SETTING_UP, "hnintel version"),
)


def build(first: Sequence[Command] = ()) -> typer.Typer:
    """The application with the commands *first*, then those of this package."""
    made = typer.Typer(
        name="hnintel",
        cls=group_of((*first, *COMMANDS)),
        help="Hacker News, read, enriched and published a day at a time.",
        epilog=exit_codes.as_text(),
        rich_markup_mode="rich",
        pretty_exceptions_enable=False,
    )
    made.callback()(_root)
    return made


def _print_version(wanted: bool) -> None:
    if wanted:
        from hnintel.cli.version import own_version

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

"""The commands that run without Prefect, each with its panel and an example; ``hnintel`` adds those of the flows.

An error is one line on stderr and an exit code (hnintel/errors.py).
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Annotated

import typer

from hnintel.cli import exit_codes
from hnintel.cli.invoke import invoke
from hnintel.cli.lazy import Command, group_of

RUNNING, LOOKING, KEEPING, SETTING_UP = "Run days", "Inspect", "Maintain", "Set up"
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
    """Return the application with the commands *first*, followed by those of this package."""
    application = typer.Typer(
        name="hnintel",
        cls=group_of((*first, *COMMANDS)),
        help="Read, enrich and publish Hacker News, one day at a time.",
        epilog=exit_codes.as_text(),
        rich_markup_mode="rich",
        pretty_exceptions_enable=False,
    )
    application.callback()(_root)
    return application


def _print_version(is_given: bool) -> None:
    if is_given:
        from hnintel.cli.version import own_version

        print(f"hnintel {own_version()}")
        raise typer.Exit


def _root(
    version: Annotated[
        bool, typer.Option("--version", help="Show the version and exit.", callback=_print_version, is_eager=True)
    ] = False,
) -> None:
    """Read the options that precede the command."""


app = build()


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command that *argv* names, of those that run without Prefect, and return the exit code."""
    words = list(sys.argv[1:] if argv is None else argv)
    return invoke(app, words or ["--help"], MODULE)

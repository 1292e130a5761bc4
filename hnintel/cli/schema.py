"""``python -m hnintel schema drop``: take away what a branch has built."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from hnintel.cli.lazy import example
from hnintel.errors import UsageError
from hnintel.settings import load_settings
from hnintel.warehouse import branch_schemas, open_warehouse

app = typer.Typer(help="The schemas of a branch's own marts.")


@app.callback()
def _commands() -> None:
    """Keep a command of one a group: ``schema drop``."""


@app.command(epilog=example("hnintel schema drop --prefix my_branch --dry-run"))
def drop(
    prefix: Annotated[
        str | None, typer.Option(help="What the branch's schemas begin with, in place of HNINTEL_SCHEMA_PREFIX.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask before dropping.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would go, and leave it.")] = False,
) -> None:
    """Drop the schemas that dbt has built behind a prefix; those without one are never touched."""
    settings = load_settings()
    wanted = prefix or settings.schema_prefix
    if not wanted:
        raise UsageError("which branch's schemas? give --prefix or HNINTEL_SCHEMA_PREFIX")
    warehouse = open_warehouse(branch_schemas.as_owner(settings))
    with warehouse.transaction(stage="enrich") as session:
        there = branch_schemas.of_branch(session, wanted)
    for name in there:
        print(name)
    if not there:
        print(f"nothing to drop: there is no schema of {wanted}")
        return
    if dry_run:
        return
    if not yes and not sys.stdin.isatty():
        raise UsageError("these schemas would be gone: --yes drops them, --dry-run only lists them")
    if yes or typer.confirm("Drop them?"):
        with warehouse.transaction(stage="enrich") as session:
            print(f"dropped {len(branch_schemas.drop(session, wanted))} schemas")

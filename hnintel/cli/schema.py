"""``python -m hnintel schema drop``: drop the schemas that dbt built for a branch."""

from __future__ import annotations

import json
import sys
from typing import Annotated

import typer

from hnintel.cli.lazy import example
from hnintel.cli.present import AsJson
from hnintel.errors import UsageError, counted
from hnintel.settings import load_settings
from hnintel.warehouse import branch_schemas, open_warehouse

app = typer.Typer(help="Manage the schemas that dbt built for a branch.")


@app.callback()
def _commands() -> None:
    """Make typer keep the single command a sub-command: ``schema drop``."""


@app.command(epilog=example("hnintel schema drop --prefix my_branch_ --dry-run"))
def drop(
    prefix: Annotated[
        str | None, typer.Option(help="The prefix of the branch's schemas (default: HNINTEL_SCHEMA_PREFIX).")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Drop without asking for confirmation.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="List the schemas and drop none.")] = False,
    as_json: AsJson = False,
) -> None:
    """Drop the schemas that dbt built with a prefix; schemas without a prefix are never dropped."""
    settings = load_settings()
    branch = prefix or settings.schema_prefix
    if not branch:
        raise UsageError("no prefix: give --prefix or set HNINTEL_SCHEMA_PREFIX")
    warehouse = open_warehouse(branch_schemas.as_owner(settings))
    with warehouse.transaction(stage="enrich") as session:
        schemas = branch_schemas.of_branch(session, branch)
    if not as_json:
        for name in schemas:
            print(name)
        if not schemas:
            print(f"nothing to drop: no schema begins with {branch}")
    drops = bool(schemas) and not dry_run
    if drops and not yes and (as_json or not sys.stdin.isatty()):
        raise UsageError("dropping cannot be undone: --yes drops the schemas, --dry-run only lists them")
    if drops and (yes or typer.confirm("Drop them?")):
        with warehouse.transaction(stage="enrich") as session:
            schemas = branch_schemas.drop(session, branch)
        if not as_json:
            print(f"dropped {counted(len(schemas), 'schema')}")
    if as_json:
        print(json.dumps({"dry_run": dry_run, "schemas": schemas}))

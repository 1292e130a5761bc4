"""``python -m hnintel prune``: remove answers that a later one to the present question stands in front of."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from hnintel.enrich import superseded
from hnintel.enrich.declaration import load_enrichments
from hnintel.errors import UsageError
from hnintel.settings import load_settings
from hnintel.warehouse import open_warehouse


def prune(
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask before removing.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would go, and leave it.")] = False,
) -> None:
    """Remove answers to earlier questions where the item has a later one to the question as it is now."""
    settings = load_settings()
    enrichments = load_enrichments(settings.enrichments_path)
    warehouse = open_warehouse(settings)
    with warehouse.transaction(stage="enrich") as session:
        found = superseded.superseded(session, warehouse, enrichments, settings)
    for one in found:
        print(f"{one.enrichment}: {one.answers} answers by {one.model}")
    if not found:
        print("nothing to remove: every answer is shown")
        return
    if dry_run:
        return
    if not yes and not sys.stdin.isatty():
        raise UsageError("these answers were paid for and would be gone: --yes removes them, --dry-run only lists them")
    if yes or typer.confirm("Remove them?"):
        with warehouse.transaction(stage="enrich") as session:
            removed = superseded.prune(session, warehouse, enrichments, settings)
        print(f"removed {sum(one.answers for one in removed)} answers")

"""``python -m hnintel prune``: delete superseded answers, which no view shows."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from typing import Annotated

import typer

from hnintel.cli.present import AsJson
from hnintel.enrich import superseded
from hnintel.enrich.declaration import load_enrichments
from hnintel.errors import UsageError, counted
from hnintel.settings import load_settings
from hnintel.warehouse import open_warehouse


def prune(
    yes: Annotated[bool, typer.Option("--yes", help="Delete without asking for confirmation.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="List the answers and delete none.")] = False,
    as_json: AsJson = False,
) -> None:
    """Delete answers to earlier questions of items that have a later answer to the present question."""
    settings = load_settings()
    enrichments = load_enrichments(settings.enrichments_path)
    warehouse = open_warehouse(settings)
    with warehouse.transaction(stage="enrich") as session:
        counts = superseded.superseded(session, warehouse, enrichments, settings)
    if not as_json:
        for count in counts:
            print(f"{count.enrichment}: {counted(count.answers, 'answer')} by {count.model}")
        if not counts:
            print("nothing to delete: every answer is shown")
    removes = bool(counts) and not dry_run
    if removes and not yes and (as_json or not sys.stdin.isatty()):
        raise UsageError("these answers were paid for: --yes deletes them, --dry-run only lists them")
    if removes and (yes or typer.confirm("Delete them?")):
        with warehouse.transaction(stage="enrich") as session:
            counts = superseded.prune(session, warehouse, enrichments, settings)
        if not as_json:
            print(f"deleted {counted(sum(count.answers for count in counts), 'answer')}")
    if as_json:
        print(json.dumps({"dry_run": dry_run, "answers": [asdict(count) for count in counts]}))

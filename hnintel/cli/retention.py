"""``python -m hnintel retention``: delete raw text and cached results that are older than the settings allow."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from hnintel.cli.present import AsJson
from hnintel.errors import counted
from hnintel.settings import Settings, load_settings
from hnintel.warehouse import open_warehouse
from hnintel.warehouse.retention import Pruned, Removed, prune_cache, prune_raw
from hnintel.window import day_of


def retention(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Count what would be deleted and delete nothing.")] = False,
    results: Annotated[
        Path | None,
        typer.Option(
            envvar="PREFECT_LOCAL_STORAGE_PATH", help="The folder of Prefect's results (default: in HNINTEL_HOME)."
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Delete raw text older than HNINTEL_RAW_TEXT_DAYS and cached results older than HNINTEL_CACHE_DAYS."""
    settings = load_settings()
    today = day_of(datetime.now(UTC), settings.time_zone)
    with open_warehouse(settings).transaction(stage="ingest") as session:
        pruned = prune_raw(session, settings.raw_text_days, today, dry_run)
    removed = prune_cache(results or settings.folder / "prefect" / "results", settings.cache_days, dry_run=dry_run)
    if as_json:
        print(
            json.dumps(
                {
                    "dry_run": dry_run,
                    "raw_text": {"older_than_days": settings.raw_text_days} | asdict(pruned),
                    "cached_results": {"older_than_days": settings.cache_days} | asdict(removed),
                }
            )
        )
    else:
        _print(pruned, removed, settings, dry_run)


def _print(pruned: Pruned, removed: Removed, settings: Settings, dry_run: bool) -> None:
    verb = "would be deleted" if dry_run else "deleted"
    if settings.raw_text_days is None:
        print("raw text: never deleted (HNINTEL_RAW_TEXT_DAYS is not set)")
    else:
        print(
            f"raw text of days more than {counted(settings.raw_text_days, 'day')} ago {verb}: "
            f"{counted(pruned.items, 'item')}, {counted(pruned.comments, 'comment')}, "
            f"{counted(pruned.articles, 'article')}"
        )
    age = f"{settings.cache_days:g} {'day' if settings.cache_days == 1 else 'days'}"
    size = f"{counted(removed.files, 'file')}, {counted(removed.bytes, 'byte')}"
    print(f"cached results older than {age} {verb}: {size}")

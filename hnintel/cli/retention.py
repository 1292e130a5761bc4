"""``python -m hnintel retention``: let go of what is older than it is to be kept."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from hnintel.settings import load_settings
from hnintel.warehouse import open_warehouse
from hnintel.warehouse.retention import prune_cache, prune_raw
from hnintel.window import day_of


def retention(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would go, and leave it.")] = False,
    results: Annotated[
        Path | None,
        typer.Option(envvar="PREFECT_LOCAL_STORAGE_PATH", help="Prefect's results; by default below the home folder."),
    ] = None,
) -> None:
    """Remove raw text older than HNINTEL_RAW_TEXT_DAYS and cached results older than HNINTEL_CACHE_DAYS."""
    settings = load_settings()
    today = day_of(datetime.now(UTC), settings.time_zone)
    with open_warehouse(settings).transaction(stage="ingest") as session:
        pruned = prune_raw(session, settings.raw_text_days, today, dry_run)
    removed = prune_cache(results or settings.folder / "prefect" / "results", settings.cache_days, dry_run=dry_run)
    verb = "would go" if dry_run else "removed"
    if settings.raw_text_days is None:
        print("raw text: kept for good (HNINTEL_RAW_TEXT_DAYS is not set)")
    else:
        print(
            f"raw text of days more than {settings.raw_text_days} days ago {verb}: "
            f"{pruned.items} items, {pruned.comments} comments, {pruned.articles} articles"
        )
    print(
        f"cached results older than {settings.cache_days:g} days {verb}: {removed.files} files, {removed.bytes} bytes"
    )

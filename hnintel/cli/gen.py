"""``python -m hnintel gen``: accept the questions as they are declared now, and write their dbt models."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict
from pathlib import PurePosixPath
from typing import Annotated, Any

import typer

from hnintel.cli.present import AsJson
from hnintel.enrich.accepted import Difference, accept, differences
from hnintel.enrich.dbt_models import render_models, stale_files, write_files
from hnintel.enrich.declaration import BUNDLED, load_enrichments
from hnintel.errors import DeclarationError, WarehouseError
from hnintel.settings import load_settings
from hnintel.transform import DECLARED


def gen(
    check: Annotated[
        bool, typer.Option("--check", help="Write nothing; list the differences, and exit with 5 if there are any.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Accept changed enrichments: write the lock file of their questions, and dbt/declared.

    Items that are run again are asked a changed question again. dbt/declared has the sources, models, descriptions and
    tests of the bundled enrichments; for other folders of enrichments a run renders them itself.
    """
    settings = load_settings()
    enrichments = load_enrichments(settings.enrichments_path)
    changes = differences(enrichments, settings.enrichments_path)
    models = render_models(enrichments)
    is_bundled = (settings.enrichments_path or BUNDLED).resolve() == BUNDLED
    stale = stale_files(DECLARED, models) if is_bundled else []
    if as_json:
        print(json.dumps(_as_json(check, changes, stale, models)))
    else:
        _print_differences(changes, stale, models)
    if check:
        _refuse_differences(changes, stale)
        return
    if changes:
        path = accept(enrichments, settings.enrichments_path)
        if not as_json:
            print(f"accepted in {path}")
    if stale:
        _write(models)
        if not as_json:
            print(f"written in {DECLARED}")


def _as_json(
    check: bool, changes: Sequence[Difference], stale: Sequence[PurePosixPath], models: Collection[PurePosixPath]
) -> dict[str, Any]:
    return {
        "check": check,
        "enrichments": [asdict(change) for change in changes],
        "dbt_declared": [{"path": str(path), "kind": _kind(path, models)} for path in stale],
    }


def _print_differences(
    changes: Sequence[Difference], stale: Sequence[PurePosixPath], models: Collection[PurePosixPath]
) -> None:
    for change in changes:
        print(f"{change.name}: {change.kind}")
    for path in stale:
        print(f"dbt/declared/{path}: {_kind(path, models)}")
    if not changes:
        print("every question is as it was accepted")


def _kind(path: PurePosixPath, models: Collection[PurePosixPath]) -> str:
    return "changed" if path in models else "gone"


def _refuse_differences(changes: Sequence[Difference], stale: Sequence[PurePosixPath]) -> None:
    if changes:
        raise DeclarationError("declared questions differ from the accepted ones: python -m hnintel gen accepts them")
    if stale:
        raise DeclarationError("dbt/declared differs from the enrichments: python -m hnintel gen writes it")


def _write(models: Mapping[PurePosixPath, str]) -> None:
    try:
        write_files(DECLARED, models)
    except OSError as error:
        raise WarehouseError(f"{DECLARED} cannot be written ({error.strerror})") from None

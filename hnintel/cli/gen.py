"""``python -m hnintel gen``: accept the questions as they are declared now, and write the dbt models that follow."""

from __future__ import annotations

from typing import Annotated

import typer

from hnintel.enrich.accepted import accept, differences
from hnintel.enrich.dbt_models import render_models, stale_files, write_files
from hnintel.enrich.declaration import BUNDLED, load_enrichments
from hnintel.errors import DeclarationError, WarehouseError
from hnintel.settings import load_settings
from hnintel.transform import DECLARED


def gen(
    check: Annotated[
        bool, typer.Option("--check", help="Only say what is not accepted or not written; exit 5 if anything.")
    ] = False,
) -> None:
    """Write the lock file of accepted questions; a changed one is asked anew of every item that is run again.

    For the bundled enrichments, also write dbt/declared: their sources, models, descriptions and tests. A run renders
    those of its own enrichments by itself.
    """
    settings = load_settings()
    enrichments = load_enrichments(settings.enrichments_path)
    found = differences(enrichments, settings.enrichments_path)
    for one in found:
        print(f"{one.name}: {one.kind}")
    models = render_models(enrichments)
    stale = stale_files(DECLARED, models) if (settings.enrichments_path or BUNDLED).resolve() == BUNDLED else []
    for path in stale:
        print(f"dbt/declared/{path}: {'changed' if path in models else 'gone'}")
    if check and found:
        raise DeclarationError("what is declared is not what was accepted: python -m hnintel gen accepts it")
    if check and stale:
        raise DeclarationError("dbt/declared is not what is declared: python -m hnintel gen writes it")
    if not check and found:
        print(f"accepted in {accept(enrichments, settings.enrichments_path)}")
    if not check and stale:
        try:
            write_files(DECLARED, models)
        except OSError as error:
            raise WarehouseError(f"{DECLARED} cannot be written ({error.strerror})") from None
        print(f"written in {DECLARED}")
    if not found:
        print("every question is as it was accepted")

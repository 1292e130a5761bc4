"""``python -m hnintel gen``: accept the questions as they are declared now."""

from __future__ import annotations

from typing import Annotated

import typer

from hnintel.enrich.accepted import accept, differences
from hnintel.enrich.declaration import load_enrichments
from hnintel.errors import DeclarationError
from hnintel.settings import load_settings


def gen(
    check: Annotated[bool, typer.Option("--check", help="Only say what is not accepted; exit 5 if anything.")] = False,
) -> None:
    """Write the lock file of accepted questions; a changed one is asked anew of every item that is run again."""
    settings = load_settings()
    enrichments = load_enrichments(settings.enrichments_path)
    found = differences(enrichments, settings.enrichments_path)
    for one in found:
        print(f"{one.name}: {one.kind}")
    if check and found:
        raise DeclarationError("what is declared is not what was accepted: python -m hnintel gen accepts it")
    if not check and found:
        print(f"accepted in {accept(enrichments, settings.enrichments_path)}")
    if not found:
        print("every question is as it was accepted")

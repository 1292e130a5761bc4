"""Which questions are accepted: a lock file beside the enrichments, so that none is asked anew by an oversight.

A changed prompt, label or model makes another question, and all that was answered would be asked, and paid for, again.
So what is declared is held against the fingerprints in ``accepted.json``, which only ``python -m hnintel gen`` writes.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from hnintel.enrich.declaration import BUNDLED, Enrichment
from hnintel.errors import DeclarationError, WarehouseError

NAME = "accepted.json"


@dataclass(frozen=True, slots=True)
class Difference:
    """An enrichment that is not as the lock file has it: ``new`` there, ``changed``, or ``gone`` from the folder."""

    name: str
    kind: Literal["new", "changed", "gone"]


def declared(enrichments: Mapping[str, Enrichment]) -> dict[str, str]:
    """The fingerprint of each declaration, whatever engine answers it and however much text it is given."""
    return {name: one.fingerprint(one.model, 0) for name, one in sorted(enrichments.items())}


def accepted(folder: Path | None) -> dict[str, str]:
    """What the folder's lock file has; nothing where it has none.

    Raises:
        DeclarationError: it is no lock file.
    """
    path = (folder or BUNDLED) / NAME
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, RecursionError):
        found = None
    if not isinstance(found, dict) or not all(isinstance(one, str) for one in found.values()):
        raise DeclarationError(f"{path} is no lock file: delete it, then python -m hnintel gen writes it anew")
    return found


def differences(enrichments: Mapping[str, Enrichment], folder: Path | None) -> list[Difference]:
    """What is not as it was accepted, by name."""
    there, locked = declared(enrichments), accepted(folder)
    found = [Difference(name, "gone") for name in locked.keys() - there.keys()]
    found += [
        Difference(name, "changed" if name in locked else "new")
        for name, fingerprint in there.items()
        if locked.get(name) != fingerprint
    ]
    return sorted(found, key=lambda one: one.name)


def refuse_changed(enrichments: Mapping[str, Enrichment], folder: Path | None) -> None:
    """Refuse questions that were changed since they were accepted; a new one has no answers that could be lost.

    Raises:
        DeclarationError: one was changed.
    """
    changed = [one.name for one in differences(enrichments, folder) if one.kind == "changed"]
    if changed:
        names = ", ".join(f"{name}.py" for name in changed)
        raise DeclarationError(
            f"{names}: the question is not the one that was accepted, and every answer to it would be asked for again: "
            "python flows/main.py --plan says what a day costs, python -m hnintel gen accepts it"
        )


def accept(enrichments: Mapping[str, Enrichment], folder: Path | None) -> Path:
    """Write the lock file as the enrichments are now.

    Raises:
        WarehouseError: it cannot be written.
    """
    path = (folder or BUNDLED) / NAME
    try:
        whole = path.with_name(f".{NAME}.{os.getpid()}")  # half a lock file would be none
        whole.write_text(json.dumps(declared(enrichments), indent=1) + "\n", encoding="utf-8")
        whole.chmod(0o644)  # part of the checkout, and of an image that runs as another user
        whole.replace(path)
    except OSError as error:
        raise WarehouseError(f"{path} cannot be written ({error.strerror})") from None
    return path

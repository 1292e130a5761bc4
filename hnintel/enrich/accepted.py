"""The lock file of accepted questions, which prevents an accidental change from asking everything again.

A changed prompt, label or model is a new question: every item would be asked, and paid for, again. Declarations are
therefore compared with the fingerprints in ``accepted.json``, which only ``python -m hnintel gen`` writes.
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
    """An enrichment that differs from the lock file: ``new``, ``changed``, or ``gone`` from the folder."""

    name: str
    kind: Literal["new", "changed", "gone"]


def declared(enrichments: Mapping[str, Enrichment]) -> dict[str, str]:
    """The fingerprint of each declaration, by name; independent of the engine and of the input length."""
    return {name: enrichment.fingerprint(enrichment.model, 0) for name, enrichment in sorted(enrichments.items())}


def accepted(folder: Path | None) -> dict[str, str]:
    """The fingerprints in the folder's lock file, by enrichment; empty if the file does not exist.

    Raises:
        DeclarationError: the file is not a lock file.
    """
    path = (folder or BUNDLED) / NAME
    try:
        fingerprints = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, RecursionError):
        fingerprints = None
    if not isinstance(fingerprints, dict) or not all(isinstance(value, str) for value in fingerprints.values()):
        raise DeclarationError(f"{path} is not a lock file: delete it and run python -m hnintel gen")
    return fingerprints


def differences(enrichments: Mapping[str, Enrichment], folder: Path | None) -> list[Difference]:
    """Enrichments that differ from the lock file, sorted by name."""
    current, locked = declared(enrichments), accepted(folder)
    changes = [Difference(name, "gone") for name in locked.keys() - current.keys()]
    changes += [
        Difference(name, "changed" if name in locked else "new")
        for name, fingerprint in current.items()
        if locked.get(name) != fingerprint
    ]
    return sorted(changes, key=lambda difference: difference.name)


def refuse_changed(enrichments: Mapping[str, Enrichment], folder: Path | None) -> None:
    """Reject questions that changed since they were accepted; new questions pass, because they have no answers to lose.

    Raises:
        DeclarationError: a question changed.
    """
    changed = [difference.name for difference in differences(enrichments, folder) if difference.kind == "changed"]
    if changed:
        names = ", ".join(f"{name}.py" for name in changed)
        raise DeclarationError(
            f"{names}: the question changed since it was accepted, so every item would be asked again: "
            "python flows/main.py --plan shows the cost of a day, python -m hnintel gen accepts the change"
        )


def accept(enrichments: Mapping[str, Enrichment], folder: Path | None) -> Path:
    """Write the fingerprints of the present declarations to the lock file and return its path.

    Raises:
        WarehouseError: the file cannot be written.
    """
    path = (folder or BUNDLED) / NAME
    try:
        temporary = path.with_name(f".{NAME}.{os.getpid()}")  # renamed when whole: a crash leaves no half file
        temporary.write_text(json.dumps(declared(enrichments), indent=1) + "\n", encoding="utf-8")
        temporary.chmod(0o644)  # part of the checkout, and of an image that runs as another user
        temporary.replace(path)
    except OSError as error:
        raise WarehouseError(f"{path} cannot be written ({error.strerror})") from None
    return path

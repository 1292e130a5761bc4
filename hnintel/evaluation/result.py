"""A result: what one enrichment came to on one set. It can be saved as JSON and read again, to be compared with."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from pydantic import TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass

from hnintel.enrich.declaration import Enrichment
from hnintel.enrich.question import fingerprint_of
from hnintel.errors import QualityError, UsageError
from hnintel.evaluation.ask import ask
from hnintel.evaluation.cost import Books
from hnintel.evaluation.score import LabelScore, NameScore, score
from hnintel.evaluation.sets import LabelledSet
from hnintel.settings import Settings
from hnintel.warehouse.base import Warehouse


@dataclass(frozen=True)
class Result:
    """What one enrichment came to on one labelled set.

    Args:
        rows: texts that were asked about.
        bad_answers: answers among them that break their promise; wrong in every column.
        bad_reasons: why, and how often.
        input_tokens: as the endpoint counted them, else estimated; so are ``output_tokens``.
        cost: in ``currency``.
        columns: a score for each labelled column.
        right: by column, whether each text (named by a hash) is right: two results tell by it which rows changed.
    """

    set: str
    enrichment: str
    engine: str
    model: str
    fingerprint: str
    rows: int
    bad_answers: int
    bad_reasons: dict[str, int]
    input_tokens: int
    output_tokens: int
    cost: float
    currency: str
    columns: dict[str, LabelScore | NameScore]
    right: dict[str, dict[str, bool]]


_RESULTS = TypeAdapter(list[Result])


def evaluate(
    warehouse: Warehouse, enrichment: Enrichment, labelled: LabelledSet, settings: Settings, books: Books | None = None
) -> Result:
    """Ask *enrichment* about the set and score what comes; what that costs is added to *books*.

    Raises:
        UsageError: the set labels a column in a way it cannot be scored.
        WarehouseError: the warehouse or its engine refused.
        QualityError: no answer can be taken, so that a score would say nothing of them.
    """
    columns = labelled.judged_columns(enrichment)
    asked = ask(warehouse, enrichment, labelled, settings, books)
    reasons = Counter(given.bad_because for given in asked.given if given.bad_because)
    bad = sum(reasons.values())
    if bad == len(asked.given):
        raise QualityError(
            f"set {labelled.name}, enrichment {enrichment.name}: none of {bad} answers can be taken, "
            f"{reasons.most_common(1)[0][0]}: mend the engine or the enrichment"
        )
    scored = {column.name: score(column, labelled.examples, asked.given) for column in columns}
    return Result(
        set=labelled.name,
        enrichment=enrichment.name,
        engine=settings.engine,
        model=warehouse.model(enrichment.model, enrichment.name),
        fingerprint=fingerprint_of(warehouse, enrichment, settings),
        rows=len(asked.given),
        bad_answers=bad,
        bad_reasons=dict(reasons.most_common()),
        input_tokens=asked.input_tokens,
        output_tokens=asked.output_tokens,
        cost=asked.cost,
        currency=asked.currency,
        columns={name: one.score for name, one in scored.items()},
        right={
            name: {key: right for key, right in zip(labelled.keys, one.right, strict=True) if right is not None}
            for name, one in scored.items()
        },
    )


def as_json(results: Iterable[Result]) -> list[dict[str, object]]:
    """Return results as JSON values, which :func:`read_results` loads."""
    dumped: list[dict[str, object]] = _RESULTS.dump_python(list(results), mode="json")
    return dumped


def read_results(path: Path) -> list[Result]:
    """Load the results of a file that ``eval --json`` wrote.

    Raises:
        UsageError: it cannot be read, or is no such file.
    """
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
        found = _RESULTS.validate_python(told["results"])
        if any(one.columns.keys() != one.right.keys() for one in found):
            raise ValueError("a column without its rows, or the other way about")
        return found
    except (OSError, ValueError, ValidationError, LookupError, TypeError, RecursionError) as error:
        why = getattr(error, "strerror", None) or "it is not what `python -m hnintel eval --json` prints"
        raise UsageError(f"{path} cannot be compared with: {why}") from None

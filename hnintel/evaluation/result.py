"""The result of an enrichment on a labelled set, which can be saved as JSON and loaded for a comparison."""

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
    """The result of an enrichment on a labelled set.

    Args:
        rows: the texts that were asked about.
        bad_answers: bad answers among them, which count as wrong in every column.
        bad_reasons: the number of bad answers by reason.
        input_tokens: as the endpoint counted them, else estimated; likewise ``output_tokens``.
        cost: in ``currency``.
        columns: the score of each labelled column.
        right: by column, whether the answer of each text (by its hash) is right; a comparison finds changed rows by it.
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
    """Ask *enrichment* about the set and score the answers; the cost is booked in *books*.

    Raises:
        UsageError: the set labels a column that cannot be scored.
        WarehouseError: the warehouse or its engine failed.
        QualityError: all answers are bad, so that a score would be meaningless.
    """
    columns = labelled.judged_columns(enrichment)
    answers = ask(warehouse, enrichment, labelled, settings, books)
    reasons = Counter(given.bad_because for given in answers.given if given.bad_because)
    bad = sum(reasons.values())
    if bad == len(answers.given):
        raise QualityError(
            f"set {labelled.name}, enrichment {enrichment.name}: all {bad} answers are bad, "
            f"{reasons.most_common(1)[0][0]}: correct the engine or the enrichment"
        )
    scored = {column.name: score(column, labelled.examples, answers.given) for column in columns}
    return Result(
        set=labelled.name,
        enrichment=enrichment.name,
        engine=settings.engine,
        model=warehouse.model(enrichment.model, enrichment.name),
        fingerprint=fingerprint_of(warehouse, enrichment, settings),
        rows=len(answers.given),
        bad_answers=bad,
        bad_reasons=dict(reasons.most_common()),
        input_tokens=answers.input_tokens,
        output_tokens=answers.output_tokens,
        cost=answers.cost,
        currency=answers.currency,
        columns={name: scored_column.score for name, scored_column in scored.items()},
        right={
            name: {
                key: right for key, right in zip(labelled.keys, scored_column.right, strict=True) if right is not None
            }
            for name, scored_column in scored.items()
        },
    )


def as_json(results: Iterable[Result]) -> list[dict[str, object]]:
    """Return results as JSON values, which :func:`read_results` loads."""
    dumped: list[dict[str, object]] = _RESULTS.dump_python(list(results), mode="json")
    return dumped


def read_results(path: Path) -> list[Result]:
    """Load the results of a file that ``eval --json`` wrote.

    Raises:
        UsageError: the file cannot be read, or has another format.
    """
    try:
        loaded = json.loads(path.read_text(encoding="utf-8"))
        results = _RESULTS.validate_python(loaded["results"])
        if any(result.columns.keys() != result.right.keys() for result in results):
            raise ValueError("a column without rows, or rows without a column")
        return results
    except (OSError, ValueError, ValidationError, LookupError, TypeError, RecursionError) as error:
        why = getattr(error, "strerror", None) or "it is not the output of `python -m hnintel eval --json`"
        raise UsageError(f"{path} cannot be compared with: {why}") from None

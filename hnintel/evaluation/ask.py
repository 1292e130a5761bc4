"""Ask an enrichment about labelled texts as a run would, with the same call, AI function and checks."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hnintel.cost.usage import Enriched
from hnintel.engines.base import AskingStopped
from hnintel.enrich.declaration import Column, Enrichment
from hnintel.enrich.functions import Functions, Judged
from hnintel.enrich.question import counting, fingerprint_of, question
from hnintel.errors import Stopped, WarehouseError
from hnintel.evaluation.cost import Books
from hnintel.evaluation.sets import LabelledSet
from hnintel.hashes import hash_of_text
from hnintel.settings import Settings
from hnintel.warehouse import open_warehouse
from hnintel.warehouse.base import Query, Session, Step, T, Warehouse
from hnintel.warehouse.statements import literal, statement, tokens

_PENDING = (
    "SELECT item_id, input, input_hash, input_cut, expected FROM labelled WHERE item_id > ? AND item_id <= ? "
    "ORDER BY item_id"
)


@dataclass(frozen=True, slots=True)
class Given:
    """The answer for a text: its columns, or why the answer is bad."""

    values: Mapping[str, Any]
    bad_because: str | None = None


@dataclass(frozen=True, slots=True)
class Asked:
    """The answers for a set, in its order, with tokens and cost; ``cost`` is in ``currency``."""

    given: tuple[Given, ...]
    input_tokens: int
    output_tokens: int
    cost: float
    currency: str


@contextmanager
def scratch_warehouse(settings: Settings) -> Iterator[Warehouse]:
    """Open a warehouse of the settings on a temporary file; the user's own file is not opened."""
    with tempfile.TemporaryDirectory(prefix="hnintel-eval-") as folder:
        elsewhere = settings.model_dump() | {"home": Path(folder), "duckdb_path": None}
        yield open_warehouse(Settings(**elsewhere))


def ask(
    warehouse: Warehouse, enrichment: Enrichment, labelled: LabelledSet, settings: Settings, books: Books | None = None
) -> Asked:
    """Ask about every text of the set, chunk by chunk; each chunk is booked in *books* before the next is asked.

    Raises:
        WarehouseError: the warehouse or its engine failed, or the model has no price.
    """
    functions = Functions.of(warehouse, enrichment, settings)  # raises for an unknown price before anything is paid for
    fingerprint = fingerprint_of(warehouse, enrichment, settings)

    def keep(session: Session) -> tuple[list[dict[str, Any]], Judged]:
        rows, judged = session.rows("SELECT * FROM judged ORDER BY item_id"), Judged.of(session)
        if books is not None:  # here, since the error of an engine that fails half way is raised only after this
            books.add(functions, enrichment.name, fingerprint, judged)
        return rows, judged

    rows: list[dict[str, Any]] = []
    chunks: list[Judged] = []
    steps = question(warehouse, enrichment)
    try:
        for chunk_rows, judged in _in_chunks(warehouse, enrichment, labelled, settings, steps, keep):
            rows += chunk_rows
            chunks.append(judged)
    except AskingStopped as stopped:
        booked = books.add_stopped(functions, enrichment.name, fingerprint, stopped) if books is not None else stopped
        raise Stopped(f"set {labelled.name}, enrichment {enrichment.name}: stopped: {booked}") from None
    names = [column.name for column in enrichment.columns]
    given = tuple(Given({name: row[name] for name in names}, row["bad_because"]) for row in rows)
    return _asked(given, functions, chunks)


def plan(warehouse: Warehouse, enrichment: Enrichment, labelled: LabelledSet, settings: Settings) -> Asked:
    """Estimate what asking would cost; no question is sent, and answers are assumed to be as long as the labels.

    Raises:
        WarehouseError: the warehouse failed, or the model has no price.
    """
    functions = Functions.of(warehouse, enrichment, settings)
    counted = statement("cost/count_tokens", **counting(enrichment, functions.asking.model))
    # A digest is assumed to be as long as its texts.
    reads = tokens(f"{literal(enrichment.digest_task)} || input") if enrichment.input.many else "0"
    pending_as_asked = (
        f"SELECT item_id, input, input_hash, input_cut, {reads} AS digest_read, expected AS answer FROM pending"
    )
    steps = [Step("asked", pending_as_asked), Step("counted", counted)]

    def keep(session: Session) -> Judged:
        items, *tokens = session.execute(
            "SELECT count(*), sum(input_tokens), sum(output_tokens), sum(digest_read), sum(digest_written) FROM counted"
        )[0]
        return Judged(items, 0, 0, 0, items, *map(int, tokens))

    chunks = _in_chunks(warehouse, enrichment, labelled, settings, steps, keep)
    return _asked((), functions, chunks)


def _asked(given: tuple[Given, ...], functions: Functions, chunks: Iterable[Judged]) -> Asked:
    total = sum((usage for judged in chunks for usage in functions.came_to(judged)), Enriched())
    return Asked(given, total.input_tokens, total.output_tokens, total.credits, functions.asking.price.currency)


def _in_chunks(
    warehouse: Warehouse,
    enrichment: Enrichment,
    labelled: LabelledSet,
    settings: Settings,
    steps: list[Step],
    keep: Callable[[Session], T],
) -> Iterator[T]:
    """Yield the result of *keep* for every chunk, in the set's order."""
    try:
        _load(warehouse, enrichment, labelled, settings)
        for after in range(0, len(labelled.examples), settings.enrich_chunk):
            pending = Query(_PENDING, [after, after + settings.enrich_chunk])
            result = warehouse.ask(pending, steps, keep, stage="enrich")
            if result is not None:
                yield result
    except Stopped:
        raise
    except WarehouseError as error:
        raise type(error)(f"set {labelled.name}, enrichment {enrichment.name}: {error}") from error


def _load(warehouse: Warehouse, enrichment: Enrichment, labelled: LabelledSet, settings: Settings) -> None:
    """Store the texts in the table ``labelled``, cut as a run cuts them; item ids count from 1."""
    limit = settings.input_max_chars
    rows = [
        {
            "item_id": number,
            "input": example.text[:limit],
            "input_hash": hash_of_text(example.text[:limit]),
            "input_cut": len(example.text) > limit,
            "expected": json.dumps(_envelope(enrichment.columns, example.expected), ensure_ascii=False),
        }
        for number, example in enumerate(labelled.examples, start=1)
    ]
    with warehouse.transaction(stage="enrich") as session:
        session.execute(
            "CREATE OR REPLACE TABLE labelled "
            "(item_id BIGINT, input VARCHAR, input_hash VARCHAR, input_cut BOOLEAN, expected VARCHAR)"
        )
        staged = session.stage("labelled", rows)
        session.execute(f"INSERT INTO labelled SELECT * FROM {staged.name}")


def _envelope(columns: tuple[Column, ...], expected: Mapping[str, Any]) -> dict[str, Any]:
    """Return an answer with the labels as its values; columns without a label are empty."""
    return {"value": {column.name: expected.get(column.name, "") for column in columns}, "error": None}

"""Ask an enrichment about labelled texts as a run would: with its own call, the warehouse's function, its checks."""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from hnintel.enrichment import Column, Enrichment
from hnintel.errors import WarehouseError
from hnintel.evaluation.sets import LabelledSet
from hnintel.prices import Price, load_prices
from hnintel.question import question
from hnintel.settings import Settings
from hnintel.warehouse import open_warehouse
from hnintel.warehouse.base import Query, Session, Step, Warehouse
from hnintel.warehouse.statements import statement

_PENDING = (
    "SELECT item_id, input, input_hash, input_cut, expected FROM labelled WHERE item_id > ? AND item_id <= ? "
    "ORDER BY item_id"
)


@dataclass(frozen=True, slots=True)
class Given:
    """What one text got: its columns, or why its answer cannot be taken."""

    values: Mapping[str, Any]
    bad_because: str | None = None


@dataclass(frozen=True, slots=True)
class Asked:
    """What a set got, in its order, and what that took; ``cost`` is in ``currency``."""

    given: tuple[Given, ...]
    input_tokens: int
    output_tokens: int
    cost: float
    currency: str


@contextmanager
def scratch_warehouse(settings: Settings) -> Iterator[Warehouse]:
    """A warehouse as the settings have it, on a file that is gone afterwards: the user's own is not even opened."""
    with tempfile.TemporaryDirectory(prefix="hnintel-eval-") as folder:
        elsewhere = settings.model_dump() | {"home": Path(folder), "duckdb_path": None}
        yield open_warehouse(Settings(**elsewhere))


def ask(warehouse: Warehouse, enrichment: Enrichment, labelled: LabelledSet, settings: Settings) -> Asked:
    """Ask about every text of the set, chunk by chunk.

    Raises:
        WarehouseError: the warehouse or its engine refused, or the model has no price.
    """
    price = _price(warehouse, enrichment, settings)  # an unknown price is told before anything is paid for

    def keep(session: Session) -> list[dict[str, Any]]:
        return session.rows("SELECT * FROM judged ORDER BY item_id")

    rows = _in_chunks(warehouse, enrichment, labelled, settings, question(warehouse, enrichment), keep)
    names = [column.name for column in enrichment.columns]
    given = tuple(Given({name: row[name] for name in names}, row["bad_because"]) for row in rows)
    return _asked(given, rows, price)


def plan(warehouse: Warehouse, enrichment: Enrichment, labelled: LabelledSet, settings: Settings) -> Asked:
    """What asking would take; nothing is asked, and an answer is taken to be as long as the right one.

    Raises:
        WarehouseError: the warehouse refused, or the model has no price.
    """
    price = _price(warehouse, enrichment, settings)
    counted = statement("count_tokens", function=enrichment.function, overhead=enrichment.overhead)
    asked = "SELECT item_id, input, input_hash, input_cut, 0 AS digest_read, expected AS answer FROM pending"
    steps = [Step("asked", asked), Step("counted", counted)]

    def keep(session: Session) -> list[dict[str, Any]]:
        return session.rows("SELECT input_tokens, output_tokens FROM counted")

    return _asked((), _in_chunks(warehouse, enrichment, labelled, settings, steps, keep), price)


def _price(warehouse: Warehouse, enrichment: Enrichment, settings: Settings) -> Price:
    today = datetime.now(UTC).date()
    return load_prices(settings.prices_path).price(enrichment.function, warehouse.model(enrichment.model), today)


def _asked(given: tuple[Given, ...], rows: list[dict[str, Any]], price: Price) -> Asked:
    read, written = (sum(int(row[name]) for row in rows) for name in ("input_tokens", "output_tokens"))
    return Asked(given, read, written, price.cost(read, written), price.currency)


def _in_chunks(
    warehouse: Warehouse,
    enrichment: Enrichment,
    labelled: LabelledSet,
    settings: Settings,
    steps: list[Step],
    keep: Any,
) -> list[dict[str, Any]]:
    """The rows that *keep* gives of every chunk, in the set's order."""
    try:
        _load(warehouse, enrichment, labelled, settings)
        rows: list[dict[str, Any]] = []
        for after in range(0, len(labelled.examples), settings.enrich_chunk):
            pending = Query(_PENDING, [after, after + settings.enrich_chunk])
            rows += warehouse.ask(pending, steps, keep) or []
        return rows
    except WarehouseError as error:
        raise type(error)(f"set {labelled.name}, enrichment {enrichment.name}: {error}") from error


def _load(warehouse: Warehouse, enrichment: Enrichment, labelled: LabelledSet, settings: Settings) -> None:
    """Set the texts down in the table ``labelled``, cut as a run cuts them; item ids count from 1."""
    limit = settings.input_max_chars
    rows = [
        {
            "item_id": number,
            "input": example.text[:limit],
            "input_hash": hashlib.md5(example.text[:limit].encode(), usedforsecurity=False).hexdigest(),
            "input_cut": len(example.text) > limit,
            "expected": json.dumps(_envelope(enrichment.columns, example.expected), ensure_ascii=False),
        }
        for number, example in enumerate(labelled.examples, start=1)
    ]
    with warehouse.transaction() as session:
        session.execute(
            "CREATE OR REPLACE TABLE labelled "
            "(item_id BIGINT, input VARCHAR, input_hash VARCHAR, input_cut BOOLEAN, expected VARCHAR)"
        )
        staged = session.stage("labelled", rows)
        session.execute(f"INSERT INTO labelled SELECT * FROM {staged.name}")


def _envelope(columns: tuple[Column, ...], expected: Mapping[str, Any]) -> dict[str, Any]:
    """About what the right answer looks like; columns without a label count as empty."""
    return {"value": {column.name: expected.get(column.name, "") for column in columns}, "error": None}

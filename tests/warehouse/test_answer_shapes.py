"""Answers in the documented shapes of Cortex, read as answers of an enrichment on every warehouse.

The shapes are restated from Snowflake's documentation of each function and from the outputs in snowpark-python's
doctests; none was seen on an account of ours. A structured answer is an OBJECT there, and without a schema a text.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from hnintel.engines.base import Answer
from hnintel.enrich.declaration import Column, Enrichment
from hnintel.enrich.question import question
from hnintel.warehouse.base import Query, Step, Warehouse
from tests.warehouse.conftest import ADAPTERS, TIERED_ADAPTERS
from tests.warehouse.world import Answering, load, story

_AT_LABEL = Column("label", str, "A category.", one_of=("travel", "cooking"), path="labels[0]")
CLASSIFY = Enrichment(
    "classified", doc="A category.", version=1, call="AI_CLASSIFY({{ input }}, {{ labels }})", columns=(_AT_LABEL,)
)
COMPLETE = Enrichment(
    "completed",
    doc="A tone and how certain it is.",
    version=1,
    model="a-model",
    prompt="Say it.",
    call="AI_COMPLETE({{ model }}, {{ prompt }} || {{ input }}, {'temperature': 0}, {{ response_format }})",
    columns=(
        Column("sentiment", str, "A tone.", one_of=("positive", "negative")),
        Column("confidence", float, "How certain.", between=(0, 1)),
    ),
)
OVER = "Over model context window"
#: (enrichment, what the function answers with details, what is read, why it is not taken)
SHAPES: list[tuple[Enrichment, dict[str, Any], dict[str, Any], str | None]] = [
    (CLASSIFY, {"value": {"labels": ["travel"]}, "error": None}, {"label": "travel"}, None),
    (CLASSIFY, {"value": {"labels": ["travel", "cooking"]}, "error": None}, {"label": "travel"}, None),
    (CLASSIFY, {"value": {"labels": []}, "error": None}, {"label": None}, "label: missing, or not a text"),
    (CLASSIFY, {"value": None, "error": OVER}, {"label": None}, OVER),
    (
        COMPLETE,
        {"value": {"sentiment": "positive", "confidence": 0.9}, "error": None},
        {"sentiment": "positive", "confidence": 0.9},
        None,
    ),
    (COMPLETE, {"value": None, "error": OVER}, {"sentiment": None, "confidence": None}, OVER),
    (
        COMPLETE,
        {"value": "Summary of the review...", "error": None},
        {"sentiment": None, "confidence": None},
        "sentiment: missing, or not a text",
    ),
]


@pytest.mark.parametrize("adapter", TIERED_ADAPTERS)
def test_a_documented_answer_is_stored_or_becomes_a_dead_letter_with_its_reason(adapter: str, tmp_path: Path) -> None:
    engine = Answering()
    warehouse = ADAPTERS[adapter](tmp_path, engine)
    load(warehouse, [story(1)])
    for enrichment, envelope, read, reason in SHAPES:
        engine.instead = lambda text, good, told=envelope: Answer(told["value"], told["error"])
        (row,) = judged(warehouse, enrichment)
        assert {name: row[name] for name in read} == read, envelope
        assert row["bad_because"] == reason, envelope


def judged(warehouse: Warehouse, enrichment: Enrichment) -> Any:
    """Return the stored answer about a story."""
    pending = Query("SELECT id AS item_id, title AS input, 'h' AS input_hash, FALSE AS input_cut FROM raw.items")
    return warehouse.ask(
        pending, question(warehouse, enrichment), lambda session: session.rows("SELECT * FROM judged"), stage="enrich"
    )


@pytest.mark.parametrize("adapter", TIERED_ADAPTERS)
def test_a_null_without_an_envelope_is_a_bad_answer_without_a_crash(adapter: str, tmp_path: Path) -> None:
    """A function returns this for a failed row if no error details were requested."""
    warehouse = ADAPTERS[adapter](tmp_path)
    step = question(warehouse, CLASSIFY)[-1]
    counted = "CAST(NULL AS VARCHAR) AS answer, 0 AS digest_read, 0 AS digest_written, 1 AS input_tokens"
    columns = f"1 AS item_id, 'h' AS input_hash, FALSE AS input_cut, {counted}, 0 AS output_tokens, FALSE AS is_counted"
    steps = [Step("counted", f"SELECT {columns}, FALSE AS is_undigested FROM pending"), step]
    rows = warehouse.ask(
        Query("SELECT 1 AS one"), steps, lambda session: session.rows("SELECT * FROM judged"), stage="enrich"
    )
    assert [row["bad_because"] for row in rows or []] == ["label: missing, or not a text"]


def test_the_shapes_are_those_on_record(test_data: Path) -> None:
    on_record = json.loads((test_data / "cortex" / "function_shapes.json").read_text(encoding="utf-8"))
    envelopes = [envelope for _, envelope, _, _ in SHAPES]
    for envelope in on_record["error_envelope"]["return_error_details_true"]:
        assert envelope in envelopes
    for shape in (
        on_record["AI_CLASSIFY"]["result_single"],
        on_record["AI_CLASSIFY"]["result_multi"],
        on_record["AI_COMPLETE"]["result_response_format"],
    ):
        assert {"value": shape, "error": None} in envelopes

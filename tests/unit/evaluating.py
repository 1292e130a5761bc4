"""Shared by the tests of evaluation: an engine that answers by a rule, and a question for it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from hnintel.engines.base import Answer, Label
from hnintel.enrich.declaration import Column, Enrichment
from hnintel.evaluation.sets import Example, LabelledSet
from hnintel.warehouse.duckdb.adapter import DuckDBWarehouse

TONE = Enrichment(
    "tests.tone",
    doc="The tone of a story.",
    version=1,
    call="AI_CLASSIFY({{ input }}, {{ labels }})",
    columns=(Column("tone", str, "The tone.", one_of=("positive", "neutral", "negative"), path="labels[0]"),),
)
NAMES = Enrichment(
    "tests.names",
    doc="Who a story names.",
    version=1,
    model="any",
    prompt="List the names.",
    call="AI_COMPLETE({{ model }}, {{ prompt }} || {{ input }}, {'temperature': 0}, {{ response_format }})",
    columns=(Column("people", list[str], "People."), Column("companies", list[str], "Companies.")),
)


class RuleEngine:
    """An engine that answers a text by *rule*, which returns a value, or an Answer with the reason for none."""

    def __init__(self, rule: Callable[[str], Any]) -> None:
        self.asked: list[str] = []
        self._rule = rule

    def model(self, asked_for: str) -> str:
        return "offline-rule"

    def classify(self, texts: Sequence[str | None], labels: Sequence[Label], config: Mapping[str, Any]) -> list[Answer]:
        return self._answers(texts)

    def complete(
        self, model: str, prompts: Sequence[str | None], parameters: Mapping[str, Any], schema: Mapping[str, Any] | None
    ) -> list[Answer]:
        return self._answers(prompts)

    def aggregate(self, texts: Sequence[str], task: str | None) -> Answer:
        return Answer(error="a rule aggregates nothing")

    def count_tokens(self, text: str) -> int:
        return len(text.split())

    def _answers(self, texts: Sequence[str | None]) -> list[Answer]:
        self.asked += [text for text in texts if text]
        given = [self._rule(text or "") for text in texts]
        return [one if isinstance(one, Answer) else Answer(one) for one in given]


def warehouse_of(folder: Path, answers: Callable[[str], Any] | RuleEngine) -> DuckDBWarehouse:
    """Open a warehouse whose AI functions answer by a rule, or by an engine that the test inspects afterwards."""
    engine = answers if isinstance(answers, RuleEngine) else RuleEngine(answers)
    return DuckDBWarehouse(folder / "scratch.duckdb", engine)


def tones(**expected: str) -> LabelledSet:
    """Return a set of one-word texts with their tones."""
    return LabelledSet("tones", tuple(Example(text, {"tone": tone}) for text, tone in expected.items()))

"""How near the offline engine comes to what people say. Skipped where the labelled texts are not at hand."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from hnintel.engines.base import TEXT_CLOSES, TEXT_OPENS, Label
from hnintel.engines.offline import OfflineEngine

ROOT = Path(__file__).resolve().parents[4]
DATA = Path(os.environ.get("HNINTEL_TEST_DATA", ROOT.parent / "shared" / "data"))
SENTIMENTS = ("positive", "neutral", "negative")


def path(name: str) -> Path:
    found = DATA / name
    if not found.exists():
        pytest.skip(f"{name} is not at hand: set HNINTEL_TEST_DATA to the folder that has it")
    return found


def posts() -> list[tuple[str, str]]:
    text = path("labels/senti4sd/train3098itemPOLARITY.csv").read_text(encoding="utf-8", errors="replace")
    return [(text, label) for label, text in re.findall(r"^t\d+;(positive|negative|neutral);(.*)$", text, re.MULTILINE)]


def macro_f1(pairs: list[tuple[str, str]]) -> float:
    def f1(label: str) -> float:
        hits = sum(told == said == label for told, said in pairs)
        return 2 * hits / max(1, sum((told == label) + (said == label) for told, said in pairs))

    return sum(map(f1, SENTIMENTS)) / len(SENTIMENTS)


@pytest.mark.parametrize(("half", "least"), [(0, 0.80), (1, 0.82)], ids=["tuned on", "held out"])
def test_sentiments_agree_with_people(half: int, least: float) -> None:
    rows = posts()[half::2]
    answers = OfflineEngine().classify([text for text, _ in rows], [Label(name) for name in SENTIMENTS], {})
    assert (
        macro_f1([(answer.value["labels"][0], label) for answer, (_, label) in zip(answers, rows, strict=True)]) > least
    )


def sentences(name: str) -> Iterator[tuple[str, list[tuple[str, str]]]]:
    for block in path(name).read_text(encoding="utf-8").split("\n\n"):
        rows = [line.split("\t") for line in block.splitlines() if "\t" in line]
        if rows:
            text = re.sub(r" ([,.;:!?)\]])", r"\1", " ".join(row[0] for row in rows))
            yield text, entities(rows)


def entities(rows: list[list[str]]) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for word, *_, tag in rows:
        if tag.startswith("B-"):
            found.append((tag[2:], word))
        elif tag.startswith("I-") and found:
            found[-1] = found[-1][0], f"{found[-1][1]} {word}"
    return found


@pytest.mark.parametrize(
    ("name", "kinds", "labels", "precision", "recall"),
    [
        ("labels/crossner_ai/dev.txt", ["people"], {"researcher", "person"}, 0.90, 0.50),
        ("labels/crossner_ai/dev.txt", ["companies"], {"organisation", "university"}, 0.70, 0.30),
        ("labels/crossner_ai/dev.txt", ["technologies", "products"], {"programlang", "product"}, 0.70, 0.20),
    ],
)
def test_what_is_called_a_name_is_one(
    name: str, kinds: list[str], labels: set[str], precision: float, recall: float
) -> None:
    rows = list(sentences(name))
    schema = {"type": "object", "properties": {kind: {"type": "array"} for kind in kinds}}
    prompts = [f"Names.\n{TEXT_OPENS}\n\n{text}{TEXT_CLOSES}" for text, _ in rows]
    answers = OfflineEngine().complete("any", prompts, {}, schema)
    hits = told = known = 0
    for answer, (_, marked) in zip(answers, rows, strict=True):
        expected = {text for label, text in marked if label in labels}
        found = {text for kind in kinds for text in (answer.value or {}).get(kind, [])}
        hits, told, known = hits + len(expected & found), told + len(found), known + len(expected)
    assert hits / told >= precision
    assert hits / known >= recall


def test_naughty_strings_are_answered() -> None:
    strings = json.loads(path("security/strings/blns.json").read_text(encoding="utf-8"))
    engine = OfflineEngine()
    for answer in engine.classify(strings, [Label(name) for name in SENTIMENTS], {}):
        assert "failed" not in (answer.error or "")
    for answer in engine.complete(
        "any", strings, {}, {"type": "object", "properties": {"takeaway": {"type": "string"}}}
    ):
        assert "failed" not in (answer.error or "")

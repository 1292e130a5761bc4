"""What is kept of an answer is bounded and without control characters, whichever warehouse it is kept in."""

from __future__ import annotations

import unicodedata
from pathlib import Path
from typing import Any

import pytest

from hnintel.engines.base import Answer
from hnintel.enrich.column import MOST_CHARACTERS, MOST_ITEM_CHARACTERS, MOST_ITEMS
from hnintel.enrich.declaration import Column, Enrichment
from tests.enrichments.conftest import REGISTERED
from tests.enrichments.subjects import comments_below, load_comments
from tests.warehouse.conftest import ADAPTERS
from tests.warehouse.world import Answering, Asking, load, story

OPEN = Enrichment(
    "open",
    doc="Columns that declare no bound, and some that do.",
    version=1,
    model="a-model",
    prompt="Say all of it.",
    call="AI_COMPLETE({{ model }}, {{ prompt }} || {{ input }}, {'temperature': 0}, {{ response_format }})",
    columns=(
        Column("told", str, "Words."),
        Column("names", list[str], "Names.", nullable=True),
        Column("short", str, "A few words.", longest=5, nullable=True),
        Column("few", list[str], "One or two.", longest=3, most_items=2, nullable=True),
    ),
)
GOOD = {"told": "words", "names": ["a"], "short": "words", "few": ["a"]}
#: What is kept, at its bound.
KEPT: list[dict[str, Any]] = [
    GOOD,
    {**GOOD, "told": "é" * MOST_CHARACTERS},
    {**GOOD, "names": ["é" * MOST_ITEM_CHARACTERS] * MOST_ITEMS},
    {**GOOD, "few": ["abc", "abc"]},
    {"told": "words", "names": None, "short": None, "few": None},
]
#: What is not, beyond it, and why.
OVER: list[tuple[dict[str, Any], str]] = [
    ({**GOOD, "told": "é" * (MOST_CHARACTERS + 1)}, "told: longer than 8000 characters"),
    ({**GOOD, "names": ["a"] * (MOST_ITEMS + 1)}, "names: more than 100 texts"),
    (
        {**GOOD, "names": ["a", "é" * (MOST_ITEM_CHARACTERS + 1)]},
        "names: a text longer than 200 characters",
    ),
    *(
        ({**GOOD, "told": blank}, "told: blank")
        for blank in (
            "",
            " ",
            "\u200b",
            "\u200d",
            "\ufeff\xad\u2060",
            "\U000e0041\U000e007f",
            "\u00a0\u3000\t\u2028",
            "\ufe0f",
        )
    ),
    ({**GOOD, "short": "longer"}, "short: longer than 5 characters"),
    ({**GOOD, "few": ["a", "b", "c"]}, "few: more than 2 texts"),
    ({**GOOD, "few": ["abcd"]}, "few: a text longer than 3 characters"),
]


@pytest.fixture(params=list(ADAPTERS))
def anywhere(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """On each warehouse."""
    monkeypatch.setattr(Asking, "opens", staticmethod(ADAPTERS[request.param]))


def saying(*answers: Any) -> Answering:
    """An engine that gives these answers, by the number of the story."""
    return Answering(lambda text, _: Answer(answers[int(text.split("number ")[1].split()[0]) - 1]))


@pytest.mark.usefixtures("anywhere")
def test_an_answer_over_a_bound_is_a_bad_one_and_one_at_it_is_kept(tmp_path: Path) -> None:
    answers = [*KEPT, *(answer for answer, _ in OVER)]
    asking = Asking(tmp_path, saying(*answers), bad_answer_floor=1000)
    load(asking.warehouse, [story(number, f"number {number}") for number in range(1, len(answers) + 1)])
    done = asking.run(OPEN)
    assert (done.answered, done.failed) == (len(KEPT), len(OVER))
    assert [letter["reason"] for letter in asking.letters()] == [reason for _, reason in OVER]


@pytest.mark.usefixtures("anywhere")
def test_answers_are_kept_without_control_characters(tmp_path: Path) -> None:
    steered = {
        "told": "\x1b[31mred\x00\r\nand \u202eback\x9b",
        "names": ["A\u2066cme\u2069", "B\tC\x07"],
        "short": "\x1b" * 9,
    }
    asking = Asking(tmp_path, saying({**GOOD, **steered}))
    load(asking.warehouse, [story(1, "number 1")])
    asking.run(OPEN)
    (row,) = asking.rows(f"SELECT told, short, CAST(names AS VARCHAR) AS names FROM {OPEN.table}")
    assert (row["told"], row["short"]) == ("[31mred  and back", "")
    assert "Acme" in row["names"]
    assert "B C" in row["names"]
    assert not any(unicodedata.category(char) == "Cc" for char in row["names"] if char != "\n")


@pytest.mark.parametrize("name", REGISTERED)
def test_every_enrichment_keeps_no_control_character_of_its_answers(tmp_path: Path, name: str) -> None:
    enrichment = REGISTERED[name]

    def steered(_: str, good: Answer) -> Answer:
        # Labels are as they are asked for; every other text is steered.
        held = {(column.path or column.name).partition("[")[0] for column in enrichment.columns if column.one_of}
        if not isinstance(good.value, dict):
            return good
        return Answer({key: value if key in held else _steered(value) for key, value in good.value.items()})

    asking = Asking(tmp_path, Answering(steered))
    load(asking.warehouse, [story(1, "number 1", descendants=9)])
    load_comments(asking, comments_below(1))
    assert asking.run(enrichment).answered == 1
    (row,) = asking.rows(f"SELECT {', '.join(column.name for column in enrichment.columns)} FROM {enrichment.table}")
    assert not any(
        unicodedata.category(char) == "Cc" or char in "\u202e" for char in str(list(map(repr, row.values())))
    )
    assert "x1b" not in repr(row)


def _steered(value: Any) -> Any:
    if isinstance(value, list):
        return [_steered(one) for one in value]
    return f"\x1b[2J{value}\x85\u202e" if isinstance(value, str) else value


def test_bounds_of_what_is_kept_are_no_part_of_the_question() -> None:
    bare = Enrichment(
        **{name: getattr(OPEN, name) for name in ("module", "doc", "version", "model", "prompt", "call")},
        columns=tuple(Column(one.name, one.type, one.description, nullable=one.nullable) for one in OPEN.columns),
    )
    assert OPEN.fingerprint("m", 10) == bare.fingerprint("m", 10)
    assert OPEN.render_call("m") == bare.render_call("m")


@pytest.mark.parametrize("enrichment", REGISTERED.values(), ids=REGISTERED)
def test_no_bundled_answer_can_be_larger_than_a_screen(enrichment: Enrichment) -> None:
    for column in enrichment.columns:
        most = column.kept_length * (column.kept_items if column.kind == "list" else 1)
        assert column.one_of or most <= 20_000

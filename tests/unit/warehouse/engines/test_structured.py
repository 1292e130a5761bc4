"""Reading an answer takes bounded work, and takes from it what it always took."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.patterns import Matcher, Pattern
from hnintel.engines.openai import structured
from hnintel.engines.openai.structured import MOST_CANDIDATES, MOST_CHARACTERS, Unfit, read

SCHEMA = {"type": "object", "properties": {"a": {"type": "array", "items": {"type": "string"}}}, "required": ["a"]}
#: Answers that were read again from each of their own places, of any length.
HELD_UP = {
    "quotes in a string that is not closed": lambda n: 'x"' + '\\"' * n,
    "and a backslash at its end": lambda n: 'x"' + '\\"' * n + "\\",
    "braces": lambda n: "x" + "{" * n,
    "braces on lines": lambda n: "\n" * n + "x" + "{" * n,
    "objects in objects": lambda n: "x" + '{"a":' * n,
    "objects in lists that are not closed": lambda n: "x" + '{"a":[{"b":1},' * n,
    "commas": lambda n: "x" + ", \n" * n,
}


class Counting:
    """The decoder, which notes how often it is asked."""

    def __init__(self) -> None:
        self.tries = 0

    def decode(self, text: str) -> Any:
        self.tries += 1
        return json.JSONDecoder().decode(text)

    def raw_decode(self, text: str, place: int) -> Any:
        self.tries += 1
        return json.JSONDecoder().raw_decode(text, place)


@pytest.mark.parametrize("name", HELD_UP)
def test_an_object_is_looked_for_at_a_bounded_number_of_places(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    counting = Counting()
    monkeypatch.setattr(structured, "_decoder", counting)
    answer = HELD_UP[name](100_000)[:MOST_CHARACTERS]
    with pytest.raises(Unfit):
        read(answer, SCHEMA)
    assert counting.tries <= MOST_CANDIDATES + 1


@pytest.mark.parametrize("name", HELD_UP)
def test_the_steps_of_reading_grow_as_the_answer_does(name: str) -> None:
    pattern = structured._STRING_OR_COMMA
    once, twice = (
        Matcher(Pattern("", pattern.pattern, pattern.flags, False), HELD_UP[name](n)).run() for n in (40, 80)
    )
    assert twice < 2.6 * once


def test_an_answer_that_is_too_long_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(structured, "_decoder", None)
    with pytest.raises(Unfit, match="longer than 65,536 characters"):
        read(json.dumps({"a": ["x" * MOST_CHARACTERS]}), SCHEMA)


def test_the_longest_answer_is_read() -> None:
    value = {"a": ["x" * (MOST_CHARACTERS - len('{"a": [""]}'))]}
    assert read(json.dumps(value), SCHEMA) == value


def test_of_many_faults_a_few_are_looked_at() -> None:
    with pytest.raises(Unfit, match=r"\$\.a\[\d+\] must have type"):
        read(json.dumps({"a": [1] * 20_000}), SCHEMA)


@pytest.mark.parametrize(
    "answer",
    [
        'It is 5" wide: {"a": ["b"],}',
        '{"a": ["b"],} and 5" wide',
        'Say "{" or {"a": ["b",]}',
        "{}" * (MOST_CANDIDATES - 1) + '{"a": ["b"]}',
        '<think>{"a": "\\"</think>{"a": ["b"]}',
    ],
)
def test_an_object_is_found_in_prose(answer: str) -> None:
    assert read(answer, SCHEMA) == {"a": ["b"]}


_COMMA_BEFORE = re.compile(r'("(?:[^"\\]|\\.)*")|,(?=\s*[}\]])', re.DOTALL)
_THOUGHTS_BEFORE = re.compile(r"\A(?!\s*\{).*</think>", re.DOTALL)


@given(st.text('"\\,}] {a\n', max_size=16))
def test_commas_that_are_left_out_are_those_that_were(answer: str) -> None:
    now = structured._STRING_OR_COMMA.sub(structured._without_last_comma, answer)
    assert now == _COMMA_BEFORE.sub(r"\1", answer)


@given(st.lists(st.sampled_from(["</think>", "{", " ", "a", "\n"]), max_size=7).map("".join))
def test_thoughts_that_are_left_out_are_those_that_were(answer: str) -> None:
    assert structured._without_thoughts(answer) == _THOUGHTS_BEFORE.sub("", answer)

"""No regular expression of the tree does more than its share of work on a text that somebody else wrote."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.patterns import GOAL, Matcher, Pattern, collect, growth
from hnintel.engines.offline import claims, story_lines, text
from hnintel.site import charts
from hnintel.web.extract import item_text

PATTERNS, UNKNOWN = collect()
#: Patterns that only a run knows, and why they do no harm.
KNOWN_BY_A_RUN = {
    "hnintel/engines/offline/fields.py": "a value between bounded repetitions",
    "hnintel/engines/offline/name_cues.py": "they are in the tuples that are read too",
    "hnintel/engines/offline/prose.py": "phrases without a repetition",
    "hnintel/warehouse/snowflake/errors.py": "bounded names in a message of Snowflake",
}


@pytest.fixture(autouse=True)
def _deep() -> Iterator[None]:
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(20_000)
    yield
    sys.setrecursionlimit(before)


def pattern(source: str, is_anchored: bool = False) -> Pattern:
    return Pattern("here", source, re.compile(source).flags, is_anchored)


@pytest.mark.parametrize(
    "source",
    [
        r'("(?:[^"\\]|\\.)*")|,(?=\s*[}\]])',
        r"\s+([.,;:!?])",
        r"(a+)+b",
        r"[ \t]+\n",
        r"\{\{.*\}\}.*x",
        r"(\S+)$",
        r"(?:a|a)*b",
        r"\w+\d",
    ],
)
def test_a_pattern_that_is_held_up_is_seen(source: str) -> None:
    assert growth(pattern(source))[0] > GOAL


@pytest.mark.parametrize("source", [r"\s+", r"(?<!\s)\s+x", r"[a-z]{1,30}\d", r"\b\w+\b", r'"[^"]*+(?:"|\Z)'])
def test_a_pattern_that_is_not_is_let_pass(source: str) -> None:
    assert growth(pattern(source))[0] <= GOAL


def test_a_pattern_that_is_tried_at_the_start_alone_is_not_tried_elsewhere() -> None:
    assert growth(pattern(r"\s+x", is_anchored=True))[0] <= GOAL < growth(pattern(r"\s+x"))[0]


def test_every_pattern_of_the_tree_is_looked_at() -> None:
    assert len(PATTERNS) > 90
    assert {place.partition(":")[0] for place in UNKNOWN} == KNOWN_BY_A_RUN.keys()


def test_no_pattern_of_the_tree_grows_faster_than_its_text() -> None:
    grown = {one.place: by for one in PATTERNS for ratio, by in [growth(one, is_thorough=False)] if ratio > GOAL}
    assert grown == {}


@pytest.mark.slow
def test_no_pattern_of_the_tree_grows_faster_than_any_text_of_its_own_pieces() -> None:
    grown = {one.place: by for one in PATTERNS for ratio, by in [growth(one)] if ratio > GOAL}
    assert grown == {}


@given(st.text("ab1 \t\n.,-\\\"'([é", max_size=12))
def test_the_steps_are_those_of_a_matcher_that_finds_what_re_finds(text: str) -> None:
    for source in (r"\s+([.,])", r"([ab]|\d)*?1", r"(?<!a)b{1,2}+", r"[^\W_][\w.-]*", r"^a|1$|\bé", r"(.)\1"):
        found = re.search(source, text)
        matcher = Matcher(pattern(source), text)
        ends = (next(matcher._sequence(matcher._tree, 0, place), None) for place in range(len(text) + 1))
        assert next((end for end in ends if end is not None), None) == (found and found.end())


#: Patterns as they were, which did more work than their text, and what they are now.
_BEFORE = {
    "id": (re.compile(r"^\s*[-*•]?\s*\[(\d{1,18})\]\s*"), lambda told: story_lines._ID.sub(r"<\1>", told), r"<\1>"),
    "yc": (re.compile(r"\s*\(YC [SWFX]\d{2}\)"), lambda told: story_lines._YC.sub("", told), ""),
    "space": (re.compile(r"\s+([.,;:!?])"), lambda told: claims._SPACE_BEFORE_MARK.sub(r"\1", told), r"\1"),
    "marks": (
        re.compile(r"([.!?])[.,;:]+(?=\s|$)"),
        lambda told: claims._MARKS_DOUBLED.sub(claims._first_mark, told),
        r"\1",
    ),
    "last": (re.compile(r"(\S+)$"), lambda told: text._LAST_WORD.sub(r"<\1>", told), r"<\1>"),
    "decimals": (re.compile(r"\d+\.\d+"), lambda told: charts._DECIMALS.sub("#", told), "#"),
}


@pytest.mark.parametrize("name", _BEFORE)
@given(st.lists(st.sampled_from([*" \t\n.,;!?*-[]()a15", "(YC W24)", "[12]"]), max_size=14).map("".join))
def test_a_pattern_that_was_mended_takes_what_it_took(name: str, told: str) -> None:
    before, now, put = _BEFORE[name]
    assert now(told) == before.sub(put, told)


def test_blanks_before_a_line_end_are_left_out_of_an_items_text() -> None:
    assert item_text("<pre>a \t \nb  c\t\n\n\n\nd</pre>") == "a\nb  c\n\nd"

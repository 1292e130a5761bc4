"""The distance between two days' labels: what it is in figures, and what of it is chance."""

from __future__ import annotations

import random
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hnintel.checks.drift import drift

COUNTS = st.dictionaries(st.sampled_from("abcdefgh"), st.integers(1, 1000), min_size=1)


def test_it_is_the_share_of_answers_that_would_have_to_be_another_label() -> None:
    found = drift({"good": 50, "bad": 30, "plain": 20}, {"good": 80, "bad": 10, "plain": 10})
    assert found.distance == pytest.approx(0.3)
    assert (found.label, found.before, found.after) == ("good", 0.5, 0.8)


@pytest.mark.parametrize(
    ("before", "after", "distance"),
    [
        ({"a": 1, "b": 1}, {"a": 50, "b": 50}, 0.0),
        ({"a": 10}, {"b": 10}, 1.0),
        ({"a": 9, "b": 1}, {"a": 9, "c": 1}, 0.1),
    ],
)
def test_it_is_nothing_for_the_same_shares_and_one_where_no_label_is_shared(
    before: dict[str, int], after: dict[str, int], distance: float
) -> None:
    assert drift(before, after).distance == pytest.approx(distance)


@given(COUNTS, COUNTS)
def test_it_is_a_distance(before: dict[str, int], after: dict[str, int]) -> None:
    found = drift(before, after)
    assert 0 <= found.distance <= 1 + 1e-9
    assert found.distance == pytest.approx(drift(after, before).distance)
    assert 0 <= found.beyond_chance <= found.distance
    assert drift(before, before).distance == 0


@pytest.mark.parametrize("rows", [30, 70, 1000])
def test_what_is_put_down_to_chance_is_what_samples_of_an_unchanged_question_are_apart(rows: int) -> None:
    draw = random.Random(7)
    weights = dict(zip("abcdefghijklmno", range(1, 16), strict=True))

    def sample(size: int) -> Counter[str]:
        return Counter(draw.choices(list(weights), list(weights.values()), k=size))

    pairs = [drift(sample(1500), sample(rows)) for _ in range(300)]
    apart = sum(found.distance for found in pairs) / len(pairs)
    foretold = sum(found.chance for found in pairs) / len(pairs)
    assert foretold == pytest.approx(apart, rel=0.1)
    assert max(found.beyond_chance for found in pairs) < 0.2  # no false alarm at the default threshold

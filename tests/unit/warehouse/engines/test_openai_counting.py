"""What an endpoint reports of tokens: believed where the texts can have so many, else estimated from the texts."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hnintel.engines.base import Usage
from hnintel.engines.openai import counting

PROMPT = "Say what to remember of this text: Postgres has a new index, says Ada."
ANSWER = '{"takeaway": "Postgres has a new index."}'
MESSAGES = [{"role": "user", "content": PROMPT}]

texts = st.text(min_size=1, max_size=400).filter(str.strip)
reports = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=5), inner, max_size=2),
    max_leaves=4,
)


def reply(usage: Any, content: Any = ANSWER, **more: Any) -> dict[str, Any]:
    return {"choices": [{"message": {"role": "assistant", "content": content, **more}}], "usage": usage}


def tokens(read: Any, wrote: Any, **more: Any) -> dict[str, Any]:
    return {"prompt_tokens": read, "completion_tokens": wrote, **more}


def counted(told: Any) -> Usage:
    return counting.usage(told, MESSAGES, {})


def test_a_count_that_can_be_right_is_taken_as_it_is() -> None:
    assert counted(reply(tokens(18, 11))) == Usage(18, 11)


@pytest.mark.parametrize("wrong", [0, -1, True, 18.0, "18", None, [18], 10**9, 9 * 10**18])
def test_a_count_that_cannot_be_right_is_estimated_and_within_what_the_text_can_hold(wrong: Any) -> None:
    for told in (tokens(wrong, 11), tokens(18, wrong)):
        found = counted(reply(told))
        assert not found.is_counted
        assert len(PROMPT) / 8 <= found.input_tokens <= len(PROMPT) + 200
        assert len(ANSWER) / 8 <= found.output_tokens <= len(ANSWER) + 200


@pytest.mark.parametrize("usage", [None, {}, [], "many", 7, {"total_tokens": 29}])
def test_no_count_is_an_estimate(usage: Any) -> None:
    assert not counted(reply(usage)).is_counted
    assert counted(reply(usage)).input_tokens > 0


def test_reasoning_that_nobody_is_shown_counts_where_the_endpoint_names_it() -> None:
    hidden = {"completion_tokens_details": {"reasoning_tokens": 2_000}}
    assert counted(reply(tokens(18, 2_011, **hidden))) == Usage(18, 2_011)
    assert not counted(reply(tokens(18, 2_011))).is_counted
    assert counted(reply(tokens(18, 300), reasoning_content="It may be the index. " * 60)) == Usage(18, 300)


def test_reasoning_is_no_way_to_report_without_limit() -> None:
    hidden = {"completion_tokens_details": {"reasoning_tokens": 10**9}}
    found = counted(reply(tokens(18, 10**9, **hidden)))
    assert not found.is_counted
    assert found.output_tokens <= counting.MOST_REASONING + len(ANSWER) + 200


@given(prompt=texts, content=texts, usage=reports, read=reports, wrote=reports)
def test_whatever_is_reported_the_tokens_are_bounded_by_the_texts(
    prompt: str, content: str, usage: Any, read: Any, wrote: Any
) -> None:
    messages = [{"role": "user", "content": prompt}]
    for told in (usage, tokens(read, wrote), tokens(read, wrote, completion_tokens_details=usage)):
        found = counting.usage(reply(told, content), messages, {})
        for count, text in ((found.input_tokens, prompt), (found.output_tokens, content)):
            assert type(count) is int
            least, most = len(text) // 8, len(text.encode("utf-8", "replace")) + counting.MOST_REASONING + 200
            assert max(1, least) <= count <= most


@given(told=reports)
def test_an_answer_of_any_shape_has_a_usage(told: Any) -> None:
    assert counted(told).input_tokens > 0
    assert counted({"choices": told, "usage": told}).input_tokens > 0
    assert counted({"choices": [{"message": told}], "usage": told}).input_tokens > 0


def test_a_schema_may_be_counted_as_part_of_the_prompt() -> None:
    parameters = {"response_format": {"schema": {"description": "words " * 200}}}
    read = len(json.dumps(parameters)) // 4
    assert counting.usage(reply(tokens(read, 11)), MESSAGES, parameters) == Usage(read, 11)

"""Every question to an endpoint bounds its answer, by what the schema allows."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hnintel.engines.base import Answer, Label
from hnintel.engines.bounds import MOST_PROSE, most_written
from hnintel.engines.openai import OpenAIEngine
from hnintel.engines.openai.learnt import LIMIT_NAMES, Learnt
from hnintel.errors import WarehouseError
from tests.servers.chat import ChatServer
from tests.warehouse.world import settings_in

KEY = "sk-very-secret-key"
LABELS = [Label("databases", "Engines and indexes."), Label("music")]
SCHEMA = {
    "type": "object",
    "properties": {"takeaway": {"type": "string"}, "names": {"type": "array", "items": {"type": "string"}}},
    "required": ["takeaway", "names"],
}
PROMPT = "Say what to remember.\n<text>Postgres has a new index, says Ada.</text>"
GOOD = {"takeaway": "Postgres has a new index, says Ada.", "names": ["Postgres", "Ada"]}


@pytest.fixture
def server() -> Iterator[ChatServer]:
    with ChatServer() as server:
        yield server


def engine_at(server: ChatServer, **settings: Any) -> OpenAIEngine:
    """An engine that asks *server*."""
    told = {"openai_base_url": server.base_url, "openai_model": "small-rules", "openai_timeout": 5.0, **settings}
    return OpenAIEngine(settings_in(Path("unused"), engine="openai", **told))


def complete(engine: OpenAIEngine, *prompts: str, schema: Any = SCHEMA, **parameters: Any) -> list[Answer]:
    return engine.complete("any", prompts or [PROMPT], parameters or {"temperature": 0}, schema)


def test_every_request_bounds_its_answer_by_what_its_schema_allows(server: ChatServer) -> None:
    engine = engine_at(server)
    complete(engine)
    complete(engine, schema=None)
    engine.classify(["music"], LABELS, {})
    engine.aggregate(["one", "two"], "Digest these.")
    assert [asked.body["max_tokens"] for asked in server.asked] == [
        most_written(SCHEMA),
        MOST_PROSE,
        64 + 11,
        MOST_PROSE,
    ]


@pytest.mark.parametrize("given", [0, -3, "9", None, True])
def test_a_bound_of_the_call_is_kept_where_it_is_one(server: ChatServer, given: object) -> None:
    engine = engine_at(server)
    engine.complete("m", [PROMPT], {"max_tokens": 123}, SCHEMA)
    engine.complete("m", [PROMPT], {"max_tokens": given}, SCHEMA)
    assert [asked.body["max_tokens"] for asked in server.asked] == [123, most_written(SCHEMA)]


def test_thinking_is_added_to_the_bound(server: ChatServer) -> None:
    complete(engine_at(server, openai_thinking_tokens=5_000))
    assert server.asked[0].body["max_tokens"] == most_written(SCHEMA) + 5_000


def test_an_endpoint_that_calls_the_bound_otherwise_is_asked_so_from_then_on(server: ChatServer) -> None:
    server.mood.refuses = ("max_tokens",)
    engine = engine_at(server)
    assert [answer.value for answer in (*complete(engine), *complete(engine))] == [GOOD, GOOD]
    names = [next(name for name in LIMIT_NAMES if name in asked.body) for asked in server.asked]
    assert names == ["max_tokens", "max_completion_tokens", "max_completion_tokens"]


def test_an_endpoint_that_takes_no_bound_is_not_asked(server: ChatServer) -> None:
    server.mood.refuses = LIMIT_NAMES
    with pytest.raises(WarehouseError, match="no answer would be bounded: set HNINTEL_OPENAI_LIMIT_NAME"):
        complete(engine_at(server))
    assert all(set(LIMIT_NAMES) & set(asked.body) for asked in server.asked)


def test_a_bound_above_the_models_own_is_lowered_to_that(server: ChatServer) -> None:
    server.mood.most_tokens = 100
    engine = engine_at(server)
    assert [answer.value for answer in (*complete(engine), *complete(engine))] == [GOOD, GOOD]
    assert [asked.body["max_tokens"] for asked in server.asked] == [most_written(SCHEMA), 100, 100]


@pytest.mark.parametrize(
    ("base_url", "named", "sent"),
    [
        ("https://api.openai.com/v1", "auto", "max_completion_tokens"),
        ("https://mine.openai.azure.com/openai/v1", "auto", "max_completion_tokens"),
        ("http://127.0.0.1:8080/v1", "auto", "max_tokens"),
        ("https://api.openai.com.example/v1", "auto", "max_tokens"),
        ("http://127.0.0.1:8080/v1", "max_completion_tokens", "max_completion_tokens"),
    ],
)
def test_the_name_of_the_bound_goes_by_the_endpoint_or_the_setting(base_url: str, named: str, sent: str) -> None:
    assert Learnt(base_url, named, 0).request({}, 7, None) == {sent: 7}


@given(
    text=st.text(max_size=200),
    names=st.lists(st.text(max_size=50), max_size=10),
    choice=st.sampled_from(["on", "off", "später"]),
    number=st.integers(-(10**9), 10**9),
)
def test_no_answer_within_its_schema_has_more_characters_than_its_bound_has_tokens(
    text: str, names: list[str], choice: str, number: int
) -> None:
    schema = {
        "type": "object",
        "properties": {
            "text": {"type": ["string", "null"], "maxLength": 200},
            "names": {"type": "array", "maxItems": 10, "items": {"type": "string", "maxLength": 50}},
            "choice": {"type": "string", "enum": ["on", "off", "später"]},
            "number": {"type": "integer"},
        },
    }
    value = {"text": text, "names": names, "choice": choice, "number": number}
    assert len(json.dumps(value, ensure_ascii=False, indent=1)) - _escapes(value) <= most_written(schema)


def _escapes(value: object) -> int:
    """The characters that JSON adds within texts."""
    if isinstance(value, dict):
        return sum(map(_escapes, value.values()))
    if isinstance(value, list):
        return sum(map(_escapes, value))
    return len(json.dumps(value, ensure_ascii=False)) - 2 - len(value) if isinstance(value, str) else 0

"""The ``AI_*`` functions inside DuckDB: called as on Snowflake, they answer in its shapes, once for each row."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from hnintel.engines.base import Answer
from hnintel.warehouse.duckdb.ai_functions import connect_with_functions
from tests.warehouse.world import Answering, Recording

DETAILS = "return_error_details => TRUE"
SCHEMA = "{'type': 'json', 'schema': {'type': 'object', 'properties': {'a': {'type': 'string'}}}}"


@pytest.fixture
def engine() -> Recording:
    return Recording(Answering())


@pytest.fixture
def sql(engine: Recording) -> Iterator[duckdb.DuckDBPyConnection]:
    with connect_with_functions(engine) as connection:
        connection.execute(
            "CREATE TABLE ten AS SELECT i AS id, 'text ' || i AS input, i % 3 AS part FROM range(10) AS r(i)"
        )
        yield connection


def value(connection: duckdb.DuckDBPyConnection, expression: str) -> Any:
    """Return the result of a call, parsed if it is JSON."""
    kind, found = connection.execute(f"SELECT typeof(x), x FROM (SELECT {expression} AS x)").fetchall()[0]
    return json.loads(found) if kind == "JSON" and found is not None else found


@pytest.mark.parametrize(
    ("call", "answer"),
    [
        ("AI_CLASSIFY('x', ['travel', 'cooking'])", {"labels": ["travel"]}),
        ("AI_CLASSIFY('x', [{'label': 'travel', 'description': 'far away'}])", {"labels": ["travel"]}),
        ("AI_CLASSIFY('x', ['travel'], {'output_mode': 'multi'})", {"labels": ["travel"]}),
        ("AI_COMPLETE('a-model', 'x')", "plain words"),
        ("AI_COMPLETE('a-model', 'x', {'temperature': 0})", "plain words"),
        (f"CAST(AI_COMPLETE('a-model', 'x', {{'temperature': 0}}, {SCHEMA}) AS JSON)", {"a": "words"}),
        ("AI_COUNT_TOKENS('ai_complete', 'three small words')", 3),
        ("AI_COUNT_TOKENS('ai_complete', 'a-model', 'three small words')", 3),
        ("(SELECT AI_AGG(input, 'what is it about?') FROM ten)", "a digest"),
        ("(SELECT AI_SUMMARIZE_AGG(input) FROM ten)", "a digest"),
    ],
)
def test_positional_arguments_get_snowflakes_answer(sql: duckdb.DuckDBPyConnection, call: str, answer: Any) -> None:
    assert value(sql, call) == answer


def test_labels_count_into_the_tokens_of_a_classification(sql: duckdb.DuckDBPyConnection) -> None:
    bare = value(sql, "AI_COUNT_TOKENS('ai_classify', 'some words')")
    assert value(sql, "AI_COUNT_TOKENS('ai_classify', 'some words', [{'label': 'one more'}])") > bare


@pytest.mark.parametrize(
    ("call", "answer"),
    [
        (f"AI_CLASSIFY('x', ['travel'], {DETAILS})", {"labels": ["travel"]}),
        (f"AI_CLASSIFY('x', ['travel'], {{'output_mode': 'single'}}, {DETAILS})", {"labels": ["travel"]}),
        (f"CAST(AI_COMPLETE('a-model', 'x', {DETAILS}) AS JSON)", "plain words"),
        (f"CAST(AI_COMPLETE('a-model', 'x', {{'temperature': 0}}, {SCHEMA}, {DETAILS}) AS JSON)", {"a": "words"}),
    ],
)
def test_with_error_details_the_answer_is_in_an_envelope(
    sql: duckdb.DuckDBPyConnection, call: str, answer: Any
) -> None:
    assert value(sql, call) == {"value": answer, "error": None}


def test_the_shapes_are_those_on_record(sql: duckdb.DuckDBPyConnection, test_data: Path) -> None:
    shapes = json.loads((test_data / "cortex" / "function_shapes.json").read_text(encoding="utf-8"))
    single = value(sql, "AI_CLASSIFY('x', ['travel'])")
    assert _shape(single) == _shape(shapes["AI_CLASSIFY"]["result_single"])
    assert isinstance(value(sql, "AI_COMPLETE('m', 'x')"), str)
    assert shapes["AI_COMPLETE"]["result_plain"] == "string"
    for on_record in shapes["error_envelope"]["return_error_details_true"]:
        engine = Answering(lambda text, good, told=on_record: Answer(told["value"], told["error"]))
        with connect_with_functions(engine) as connection:
            assert value(connection, f"CAST(AI_COMPLETE('m', 'x', {DETAILS}) AS JSON)") == on_record


def _shape(answer: Any) -> Any:
    """Return the structure of an answer, without its values."""
    if isinstance(answer, Mapping):
        return {name: _shape(part) for name, part in answer.items()}
    return [_shape(part) for part in answer[:1]] if isinstance(answer, list) else type(answer)


@pytest.mark.parametrize(
    "call",
    [
        "AI_CLASSIFY(NULL, ['a'] {})",
        "AI_CLASSIFY('x', NULL {})",
        "AI_CLASSIFY('x', [] {})",
        "AI_COMPLETE(NULL, 'x' {})",
        "AI_COMPLETE('m', NULL {})",
    ],
)
def test_a_null_gets_an_error_without_a_question_and_fails_no_other_row(
    sql: duckdb.DuckDBPyConnection, engine: Recording, call: str
) -> None:
    assert value(sql, call.format("")) is None
    envelope = value(sql, f"CAST({call.format(', ' + DETAILS)} AS JSON)")
    assert envelope["value"] is None
    assert envelope["error"]
    assert engine.texts == []


def test_of_many_rows_only_the_null_ones_get_an_error(sql: duckdb.DuckDBPyConnection, engine: Recording) -> None:
    call = f"AI_CLASSIFY(CASE WHEN id % 2 = 0 THEN input END, ['a'], {DETAILS})"
    rows = sql.execute(f"SELECT id, CAST({call} AS VARCHAR) FROM ten ORDER BY id").fetchall()
    assert [json.loads(answer)["error"] is None for _, answer in rows] == [True, False] * 5
    assert sorted(engine.texts) == ["text 0", "text 2", "text 4", "text 6", "text 8"]


def test_null_counts_no_tokens_and_is_no_part_of_a_group(sql: duckdb.DuckDBPyConnection, engine: Recording) -> None:
    assert value(sql, "AI_COUNT_TOKENS('ai_complete', NULL)") is None
    value(sql, "(SELECT AI_AGG(CASE WHEN id < 2 THEN input END, 'what?') FROM ten)")
    value(sql, "(SELECT AI_AGG(CAST(NULL AS VARCHAR), NULL) FROM ten)")
    assert engine.groups == [["text 0", "text 1"], []]


def test_a_group_is_asked_about_once_in_an_order_independent_of_its_rows(
    sql: duckdb.DuckDBPyConnection, engine: Recording
) -> None:
    for order in ("id", "id DESC"):
        sql.execute(f"SELECT part, AI_AGG(input, 'what?') FROM (FROM ten ORDER BY {order}) GROUP BY part").fetchall()
    assert len(engine.groups) == 6
    assert sorted(map(tuple, engine.groups[:3])) == sorted(map(tuple, engine.groups[3:]))


def test_rows_may_differ_in_their_other_arguments(sql: duckdb.DuckDBPyConnection) -> None:
    rows = sql.execute("SELECT AI_CLASSIFY(input, ['part ' || part]) ->> '$.labels[0]' FROM ten ORDER BY id").fetchall()
    assert [row[0] for row in rows] == [f"part {number % 3}" for number in range(10)]


@pytest.mark.parametrize(
    "select",
    [
        "SELECT {} AS answer FROM ten",
        "SELECT {} AS answer FROM ten ORDER BY id DESC",
        "SELECT {} AS answer FROM ten JOIN (SELECT DISTINCT id AS other FROM ten) ON other = id",
        "SELECT {} AS answer FROM ten QUALIFY row_number() OVER (ORDER BY id) > 0",
        "SELECT * FROM (SELECT {} AS answer FROM ten) WHERE answer IS NOT NULL",
        "SELECT answer, answer AS again FROM (SELECT {} AS answer FROM ten)",
    ],
)
@pytest.mark.parametrize(
    "call",
    ["AI_CLASSIFY(input, ['a'])", f"AI_CLASSIFY(input, ['a'], {DETAILS})", f"AI_COMPLETE('m', input, NULL, {SCHEMA})"],
)
def test_a_call_is_made_once_a_row(sql: duckdb.DuckDBPyConnection, engine: Recording, select: str, call: str) -> None:
    sql.execute(f"CREATE TABLE answers AS {select.format(call)}")
    assert sorted(engine.texts) == [f"text {number}" for number in range(10)]


@pytest.mark.parametrize(
    "given", [{1, 2}, object(), math.nan, math.inf, b"bytes", "half \ud83d a pair", {"a": ["\udc00"]}, ValueError("x")]
)
def test_an_answer_that_is_not_json_fails_only_its_own_row(given: Any) -> None:
    engine = Answering(lambda text, good: Answer(given) if text == "bad" else good)
    with connect_with_functions(engine) as connection:
        rows = connection.execute(
            f"SELECT AI_COMPLETE('m', x, {DETAILS}) FROM (VALUES ('bad'), ('good')) AS t(x)"
        ).fetchall()
    bad, good = (json.loads(row[0]) for row in rows)
    assert good == {"value": "plain words", "error": None}
    assert (bad["error"] is None) == isinstance(given, str | dict)  # half a pair is mended; the rest is refused
    assert "\ud83d" not in str(bad)


@hypothesis_settings(max_examples=30, deadline=None)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(exclude_categories=())),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
        max_leaves=8,
    )
)
def test_whatever_an_engine_answers_the_envelope_can_be_read(given: Any) -> None:
    with connect_with_functions(Answering(lambda text, good: Answer(given))) as connection:
        found = connection.execute(
            f"SELECT CAST(a AS JSON) ->> '$.value', CAST(a AS JSON) ->> '$.error' "
            f"FROM (SELECT AI_COMPLETE('m', 'x', {DETAILS}) AS a)"
        ).fetchall()
    assert len(found) == 1


@hypothesis_settings(max_examples=30, deadline=None)
@given(st.text(st.characters(exclude_categories=("Cs",))))
def test_a_text_reaches_the_engine_as_it_is(text: str) -> None:
    engine = Recording(Answering())
    with connect_with_functions(engine) as connection:
        connection.execute("SELECT AI_CLASSIFY(?, ['a'])", [text]).fetchall()
        connection.execute("SELECT AI_AGG(x, 'what?') FROM (SELECT ? AS x)", [text]).fetchall()
    assert engine.texts == [text]
    assert engine.groups == [[text] if text else []]


def test_an_engine_that_raises_fails_the_statement_and_says_why() -> None:
    def lost(text: str, good: Answer) -> Answer:
        raise ConnectionError("the endpoint is gone")

    with (
        connect_with_functions(Answering(lost)) as connection,
        pytest.raises(duckdb.Error, match="the endpoint is gone"),
    ):
        connection.execute("SELECT AI_CLASSIFY('x', ['a'])").fetchall()


def test_unsupported_arguments_are_refused(sql: duckdb.DuckDBPyConnection) -> None:
    # The fifth place is Snowflake's show_details, not the error details.
    with pytest.raises(duckdb.Error, match="show_details"):
        sql.execute(f"SELECT AI_COMPLETE('m', 'x', {{'temperature': 0}}, {SCHEMA}, TRUE)").fetchall()

"""The ``AI_*`` functions inside DuckDB: macros with Snowflake's names and arguments over Python functions on Arrow."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import duckdb
import pyarrow as pa
from duckdb.func import FunctionNullHandling, PythonUDFType

from hnintel.warehouse.engines.base import Answer, Engine, Label

# The optional arguments have Snowflake's names, so that one call text serves both. `config` may also be left out.
# An aggregate is a macro over list(); sorted, because AI_AGG promises no order and the engine must see always the same.
_MACROS = """
CREATE MACRO AI_CLASSIFY(input, categories, config := NULL, return_error_details := FALSE) AS
    _ai_shape(_ai_classify(input, _ai_json(categories), _ai_json(config)), return_error_details);
CREATE MACRO AI_COMPLETE(
    model, prompt, model_parameters := NULL, response_format := NULL, return_error_details := FALSE
) AS
    _ai_shape(_ai_complete(model, prompt, _ai_json(model_parameters), _ai_json(response_format)), return_error_details);
CREATE MACRO AI_AGG(expr, task_description) AS
    json_extract_string(_ai_aggregate(_ai_json(list_sort(list(expr))), task_description), '$.value');
CREATE MACRO AI_SUMMARIZE_AGG(expr) AS
    json_extract_string(_ai_aggregate(_ai_json(list_sort(list(expr))), NULL), '$.value');
CREATE MACRO AI_COUNT_TOKENS
    (function_name, input) AS _ai_count_tokens(CAST(input AS VARCHAR)),
    (function_name, model, input) AS _ai_count_tokens(CAST(input AS VARCHAR));
"""
# With details the whole envelope; without, its value, which is NULL where the row has an error.
_SHAPE = """
CREATE MACRO _ai_json(given) AS CAST(to_json(given) AS VARCHAR);
CREATE MACRO _ai_shape(envelope, details) AS
    CASE WHEN details THEN CAST(envelope AS JSON) ELSE json_extract(envelope, '$.value') END;
"""


@contextmanager
def connect_with_functions(engine: Engine) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection in memory that has the functions, answered by *engine*; closed at the end of the block."""
    connection = duckdb.connect(":memory:")
    try:
        _register(connection, engine)
        yield connection
    finally:
        connection.close()


def _register(connection: duckdb.DuckDBPyConnection, engine: Engine) -> None:
    def classify(inputs: pa.Array, categories: pa.Array, configs: pa.Array) -> pa.Array:
        def ask(texts: list[str | None], labels: str, config: str | None) -> list[Answer]:
            return engine.classify(texts, _labels(labels), _object(config))

        return _answered(inputs, ask, categories, configs)

    def complete(models: pa.Array, prompts: pa.Array, parameters: pa.Array, formats: pa.Array) -> pa.Array:
        def ask(texts: list[str | None], model: str, given: str | None, response: str | None) -> list[Answer]:
            return engine.complete(model, texts, _object(given), _object(response).get("schema"))

        return _answered(prompts, ask, models, parameters, formats)

    def aggregate(groups: pa.Array, tasks: pa.Array) -> pa.Array:
        pairs = zip(groups.to_pylist(), tasks.to_pylist(), strict=True)
        return _envelopes(
            engine.aggregate([text for text in json.loads(group or "[]") if text], task) for group, task in pairs
        )

    def count_tokens(inputs: pa.Array) -> pa.Array:
        counts = [None if text is None else engine.count_tokens(text) for text in inputs.to_pylist()]
        return pa.array(counts, pa.int64())

    functions: list[tuple[str, Callable[..., pa.Array], int, str]] = [
        ("_ai_classify", classify, 3, "VARCHAR"),
        ("_ai_complete", complete, 4, "VARCHAR"),
        ("_ai_aggregate", aggregate, 2, "VARCHAR"),
        ("_ai_count_tokens", count_tokens, 1, "BIGINT"),
    ]
    for name, function, arguments, returns in functions:
        # "special": NULL reaches the function, which answers it with an error of its own.
        connection.create_function(
            name,
            function,
            ["VARCHAR"] * arguments,
            returns,
            type=PythonUDFType.ARROW,
            null_handling=FunctionNullHandling.SPECIAL,
        )
    for macro in (_SHAPE + _MACROS).split(";"):
        if macro.strip():
            connection.execute(macro)


def _answered(texts: pa.Array, ask: Callable[..., list[Answer]], *arguments: pa.Array) -> pa.Array:
    """Ask once for all rows that share their other arguments; in a statement that is nearly always every row."""
    given = list(zip(*(argument.to_pylist() for argument in arguments), strict=True))
    asked = texts.to_pylist()
    answers: list[Answer] = [Answer(error="not asked")] * len(asked)
    for group in dict.fromkeys(given):
        rows = [row for row, own in enumerate(given) if own == group]
        for row, answer in zip(rows, ask([asked[row] for row in rows], *group), strict=True):
            answers[row] = answer
    return _envelopes(answers)


def _envelopes(answers: Any) -> pa.Array:
    return pa.array([json.dumps({"value": answer.value, "error": answer.error}) for answer in answers], pa.string())


def _labels(categories: str) -> list[Label]:
    labels = []
    for category in json.loads(categories):
        found = category if isinstance(category, Mapping) else {"label": category}
        labels.append(Label(str(found["label"]), str(found.get("description") or "")))
    return labels


def _object(text: str | None) -> dict[str, Any]:
    value = json.loads(text) if text else None
    return value if isinstance(value, dict) else {}

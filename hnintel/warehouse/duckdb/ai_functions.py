"""The ``AI_*`` functions inside DuckDB: macros with Snowflake's names and arguments over Python functions on Arrow."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial, wraps
from typing import Any

import duckdb
import pyarrow as pa
from duckdb.func import FunctionNullHandling, PythonUDFType

from hnintel.engines.base import Answer, AskingStopped, Engine, Label, Spent, Usage
from hnintel.errors import HnIntelError
from hnintel.warehouse.statements import statement, statements

#: DuckDB would download and run an extension for a file of another format, such as SQLite. The pipeline needs none. All
#: connections of one process to one file must use the same configuration: dbt/profiles.yml repeats it.
_WITHOUT_EXTENSIONS = {"autoinstall_known_extensions": False, "autoload_known_extensions": False}
#: Groups asked about at once; an engine may limit its requests further.
_GROUPS_AT_ONCE = 16


class Meter:
    """Counts the usage of one connection's AI functions: questions answered, and questions given up.

    ``most_tokens`` is the bound on the answers of the step that is running; None leaves it to the engine.
    """

    def __init__(self) -> None:
        self.most_tokens: int | None = None
        self._lock = threading.Lock()
        self._answered: dict[str, Spent] = {}
        self._given_up: dict[str, Spent] = {}

    def metered(self, function: str, ask: Callable[..., list[Answer]]) -> Callable[..., list[Answer]]:
        """*ask*, with its usage counted for *function*."""

        def asking(*arguments: Any) -> list[Answer]:
            try:
                answers = ask(*arguments)
            except AskingStopped as stopped:
                self._note(self._given_up, function, [stopped.spent])
                raise
            spent = [Spent(1, 0, answer.usage or Usage(is_counted=False)) for answer in answers if answer.lost is None]
            self._note(self._answered, function, spent)
            # All rows without an answer have the same error.
            lost = next((answer.lost for answer in answers if isinstance(answer.lost, AskingStopped)), None)
            self._note(self._given_up, function, [lost.spent] if lost else [])
            return answers

        return asking

    def unbooked(self, stored: int) -> dict[str, Spent]:
        """The usage by function that has no row to be booked with, after *stored* rows were stored with all answers."""
        totals = {function: Spent() for function in (*self._answered, *self._given_up)}
        for function, total in totals.items():
            given_up, answered = self._given_up.get(function, Spent()), self._answered.get(function, Spent())
            total.add(given_up.usage, given_up.calls, given_up.in_flight)
            if answered.calls > stored:
                share = (answered.calls - stored) / answered.calls
                read, wrote = round(answered.usage.input_tokens * share), round(answered.usage.output_tokens * share)
                total.add(Usage(read, wrote, is_counted=False), answered.calls - stored)
        return {function: total for function, total in totals.items() if total.calls}

    def _note(self, notes: dict[str, Spent], function: str, spent: Iterable[Spent]) -> None:
        with self._lock:
            total = notes.setdefault(function, Spent())
            for call in spent:
                total.add(call.usage, call.calls, call.in_flight)


def connect(database: str) -> duckdb.DuckDBPyConnection:
    """A connection to *database* that prints nothing, and that downloads and loads no extension.

    Where the main module has no file, as in a worker process of dask or in a notebook, DuckDB assumes a terminal and
    draws a progress bar on standard output, in the middle of the output of ``--json``.
    """
    try:
        connection = duckdb.connect(database, config=dict(_WITHOUT_EXTENSIONS))
    except duckdb.ConnectionException as error:
        if "different configuration" not in str(error):
            raise
        connection = duckdb.connect(database)  # the caller's own code has opened it, so it is a DuckDB file
    connection.execute("SET enable_progress_bar = false")
    return connection


@contextmanager
def connect_with_functions(
    engine: Engine, lost: list[HnIntelError] | None = None, meter: Meter | None = None
) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection in memory with the AI functions, answered by *engine*; closed at the end of the block.

    Args:
        engine: answers the functions.
        lost: if given, an engine that stops answering does not fail the statement: its error is appended here, rows
            without an answer are NULL, and no further row is asked about until the list is emptied.
        meter: counts the usage.

    Raises:
        HnIntelError: the engine's own error, instead of the DuckDB error that quotes it.
    """
    connection = connect(":memory:")
    raised: list[HnIntelError] = []
    try:
        _register(connection, engine, raised.append, lost, meter or Meter())
        yield connection
    except duckdb.Error:
        if raised:
            raise raised[0] from None
        raise
    finally:
        connection.close()


def _register(
    connection: duckdb.DuckDBPyConnection,
    engine: Engine,
    note_error: Callable[[HnIntelError], None],
    lost: list[HnIntelError] | None,
    meter: Meter,
) -> None:
    def classify(inputs: pa.Array, categories: pa.Array, configs: pa.Array) -> pa.Array:
        def ask(texts: list[str | None], labels: str | None, config: str | None) -> list[Answer]:
            categories = _labels(labels)
            if not categories:
                return [Answer(error="AI_CLASSIFY: no categories were given")] * len(texts)
            return engine.classify(texts, categories, _object(config))

        return _answered(inputs, meter.metered("AI_CLASSIFY", ask), lost, categories, configs)

    def complete(models: pa.Array, prompts: pa.Array, parameters: pa.Array, formats: pa.Array) -> pa.Array:
        def ask(texts: list[str | None], model: str | None, given: str | None, response: str | None) -> list[Answer]:
            if model is None:
                return [Answer(error="AI_COMPLETE: no model was given")] * len(texts)
            bounds = {} if meter.most_tokens is None else {"max_tokens": meter.most_tokens}
            return engine.complete(model, texts, bounds | _object(given), _object(response).get("schema"))

        return _answered(prompts, meter.metered("AI_COMPLETE", ask), lost, models, parameters, formats)

    def aggregate(groups: pa.Array, tasks: pa.Array) -> pa.Array:
        def ask(group: str | None, task: str | None) -> Answer:
            texts = [text for text in json.loads(group or "[]") if text]
            return _ask_group(meter.metered("AI_AGG", lambda: [engine.aggregate(texts, task)]), 1, lost)[0]

        # A group is a separate question: a group that waits for an endpoint must not delay the others.
        with ThreadPoolExecutor(_GROUPS_AT_ONCE, thread_name_prefix="ai-aggregate") as pool:
            return _envelopes(pool.map(ask, groups.to_pylist(), tasks.to_pylist()))

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
        # "special": NULL reaches the function, which returns an error of its own. "side effects": a call is paid for,
        # and the optimiser would call a pure function a second time for a filter above it.
        connection.create_function(
            name,
            _noting(function, note_error),
            ["VARCHAR"] * arguments,
            returns,
            type=PythonUDFType.ARROW,
            null_handling=FunctionNullHandling.SPECIAL,
            side_effects=True,
        )
    for macro in statements(statement("warehouse/duckdb/ai_functions")):
        connection.execute(macro)


def _noting(function: Callable[..., pa.Array], note: Callable[[HnIntelError], None]) -> Callable[..., pa.Array]:
    """*function*, with each error that fails the statement passed to *note*: DuckDB forwards only its message."""

    @wraps(function)
    def noting(*arguments: pa.Array) -> pa.Array:
        try:
            return function(*arguments)
        except HnIntelError as error:
            note(error)
            raise

    return noting


def _answered(
    texts: pa.Array, ask: Callable[..., list[Answer]], lost: list[HnIntelError] | None, *arguments: pa.Array
) -> pa.Array:
    """Ask once for all rows that share their other arguments; in a statement these are nearly always all rows.

    NULL is never asked about: it gets an error, and costs nothing.
    """
    inputs = texts.to_pylist()
    answers = [Answer(error="the input is NULL")] * len(inputs)
    groups: dict[tuple[str | None, ...], list[int]] = {}
    for row, given in enumerate(zip(*(argument.to_pylist() for argument in arguments), strict=True)):
        if inputs[row] is not None:
            groups.setdefault(given, []).append(row)
    for given, rows in groups.items():
        group = _ask_group(partial(ask, [inputs[row] for row in rows], *given), len(rows), lost)
        for row, answer in zip(rows, group, strict=True):
            answers[row] = answer
    return _envelopes(answers)


def _ask_group(ask: Callable[[], list[Answer]], count: int, lost: list[HnIntelError] | None) -> list[Answer]:
    """The *count* answers of *ask*; an error of the engine is appended to *lost*, and raised where *lost* is None."""
    if lost:
        return [Answer(lost=lost[0])] * count
    try:
        answers = ask()
        stopped = next((answer.lost for answer in answers if answer.lost is not None), None)
    except HnIntelError as error:
        answers, stopped = [Answer(lost=error)] * count, error
    if stopped is not None:
        if lost is None:
            raise stopped
        lost.append(stopped)
    return answers


def _envelopes(answers: Iterable[Answer]) -> pa.Array:
    return pa.array([None if answer.lost is not None else _envelope(answer) for answer in answers], pa.string())


def _envelope(answer: Answer) -> str:
    """*answer* as JSON that DuckDB can parse; other values become a row error, which does not fail the statement."""
    error = None if answer.error is None else str(answer.error)
    value = answer.value if error is None else None
    usage = {} if answer.usage is None else {"usage": _usage(answer.usage)}
    try:
        return _dump({"value": value, "error": error, **usage})
    except (TypeError, ValueError, RecursionError) as wrong:  # a set, NaN, a circle
        return _dump({"value": None, "error": f"the answer is no JSON ({type(wrong).__name__})", **usage})


def _usage(usage: Usage) -> dict[str, Any]:
    tokens = {"input_tokens": usage.input_tokens, "output_tokens": usage.output_tokens}
    return tokens if usage.is_counted else {**tokens, "estimated": True}


def _dump(envelope: Mapping[str, Any]) -> str:
    # DuckDB rejects the escape of half a surrogate pair, which would fail the whole statement.
    whole = json.dumps(envelope, ensure_ascii=False, allow_nan=False)
    return whole.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _labels(categories: str | None) -> list[Label]:
    labels = []
    for category in json.loads(categories or "null") or ():
        fields = category if isinstance(category, Mapping) else {"label": category}
        labels.append(Label(str(fields["label"]), str(fields.get("description") or "")))
    return labels


def _object(text: str | None) -> dict[str, Any]:
    value = json.loads(text) if text else None
    return value if isinstance(value, dict) else {}

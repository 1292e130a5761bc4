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

#: DuckDB would fetch an extension for a file of another kind, as of SQLite, and load its code. All that the pipeline
#: uses is in DuckDB itself. Connections of one process to one file must agree on this: dbt/profiles.yml has the same.
_WITHOUT_EXTENSIONS = {"autoinstall_known_extensions": False, "autoload_known_extensions": False}
#: Groups that are asked about at once; what answers bounds its own requests below that.
_GROUPS_AT_ONCE = 16


class Meter:
    """What the AI functions of one connection were asked: answers that came, and those that were given up."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._answered: dict[str, Spent] = {}
        self._given_up: dict[str, Spent] = {}

    def metered(self, function: str, ask: Callable[..., list[Answer]]) -> Callable[..., list[Answer]]:
        """*ask*, noted as questions to *function*."""

        def asking(*arguments: Any) -> list[Answer]:
            try:
                answers = ask(*arguments)
            except AskingStopped as stopped:
                self._note(self._given_up, function, [stopped.spent])
                raise
            came = [Spent(1, 0, one.usage or Usage(is_counted=False)) for one in answers if one.lost is None]
            self._note(self._answered, function, came)
            # Every row that was not answered has the same error.
            lost = next((one.lost for one in answers if isinstance(one.lost, AskingStopped)), None)
            self._note(self._given_up, function, [lost.spent] if lost else [])
            return answers

        return asking

    def unbooked(self, kept: int) -> dict[str, Spent]:
        """By function, what has no row to be booked with, where *kept* rows were handed over with all their answers."""
        found = {function: Spent() for function in (*self._answered, *self._given_up)}
        for function, total in found.items():
            given_up, came = self._given_up.get(function, Spent()), self._answered.get(function, Spent())
            total.add(given_up.usage, given_up.calls, given_up.in_flight)
            if came.calls > kept:
                share = (came.calls - kept) / came.calls
                read, wrote = round(came.usage.input_tokens * share), round(came.usage.output_tokens * share)
                total.add(Usage(read, wrote, is_counted=False), came.calls - kept)
        return {function: total for function, total in found.items() if total.calls}

    def _note(self, notes: dict[str, Spent], function: str, spent: Iterable[Spent]) -> None:
        with self._lock:
            total = notes.setdefault(function, Spent())
            for one in spent:
                total.add(one.usage, one.calls, one.in_flight)


def connect(database: str) -> duckdb.DuckDBPyConnection:
    """A connection to *database* that prints nothing, and that fetches and loads no extension.

    Where the main module has no file, as in a worker process of dask or in a notebook, DuckDB takes itself to be at a
    terminal and draws a progress bar on standard output, into the middle of what ``--json`` prints there.
    """
    try:
        connection = duckdb.connect(database, config=dict(_WITHOUT_EXTENSIONS))
    except duckdb.ConnectionException as error:
        if "different configuration" not in str(error):
            raise
        connection = duckdb.connect(database)  # the caller's own code has it open already, so it is a DuckDB file
    connection.execute("SET enable_progress_bar = false")
    return connection


@contextmanager
def connect_with_functions(
    engine: Engine, lost: list[HnIntelError] | None = None, meter: Meter | None = None
) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection in memory that has the functions, answered by *engine*; closed at the end of the block.

    Args:
        engine: that answers.
        lost: where it is given, an engine that goes away does not stop the statement: why it did is put here, rows that
            were not answered by then are NULL, and as long as it stands here no other is asked about.
        meter: that notes what is asked.

    Raises:
        HnIntelError: the engine's own error, as it raised it, in the place of DuckDB's words about it.
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
            found = _labels(labels)
            if not found:
                return [Answer(error="AI_CLASSIFY: no categories were given")] * len(texts)
            return engine.classify(texts, found, _object(config))

        return _answered(inputs, meter.metered("AI_CLASSIFY", ask), lost, categories, configs)

    def complete(models: pa.Array, prompts: pa.Array, parameters: pa.Array, formats: pa.Array) -> pa.Array:
        def ask(texts: list[str | None], model: str | None, given: str | None, response: str | None) -> list[Answer]:
            if model is None:
                return [Answer(error="AI_COMPLETE: no model was given")] * len(texts)
            return engine.complete(model, texts, _object(given), _object(response).get("schema"))

        return _answered(prompts, meter.metered("AI_COMPLETE", ask), lost, models, parameters, formats)

    def aggregate(groups: pa.Array, tasks: pa.Array) -> pa.Array:
        def ask(group: str | None, task: str | None) -> Answer:
            texts = [text for text in json.loads(group or "[]") if text]
            return _asked(meter.metered("AI_AGG", lambda: [engine.aggregate(texts, task)]), 1, lost)[0]

        # A group is a question by itself, and one that waits for an endpoint must not keep the others waiting.
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
        # "special": NULL reaches the function, which answers it with an error of its own. "side effects": a call is
        # paid for, so the optimiser must not make two of it, which it does of a pure one that a filter above it reads.
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
    """*function*, with the error that it stops the statement by noted: DuckDB hands on no more than its words."""

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
    """Ask once for all rows that share their other arguments; in a statement that is nearly always every row.

    NULL is no text to ask about: it gets an error, and is not paid for.
    """
    asked = texts.to_pylist()
    answers = [Answer(error="the input is NULL")] * len(asked)
    groups: dict[tuple[str | None, ...], list[int]] = {}
    for row, given in enumerate(zip(*(argument.to_pylist() for argument in arguments), strict=True)):
        if asked[row] is not None:
            groups.setdefault(given, []).append(row)
    for given, rows in groups.items():
        found = _asked(partial(ask, [asked[row] for row in rows], *given), len(rows), lost)
        for row, answer in zip(rows, found, strict=True):
            answers[row] = answer
    return _envelopes(answers)


def _asked(ask: Callable[[], list[Answer]], count: int, lost: list[HnIntelError] | None) -> list[Answer]:
    """The *count* answers that *ask* gives; what an engine that goes away leaves of them is for *lost* to say."""
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
    """*answer* as JSON that DuckDB can read; one that cannot be is a bad row, and must not sink those beside it."""
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
    # DuckDB refuses the escape of half a surrogate pair, and with it the whole statement.
    whole = json.dumps(envelope, ensure_ascii=False, allow_nan=False)
    return whole.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _labels(categories: str | None) -> list[Label]:
    labels = []
    for category in json.loads(categories or "null") or ():
        found = category if isinstance(category, Mapping) else {"label": category}
        labels.append(Label(str(found["label"]), str(found.get("description") or "")))
    return labels


def _object(text: str | None) -> dict[str, Any]:
    value = json.loads(text) if text else None
    return value if isinstance(value, dict) else {}

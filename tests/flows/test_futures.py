"""How an async flow calls a task: on which runner, with what result, and which error."""

from __future__ import annotations

import ast
import asyncio
import threading
from typing import Any

import pytest
from prefect import flow, task
from prefect.cache_policies import NO_CACHE
from prefect.task_runners import TaskRunner, ThreadPoolTaskRunner

from flows.futures import as_done, call, call_on
from tests.conftest import ROOT

pytestmark = pytest.mark.usefixtures("prefect_server")


@task(cache_policy=NO_CACHE)
def double(number: int, more: int = 0) -> int:
    if number < 0:
        raise ValueError("less than none")
    return 2 * number + more


def test_a_called_task_gives_its_result_or_its_error() -> None:
    @flow(persist_result=False)
    async def calling() -> list[int]:
        with pytest.raises(ValueError, match="less than none"):
            await call(double, -1)
        writer: TaskRunner[Any] = ThreadPoolTaskRunner(max_workers=1)  # type: ignore[assignment]
        with writer:
            with pytest.raises(ValueError, match="less than none"):
                await call_on(writer, double, -1)
            return [await call(double, 2, more=1), await call_on(writer, double, 3, more=1)]

    assert asyncio.run(calling()) == [5, 7]


def test_a_task_on_another_runner_does_not_wait_for_what_was_submitted_before() -> None:
    loaded = threading.Event()

    @task(cache_policy=NO_CACHE)
    def read(chunk: int) -> int:
        assert chunk == 0 or loaded.wait(30), "the load waited for all that was to be read"
        return chunk

    @task(cache_policy=NO_CACHE)
    def load(chunks: list[int]) -> int:
        loaded.set()
        return len(chunks)

    @flow(task_runner=ThreadPoolTaskRunner(max_workers=1), persist_result=False)  # type: ignore[arg-type]
    async def reading() -> int:
        done = 0
        writer: TaskRunner[Any] = ThreadPoolTaskRunner(max_workers=1)  # type: ignore[assignment]
        with writer:
            async for chunks in as_done(read.map([0, 1, 2])):
                done += await call_on(writer, load, chunks)
        return done

    assert asyncio.run(reading()) == 3


def test_no_async_flow_calls_a_task_in_another_way() -> None:
    """A thread of the event loop's own would be one of few, for as long as the task takes."""
    found = []
    for path in sorted((ROOT / "flows").glob("*.py")):
        if path.name in ("futures.py", "enrich.py"):
            continue
        tree = ast.parse(path.read_text(encoding="utf-8"))
        tasks = {
            alias.asname or alias.name
            for node in ast.walk(tree)
            if isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] == "tasks"
            for alias in node.names
        }
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "asyncio.to_thread":
                called = ast.unparse(node.args[0])
                if called.partition(".")[0] in tasks or ".submit" in called:
                    found.append(f"{path.name}:{node.lineno} {called}")
    assert found == []

"""Call a task from an async flow: submit it to a task runner and await its future.

:func:`call` is for a task, :func:`as_done` for the tasks of a ``map``, and :func:`flows.asking.await_answers` for a
task that asks AI. None of them blocks the event loop or the subflows beside the flow.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from typing import Any, ParamSpec, TypeVar

from prefect.futures import PrefectFuture
from prefect.task_runners import TaskRunner
from prefect.tasks import Task

P = ParamSpec("P")
T = TypeVar("T")


async def result(future: PrefectFuture[T]) -> T:
    """Return the result of a task without blocking the event loop; no thread waits while the task runs."""
    loop, done = asyncio.get_running_loop(), asyncio.Event()

    def wake(_: PrefectFuture[T]) -> None:
        with suppress(RuntimeError):  # the loop is closed: the run has ended
            loop.call_soon_threadsafe(done.set)

    future.add_done_callback(wake)
    await done.wait()
    return await asyncio.to_thread(future.result)


async def call(task: Task[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Run *task* on the task runner of the calling flow and return its result.

    Raises:
        Exception: the task's error, after its last retry.
    """
    return await result(task.submit(*args, **kwargs))


async def call_on(runner: TaskRunner[Any], task: Task[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Run *task* on *runner* instead: on the flow's runner it would wait behind every task submitted before."""
    parameters = inspect.signature(task.fn).bind(*args, **kwargs).arguments
    future: PrefectFuture[T] = runner.submit(task, parameters)
    return await result(future)


async def as_done(futures: Sequence[PrefectFuture[T]]) -> AsyncIterator[list[T]]:
    """Yield results in batches as tasks end, so that results are stored while other tasks still run."""
    waiting = {asyncio.ensure_future(result(future)) for future in futures}
    while waiting:
        done, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        yield [ended.result() for ended in done]

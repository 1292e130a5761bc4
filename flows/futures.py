"""How an async flow calls a task: it is submitted to a task runner, and its future is awaited.

:func:`call` is for a task, :func:`as_done` for the tasks of a ``map``, and :func:`flows.asking.asked` for a task that
asks AI. None holds up the event loop, nor what runs beside the flow.
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
    """The result of a task, without holding up the subflows beside it, nor a thread while it runs."""
    loop, done = asyncio.get_running_loop(), asyncio.Event()

    def tell(_: PrefectFuture[T]) -> None:
        with suppress(RuntimeError):  # the loop is closed: the run was ended, and nobody waits any more
            loop.call_soon_threadsafe(done.set)

    future.add_done_callback(tell)
    await done.wait()
    return await asyncio.to_thread(future.result)


async def call(task: Task[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Run *task* on the task runner of the calling flow; what it returns.

    Raises:
        Exception: what the task raised, once it is not tried again.
    """
    return await result(task.submit(*args, **kwargs))


async def call_on(runner: TaskRunner[Any], task: Task[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """The same on another runner: on the flow's, a task waits until everything that was submitted had its turn."""
    parameters = inspect.signature(task.fn).bind(*args, **kwargs).arguments
    future: PrefectFuture[T] = runner.submit(task, parameters)
    return await result(future)


async def as_done(futures: Sequence[PrefectFuture[T]]) -> AsyncIterator[list[T]]:
    """Results as they come, so that what was read is kept while the rest is still read; in batches."""
    waiting = {asyncio.ensure_future(result(future)) for future in futures}
    while waiting:
        done, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        yield [one.result() for one in done]

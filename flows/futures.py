"""Waiting for tasks without holding up the event loop, nor what runs beside it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from typing import ParamSpec, TypeVar, cast

from prefect.futures import PrefectFuture
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


async def beside(write: Task[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Run a task in a thread beside the runner's, where it would wait until everything submitted had its turn."""
    return await asyncio.to_thread(lambda: cast(T, write(*args, **kwargs)))


async def as_done(futures: Sequence[PrefectFuture[T]]) -> AsyncIterator[list[T]]:
    """Results as they come, so that what was read is kept while the rest is still read; in batches."""
    waiting = {asyncio.ensure_future(result(future)) for future in futures}
    while waiting:
        done, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        yield [one.result() for one in done]

"""Waiting for tasks that ask AI: where the wait is cancelled, the asking ends, and what was answered is kept first."""

from __future__ import annotations

from contextlib import suppress
from typing import TypeVar

from prefect.futures import PrefectFuture

from flows.futures import result
from hnintel.process import stopping

T = TypeVar("T")

#: Seconds for the answers of a chunk to be written once the asking was stopped; the file may be another process's.
_SETTLES_WITHIN = 30.0


async def asked(future: PrefectFuture[T]) -> T:
    """The result of a task that asks.

    A cancel is held up until the task has kept what was answered, so that no other run is let at the stage before.
    """
    try:
        with stopping.with_caller():
            return await result(future)
    except Exception:
        raise
    except BaseException:
        with suppress(Exception):  # it was cancelled before it began; that must not hide why
            future.wait(_SETTLES_WITHIN)
        raise

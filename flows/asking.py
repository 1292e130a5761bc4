"""Wait for a task that asks AI: a cancel stops its questions, after the answers so far are stored."""

from __future__ import annotations

from contextlib import suppress
from typing import TypeVar

from prefect.futures import PrefectFuture

from flows.futures import result
from hnintel.process import stopping

T = TypeVar("T")

#: Seconds in which a stopped task may write the answers of its chunk; another process may have the file open.
_SETTLES_WITHIN = 30.0


async def await_answers(future: PrefectFuture[T]) -> T:
    """Return the result of a task that asks AI.

    A cancel is raised only after the task has stored its answers, so that no other run starts the stage before then.
    """
    try:
        with stopping.with_caller():
            return await result(future)
    except Exception:  # the task ended, so its answers are stored
        raise
    except BaseException:  # a cancel or an interrupt, before the task has ended
        with suppress(Exception):  # the task may never have started; that must not hide the first error
            future.wait(_SETTLES_WITHIN)
        raise

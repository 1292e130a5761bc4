"""Which task results Prefect may keep (reads only, by what they mean), and which errors it may try again.

Writes are never cached: a cached write would be reported done for a warehouse that never saw it.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from prefect.cache_policies import NO_CACHE, CachePolicy
from prefect.client.schemas.objects import State, TaskRun
from prefect.context import TaskRunContext
from prefect.tasks import Task, exponential_backoff

from hnintel.errors import Unreachable
from hnintel.hashes import hash_of_values
from hnintel.ingest.articles import ArticleReading
from hnintel.ingest.scraping import Lost, Scraped
from hnintel.models import Article, Comment, Item
from hnintel.process import progress, stopping
from tasks.kept_results import ARTICLES, SCRAPED, KeptRecords, TypedJSON


def _shape(*classes: type) -> list[str]:
    """The fields of what a task gives back: where they change, all that was cached in the old shape is read anew."""
    return [f"{one.__name__}.{name}" for one in classes for name in getattr(one, "__annotations__", {})]


@dataclass
class ByMeaning(CachePolicy):
    """The key is what was asked for, in the words of ``meaning(inputs)``; not the code, not the other arguments."""

    namespace: str = ""
    meaning: Callable[[dict[str, Any]], Any] = repr
    gives: tuple[type, ...] = ()

    def compute_key(
        self, task_ctx: TaskRunContext, inputs: dict[str, Any], flow_parameters: dict[str, Any], **kwargs: Any
    ) -> str | None:
        """The cache key; the namespace keeps two tasks that ask for the same words apart."""
        asked_for = [_shape(*self.gives), self.meaning(inputs)]
        return f"{self.namespace}-{hash_of_values(asked_for, sort_keys=True, default=str)}"


ITEMS_BY_ID_AND_DAY = ByMeaning(
    namespace="items",
    meaning=lambda inputs: [inputs["identity"], inputs["day"], inputs["ids"]],
    gives=(Scraped, Lost, Item, Comment),
    key_storage=KeptRecords(serializer=SCRAPED),
)
ARTICLES_BY_URL_AND_DAY = ByMeaning(
    namespace="articles",
    meaning=lambda inputs: [inputs["identity"], inputs["day"], [(one.url, one.attempts) for one in inputs["wanted"]]],
    gives=(Article, ArticleReading),
    key_storage=KeptRecords(serializer=ARTICLES),
)


def kept(policy: ByMeaning) -> dict[str, Any]:
    """What the decorator of a task takes whose results are kept under *policy*: ``@task(..., **kept(POLICY))``."""
    assert isinstance(policy.key_storage, KeptRecords)  # noqa: S101 - else Prefect's own records would be read
    serializer: TypedJSON = policy.key_storage.serializer
    return {"cache_policy": policy, "persist_result": True, "result_serializer": serializer}


def may_pass(task: Task[..., Any], run: TaskRun, state: State[Any]) -> bool:
    """Whether a failed task is worth another try: only where the error says that it may go better in a while."""
    if stopping.is_stopping():
        return False
    error = state.data if isinstance(state.data, BaseException) else None
    if error is None:
        try:
            state.result()
        except BaseException as raised:
            error = raised
    return isinstance(error, Unreachable)


#: What a task's decorator takes that may be tried again in a while: ``@task(..., **TRIED_AGAIN)``.
TRIED_AGAIN: dict[str, Any] = {
    "cache_policy": NO_CACHE,
    "retries": 2,
    "retry_delay_seconds": exponential_backoff(5),
    "retry_jitter_factor": 0.5,
    "retry_condition_fn": may_pass,
}

#: The same for a task that asks: it waits by itself, in :func:`waiting_to_be_tried_again`, where a signal is heard.
ASKED_AGAIN: dict[str, Any] = {
    **TRIED_AGAIN,
    "retries": 3,
    "retry_delay_seconds": 0,
    "retry_jitter_factor": None,
}


@contextmanager
def waiting_to_be_tried_again(what: str) -> Iterator[None]:
    """Where the block fails of what may pass, wait before the error is told to Prefect, which tries again at once.

    Prefect's own delay is a sleep that nothing ends, so that a run went on for as long after a signal.

    Args:
        what: for the line that says so.

    Raises:
        Stopped: the run was to end while it waited.
    """
    try:
        yield
    except Unreachable as error:
        context = TaskRunContext.get()
        if context is not None and context.task_run.run_count <= context.task.retries:
            seconds = 5 * 2 ** max(0, context.task_run.run_count - 1) * random.uniform(0.75, 1.5)  # noqa: S311 - no secret
            progress.update(what, 0, note=f"{error}; it is tried again in {seconds:.0f} s")
            stopping.sleep(seconds)
        raise

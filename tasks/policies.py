"""Which task results Prefect may cache (reads only, keyed by meaning), and after which errors it may retry.

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
    """List the fields of a task's result: part of the key, so that results cached in an old shape are not used."""
    return [f"{of.__name__}.{name}" for of in classes for name in getattr(of, "__annotations__", {})]


@dataclass
class ByMeaning(CachePolicy):
    """The key is the hash of ``meaning(inputs)``; the code and other arguments do not count."""

    namespace: str = ""
    meaning: Callable[[dict[str, Any]], Any] = repr
    gives: tuple[type, ...] = ()

    def compute_key(
        self, task_ctx: TaskRunContext, inputs: dict[str, Any], flow_parameters: dict[str, Any], **kwargs: Any
    ) -> str | None:
        """Return the cache key; the namespace separates tasks with equal meanings."""
        parts = [_shape(*self.gives), self.meaning(inputs)]
        return f"{self.namespace}-{hash_of_values(parts, sort_keys=True, default=str)}"


ITEMS_BY_ID_AND_DAY = ByMeaning(
    namespace="items",
    meaning=lambda inputs: [inputs["identity"], inputs["day"], inputs["ids"]],
    gives=(Scraped, Lost, Item, Comment),
    key_storage=KeptRecords(serializer=SCRAPED),
)
ARTICLES_BY_URL_AND_DAY = ByMeaning(
    namespace="articles",
    meaning=lambda inputs: [inputs["identity"], inputs["day"], [(url.url, url.attempts) for url in inputs["wanted"]]],
    gives=(Article, ArticleReading),
    key_storage=KeptRecords(serializer=ARTICLES),
)


def kept(policy: ByMeaning) -> dict[str, Any]:
    """Return decorator arguments that store a task's results under *policy*: ``@task(..., **kept(POLICY))``."""
    assert isinstance(policy.key_storage, KeptRecords)  # noqa: S101 - else Prefect's own records would be read
    serializer: TypedJSON = policy.key_storage.serializer
    return {"cache_policy": policy, "persist_result": True, "result_serializer": serializer}


def may_pass(task: Task[..., Any], run: TaskRun, state: State[Any]) -> bool:
    """Whether to retry a failed task: only where its error is temporary (Unreachable) and the run is not stopping."""
    if stopping.is_stopping():
        return False
    error = state.data if isinstance(state.data, BaseException) else None
    if error is None:
        try:
            state.result()
        except BaseException as raised:
            error = raised
    return isinstance(error, Unreachable)


#: Decorator arguments of a task that is retried after a while: ``@task(..., **RETRIED)``.
RETRIED: dict[str, Any] = {
    "cache_policy": NO_CACHE,
    "retries": 2,
    "retry_delay_seconds": exponential_backoff(5),
    "retry_jitter_factor": 0.5,
    "retry_condition_fn": may_pass,
}

#: The same for a task that asks AI: it waits itself, in :func:`wait_before_retry`, where a signal ends the wait.
RETRIED_QUESTIONS: dict[str, Any] = {
    **RETRIED,
    "retries": 3,
    "retry_delay_seconds": 0,
    "retry_jitter_factor": None,
}


@contextmanager
def wait_before_retry(what: str) -> Iterator[None]:
    """Wait after a temporary error in the block, before raising it to Prefect, which then retries at once.

    Prefect's own delay is a sleep that a signal does not end, so that the run would continue until it is over.

    Args:
        what: the stage named in the progress line.

    Raises:
        Stopped: the run was stopped while it waited.
    """
    try:
        yield
    except Unreachable as error:
        context = TaskRunContext.get()
        if context is not None and context.task_run.run_count <= context.task.retries:
            seconds = 5 * 2 ** max(0, context.task_run.run_count - 1) * random.uniform(0.75, 1.5)  # noqa: S311 - no secret
            progress.update(what, 0, note=f"{error}; retrying in {seconds:.0f} s")
            stopping.sleep(seconds)
        raise

"""Which task results Prefect may keep (reads only, by what they mean), and which errors it may try again.

Writes are never cached: a cached write would be reported done for a warehouse that never saw it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from prefect.cache_policies import NO_CACHE, CachePolicy
from prefect.client.schemas.objects import State, TaskRun
from prefect.context import TaskRunContext
from prefect.tasks import Task, exponential_backoff

from hnintel.articles import ArticleReading
from hnintel.errors import Unreachable
from hnintel.ingest import Lost, Scraped
from hnintel.models import Article, Comment, Item
from tasks.kept import ARTICLES, SCRAPED, KeptRecords, TypedJSON


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
        told = json.dumps([_shape(*self.gives), self.meaning(inputs)], default=str, sort_keys=True)
        return f"{self.namespace}-{hashlib.md5(told.encode(), usedforsecurity=False).hexdigest()}"


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

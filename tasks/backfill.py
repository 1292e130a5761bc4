"""Save the plan and the outcome of a backfill as artifacts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from prefect import task
from prefect.artifacts import create_table_artifact
from prefect.cache_policies import NO_CACHE


@task(cache_policy=NO_CACHE, task_run_name="show {key}")
def show(key: str, rows: Sequence[dict[str, Any]], description: str) -> None:
    """Save *rows* as a table artifact."""
    create_table_artifact(list(rows), key=key, description=description)

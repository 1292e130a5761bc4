"""The task runner of the parent flow: threads of this process, or a Dask cluster."""

from __future__ import annotations

from typing import Any

from prefect.task_runners import TaskRunner, ThreadPoolTaskRunner
from pydantic import ValidationError

from hnintel.errors import UsageError
from hnintel.settings import Settings

#: No overrides: the settings of the environment.
_DEFAULTS: dict[str, Any] = {}


def task_runner() -> TaskRunner[Any]:
    """Return the task runner that the settings name; read once, on import, since the flow's decorator needs it.

    Raises:
        UsageError: the settings name Dask, and it is not installed.
    """
    try:
        settings = Settings(**_DEFAULTS)
    except (ValidationError, ValueError):  # load_settings reports it in one line as the run begins
        return _threads(Settings.model_fields["task_threads"].default)
    if settings.task_runner == "dask":
        return _dask(settings)
    return _threads(settings.task_threads)


def _threads(most: int) -> TaskRunner[Any]:
    # Each task has its own event loop with requests; more threads only compete for the interpreter.
    return ThreadPoolTaskRunner(max_workers=most)


def _dask(settings: Settings) -> TaskRunner[Any]:
    try:
        from prefect_dask import DaskTaskRunner  # type: ignore[attr-defined]  # it is not in its __all__
    except ImportError:
        raise UsageError(
            "HNINTEL_TASK_RUNNER=dask: Dask is not installed: pip install 'hn-intelligence[dask]'"
        ) from None
    if settings.dask_address:
        return DaskTaskRunner(address=settings.dask_address)
    # On this machine only, and ended with the flow. No dashboard: it would be another open port.
    local = {
        "n_workers": settings.dask_workers,
        "threads_per_worker": 1,
        "host": "127.0.0.1",
        "dashboard_address": None,
        "security": True,  # the cluster's own certificates: a connection without one could run code as this user
    }
    return DaskTaskRunner(cluster_kwargs=local)

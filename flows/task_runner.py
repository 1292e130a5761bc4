"""What the tasks of the parent flow run on: threads of this process, or a Dask cluster beyond it."""

from __future__ import annotations

from typing import Any

from prefect.task_runners import TaskRunner, ThreadPoolTaskRunner
from pydantic import ValidationError

from hnintel.errors import UsageError
from hnintel.settings import Settings

#: As the environment has them.
_DEFAULTS: dict[str, Any] = {}


def task_runner() -> TaskRunner[Any]:
    """The task runner that the settings name; a flow takes it where it is declared, so it is read once, on import.

    Raises:
        UsageError: Dask is wanted, and not installed.
    """
    try:
        settings = Settings(**_DEFAULTS)
    except (ValidationError, ValueError):  # told in one line by load_settings, with which every run begins
        return _threads(Settings.model_fields["task_threads"].default)
    if settings.task_runner == "dask":
        return _dask(settings)
    return _threads(settings.task_threads)


def _threads(most: int) -> TaskRunner[Any]:
    # Each task has an event loop with requests of its own; more threads take turns at the interpreter oftener than
    # they help.
    return ThreadPoolTaskRunner(max_workers=most)


def _dask(settings: Settings) -> TaskRunner[Any]:
    try:
        from prefect_dask import DaskTaskRunner  # type: ignore[attr-defined]  # it is not in its __all__
    except ImportError:
        raise UsageError("HNINTEL_TASK_RUNNER=dask: it is not installed: pip install 'hn-intelligence[dask]'") from None
    if settings.dask_address:
        return DaskTaskRunner(address=settings.dask_address)
    # Of this machine alone, and gone with the flow: its dashboard would be one more open port.
    local = {
        "n_workers": settings.dask_workers,
        "threads_per_worker": 1,
        "host": "127.0.0.1",
        "dashboard_address": None,
        "security": True,  # certificates of this cluster's own: who connects without one could run code as this user
    }
    return DaskTaskRunner(cluster_kwargs=local)

"""prefect-dbt's runner with the flow's own settings, and without messages where no text may go to Prefect.

Import it only to build the marts: loading dbt takes as long as loading all the rest. This module loads Prefect first,
so that Prefect sets up logging: dbt's tracker adds a handler for stderr to a root logger that has none, and then
Prefect does not add its own.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import prefect.main  # noqa: F401 - sets up logging

# isort: split
from dbt_common.events.base_types import EventMsg
from prefect.context import FlowRunContext, SettingsContext
from prefect_dbt import PrefectDbtRunner

#: Loggers of all flow runs and task runs.
_LOGGERS = ("prefect.flow_runs", "prefect.task_runs")


class DbtRunner(PrefectDbtRunner):  # type: ignore[misc]  # prefect-dbt ships no types
    """Passes the flow's settings and result store as objects to the task runs of dbt's nodes.

    Prefect passes them serialized, and every node rebuilt them: the settings twice, which took longer than the nodes,
    and the store by loading all of Prefect's collections, of which Snowflake's takes seconds.

    When dbt reports an error, prefect-dbt sets the run's logger to dbt's level and leaves it there: later lines of this
    run, and of any later run in the process, were not logged.
    """

    def invoke(self, *args: Any, **kwargs: Any) -> Any:
        """Invoke dbt as Prefect does, then restore the loggers' levels."""
        levels = {name: logging.getLogger(name).level for name in _LOGGERS}
        try:
            return super().invoke(*args, **kwargs)
        finally:
            for name, level in levels.items():
                logging.getLogger(name).setLevel(level)

    def _create_unified_callback(
        self, task_state: Any, log_level: Any, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> Callable[[EventMsg], None]:
        if current := SettingsContext.get():
            context = {**context, "settings_context": {"profile": current.profile, "settings": current.settings}}
        if flow := FlowRunContext.get():
            of_the_flow = {**context["flow_run_context"], "result_store": flow.result_store}
            context = {**context, "flow_run_context": of_the_flow}
        callback: Callable[[EventMsg], None] = super()._create_unified_callback(
            task_state, log_level, context, *args, **kwargs
        )
        return callback


class WordlessDbtRunner(DbtRunner):
    """Sends Prefect the names of dbt's events without messages: an error of the warehouse may quote a row."""

    @staticmethod
    def get_dbt_event_msg(event: EventMsg) -> str:
        """Return the event's name in place of its message, which is in dbt.log."""
        return f"dbt: {event.info.name}"

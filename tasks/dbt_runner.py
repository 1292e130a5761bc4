"""prefect-dbt's runner, with the flow's settings as they are, and without words where none may be told.

To be imported by who builds the marts, when it does: loading dbt takes as long as all the rest together. It loads
Prefect first, whose logging is then set up: dbt's tracker gives a root logger without a handler one that writes to
stderr, and Prefect leaves its own off where it finds that.
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

#: Of runs and of their tasks, whichever they are.
_LOGGERS = ("prefect.flow_runs", "prefect.task_runs")


class DbtRunner(PrefectDbtRunner):  # type: ignore[misc]  # prefect-dbt ships no types
    """Hands the task runs of dbt's nodes the settings and the result store of the flow as they are.

    Prefect hands them on in words, from which every node made them anew: the settings twice, which took longer than
    the nodes did, and the store by way of all of Prefect's collections, of which Snowflake's loads for seconds.

    Where dbt tells an error, prefect-dbt sets the logger of the run to dbt's level and leaves it so: what the run says
    of itself after that was not logged, nor that of any later run of the process.
    """

    def invoke(self, *args: Any, **kwargs: Any) -> Any:
        """As Prefect's, with the loggers left as they were."""
        levels = {name: logging.getLogger(name).level for name in _LOGGERS}
        try:
            return super().invoke(*args, **kwargs)
        finally:
            for name, level in levels.items():
                logging.getLogger(name).setLevel(level)

    def _create_unified_callback(
        self, task_state: Any, log_level: Any, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> Callable[[EventMsg], None]:
        if held := SettingsContext.get():
            context = {**context, "settings_context": {"profile": held.profile, "settings": held.settings}}
        if flow := FlowRunContext.get():
            of_the_flow = {**context["flow_run_context"], "result_store": flow.result_store}
            context = {**context, "flow_run_context": of_the_flow}
        callback: Callable[[EventMsg], None] = super()._create_unified_callback(
            task_state, log_level, context, *args, **kwargs
        )
        return callback


class WordlessDbtRunner(DbtRunner):
    """Tells Prefect which of dbt's events happened, and not its words: an error of the warehouse may quote a row."""

    @staticmethod
    def get_dbt_event_msg(event: EventMsg) -> str:
        """The event's name in place of its message; dbt.log has the rest."""
        return f"dbt: {event.info.name}"

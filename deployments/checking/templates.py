"""Checks the names that templates use: Prefect's server leaves unknown names empty, without an error."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

import jinja2
from jinja2 import meta, nodes
from pydantic import BaseModel

#: The beginnings of templates of steps, which Prefect fills in when deploying; templates of events are checked here.
_OTHERS = ("{{ $", "{{ prefect.")
_PARSER = jinja2.Environment(autoescape=True)  # templates are only parsed here


def wrong_in(text: str) -> Iterator[str]:
    """Yield the mistakes in the template *text* of an automation or a trigger."""
    if any(other in text for other in _OTHERS):
        return
    try:
        tree = _PARSER.parse(text)
    except jinja2.TemplateSyntaxError as error:
        yield f"not a template: {error.message}"
        return
    known = _given()
    for name in sorted(meta.find_undeclared_variables(tree) - known.keys()):
        yield f"'{name}' is not a name that templates have; they have {', '.join(known)}"
    for access in tree.find_all(nodes.Getattr):
        if not isinstance(access.node, nodes.Name):
            continue
        model = known.get(access.node.name)
        if model is not None and access.attr not in model.model_fields and not hasattr(model, access.attr):
            yield f"{access.node.name} has no '{access.attr}'; it has {', '.join(sorted(model.model_fields))}"


@cache
def _given() -> dict[str, type[BaseModel] | None]:
    """Return the names of a template with their models; None for a name that may have any attribute."""
    from prefect.server.events.schemas.automations import Automation, Firing
    from prefect.server.events.schemas.events import ReceivedEvent
    from prefect.server.schemas.core import Flow, TaskRun, WorkPool
    from prefect.server.schemas.responses import DeploymentResponse, FlowRunResponse, WorkQueueWithStatus

    return {
        "automation": Automation,
        "deployment": DeploymentResponse,
        "event": ReceivedEvent,
        "events": None,
        "firing": Firing,
        "firings": None,
        "flow": Flow,
        "flow_run": FlowRunResponse,
        "labels": None,
        "none": None,
        "task_run": TaskRun,
        "variables": None,
        "work_pool": WorkPool,
        "work_queue": WorkQueueWithStatus,
    }

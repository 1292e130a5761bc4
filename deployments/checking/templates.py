"""What templates take out of what Prefect gives them: its server leaves what is not there empty, and says nothing."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

import jinja2
from jinja2 import meta, nodes
from pydantic import BaseModel

#: What Prefect fills in by itself: of a run's template for steps, not of one for events.
_OTHERS = ("{{ $", "{{ prefect.")
_PARSER = jinja2.Environment(autoescape=True)  # nothing is made of them here


def wrong_in(text: str) -> Iterator[str]:
    """What is wrong with the template *text* of an automation or a trigger."""
    if any(other in text for other in _OTHERS):
        return
    try:
        tree = _PARSER.parse(text)
    except jinja2.TemplateSyntaxError as error:
        yield f"no template: {error.message}"
        return
    known = _given()
    for name in sorted(meta.find_undeclared_variables(tree) - known.keys()):
        yield f"there is no '{name}' to fill in; there is {', '.join(known)}"
    for taken in tree.find_all(nodes.Getattr):
        if not isinstance(taken.node, nodes.Name):
            continue
        model = known.get(taken.node.name)
        if model is not None and taken.attr not in model.model_fields and not hasattr(model, taken.attr):
            yield f"{taken.node.name} has no '{taken.attr}'; it has {', '.join(sorted(model.model_fields))}"


@cache
def _given() -> dict[str, type[BaseModel] | None]:
    """What a template may name, with what it is; None where that has whatever is asked of it."""
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

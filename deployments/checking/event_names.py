"""The events that triggers may wait for: our events that some code emits, and Prefect's own."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path

from hnintel.events import EVENTS
from tasks.events import MATCHED

ROOT = Path(__file__).resolve().parents[2]
#: The events of Prefect that arrive in time. A run's states may be delayed by fifteen minutes, so triggers wait only
#: for states that no process is left to announce: of a run whose process was killed, or that gives no sign of life.
OF_PREFECT = frozenset(
    {
        "prefect.flow-run.Crashed",
        "prefect.flow-run.heartbeat",
        "prefect.flow-run.*",
        "prefect.automation.triggered",
        "prefect.automation.action.executed",
        "prefect.automation.action.failed",
        "prefect.asset.materialization.succeeded",
        "prefect.asset.materialization.failed",
        "prefect.work-pool.not-ready",
        "prefect.work-pool.ready",
    }
)
#: The labels of our events' resources; see tasks/events.py.
LABELS = ("prefect.resource.id", "prefect.resource.name", *(f"hn.{field}" for field in MATCHED))
#: The values of the labels that are also fields of the payload.
_VALUES = {"hn.continue_by": ("parent", "event"), "hn.recent": ("true", "false")}


def why_not(name: str) -> str | None:
    """Return why an event *name* never arrives; None if it does."""
    if name in OF_PREFECT:
        return None
    if name.startswith("prefect."):
        return f"{name} is not one of Prefect's events that may be waited for: {', '.join(sorted(OF_PREFECT))}"
    if name not in EVENTS:
        return f"no code emits {name}; the events are {', '.join(EVENTS)}"
    if not EVENTS[name].by_hand and EVENTS[name].__name__ not in _announced():
        return f"no code emits {name}: no code creates a {EVENTS[name].__name__}"
    return None


def without(names: Sequence[str], field: str) -> list[str]:
    """Return those of our events *names* whose payload has no *field*."""
    return [name for name in names if name in EVENTS and field not in EVENTS[name].model_fields]


def never_matches(names: Sequence[str], label: str, pattern: str) -> str | None:
    """Return why no resource of our events *names* has a *label* that matches *pattern*; None if it can match."""
    for name in (event for event in names if event in EVENTS):
        if label not in LABELS:
            return f"the resource of {name} has no '{label}'; it has {', '.join(LABELS)}"
        if label in _VALUES and (
            label.removeprefix("hn.") not in EVENTS[name].model_fields or pattern not in _VALUES[label]
        ):
            return f"{name} never has {label}={pattern}"
        begins, prefix = EVENTS[name].resource.partition("{")[0], pattern.lstrip("!").rstrip("*")
        if label == "prefect.resource.id" and not (begins.startswith(prefix) or prefix.startswith(begins)):
            return f"the resource of {name} begins with '{begins}', which '{pattern}' does not match"
    return None


@cache
def _announced() -> frozenset[str]:
    """Return the names of all classes and functions that the pipeline calls."""
    return frozenset(
        name
        for package in ("flows", "tasks", "hnintel")
        for path in sorted((ROOT / package).rglob("*.py"))
        if path.name != "events.py" or package != "hnintel"
        for name in _called(ast.parse(path.read_text(encoding="utf-8")))
    )


def _called(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            if isinstance(node.func, ast.Name):
                yield node.func.id
            elif isinstance(node.func, ast.Attribute):
                yield node.func.attr

"""Which events there are to wait for: ours that some code really announces, and Prefect's own."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path

from hnintel.events import EVENTS
from tasks.events import MATCHED

ROOT = Path(__file__).resolve().parents[2]
#: Of Prefect's own, those that are not told late. A run's states may be held back for fifteen minutes, so only what
#: nobody is left to announce is waited for there: a run whose process was killed, or that gives no sign of life.
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
#: What the resource of one of ours says of it; see tasks/events.py.
LABELS = ("prefect.resource.id", "prefect.resource.name", *(f"hn.{field}" for field in MATCHED))
#: What those that are fields of the payload too may be.
_VALUES = {"hn.continue_by": ("parent", "event"), "hn.recent": ("true", "false")}


def why_not(name: str) -> str | None:
    """Why an event *name* never comes; None where it does."""
    if name in OF_PREFECT:
        return None
    if name.startswith("prefect."):
        return f"{name} is not one of Prefect's events that may be waited for: {', '.join(sorted(OF_PREFECT))}"
    if name not in EVENTS:
        return f"nobody emits {name}; there is {', '.join(EVENTS)}"
    if not EVENTS[name].by_hand and EVENTS[name].__name__ not in _announced():
        return f"nobody emits {name}: no code makes a {EVENTS[name].__name__}"
    return None


def without(names: Sequence[str], field: str) -> list[str]:
    """Those of our events *names* that have no *field* in their payload."""
    return [name for name in names if name in EVENTS and field not in EVENTS[name].model_fields]


def never_matches(names: Sequence[str], label: str, pattern: str) -> str | None:
    """Why no resource of the events *names*, where they are ours, has *label* as *pattern* wants it."""
    for name in (one for one in names if one in EVENTS):
        if label not in LABELS:
            return f"the resource of {name} has no '{label}'; it has {', '.join(LABELS)}"
        if label in _VALUES and (
            label.removeprefix("hn.") not in EVENTS[name].model_fields or pattern not in _VALUES[label]
        ):
            return f"{name} never has {label}={pattern}"
        begins, wanted = EVENTS[name].resource.partition("{")[0], pattern.lstrip("!").rstrip("*")
        if label == "prefect.resource.id" and not (begins.startswith(wanted) or wanted.startswith(begins)):
            return f"the resource of {name} begins with '{begins}', which '{pattern}' does not match"
    return None


@cache
def _announced() -> frozenset[str]:
    """The names of classes that are made somewhere in the pipeline."""
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

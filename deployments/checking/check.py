"""Check prefect.yaml and automations.yaml against the code: ``python deployments/checking/check.py``.

A part of ``make check``. Prefect itself ignores misspelt keys, and reports other mistakes only when a run starts.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

if __package__ in (None, ""):  # run as a script: the folder of this file gives way to the root of the checkout
    sys.path[0] = str(Path(__file__).resolve().parents[2])

import argparse
import inspect
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from importlib import import_module
from typing import Any, TypeVar, get_type_hints

from pydantic import BaseModel, TypeAdapter, ValidationError

from deployments.checking import event_names, templates
from deployments.checking.yaml_lines import Document, Place, Problem, read
from deployments.provisioning.models import AutomationsFile, Deployment, EventTrigger, PrefectFile
from deployments.provisioning.resources import BLOCKS, VARIABLES
from hnintel.enrich.declaration import load_enrichments
from hnintel.errors import UsageError, first_line
from hnintel.partitions import graph
from hnintel.partitions.stage import load_stages

ROOT = Path(__file__).resolve().parents[2]
AUTOMATIONS = ROOT / "deployments" / "automations.yaml"

_TEMPLATE = re.compile(r"\{\{\s*(.*?)\s*\}\}")
#: An expression with an operator, where a filter at the end would apply to its last operand alone.
_LOOSE = re.compile(r"\{\{(?!\s*\().*\s(or|and|if|~|\+)\s.*\}\}")
_PAYLOAD = re.compile(r"event\.payload\.(\w+)")

Model = TypeVar("Model", bound=BaseModel)


def prefect_files() -> list[Path]:
    """Return prefect.yaml, and the files in ``deployments`` for other platforms."""
    return [ROOT / "prefect.yaml", *sorted((ROOT / "deployments").glob("prefect.*.yaml"))]


def check_deployments(path: Path, environ: Mapping[str, str]) -> list[Problem]:
    """Return the problems of a prefect.yaml: keys, flows and their parameters, events, variables."""
    document, problems = read(path)
    if document is None:
        return problems
    checked, wrong = _validated(document, PrefectFile)
    problems += [*wrong, *_unset(document, environ)]
    if checked is None:
        return problems
    problems += _steps(document, (), checked.build, checked.push, checked.pull)
    flows = [_flow(deployment.entrypoint) for deployment in checked.deployments]
    names = {
        f"{flow.name}/{deployment.name}"
        for deployment, flow in zip(checked.deployments, flows, strict=True)
        if _is_flow(flow)
    }
    for number, deployment in enumerate(checked.deployments):
        place = ("deployments", number)
        problems += _deployment(document, place, deployment, flows[number], names)
        problems += _steps(document, place, deployment.build, deployment.push, deployment.pull)
        for which, trigger in enumerate(deployment.triggers):
            problems += _events(document, (*place, "triggers", which), trigger)
    return problems


def check_automations(path: Path, environ: Mapping[str, str]) -> list[Problem]:
    """Return the problems of an automations.yaml: keys, events, and the event fields that its templates use."""
    document, problems = read(path)
    if document is None:
        return problems
    checked, wrong = _validated(document, AutomationsFile)
    problems += [*wrong, *_unset(document, environ)]
    for number, automation in enumerate(checked.automations if checked else []):
        place = ("automations", number)
        problems += _events(document, (*place, "trigger"), automation.trigger)
        for key in ("subject", "body"):
            problems += _fields(document, (*place, key), automation.trigger.expect, getattr(automation, key))
    for number, ending in enumerate(checked.endings if checked else []):
        problems += _events(document, ("endings", number, "trigger"), ending.trigger)
    return problems


def _validated(document: Document, model: type[Model]) -> tuple[Model | None, list[Problem]]:
    try:
        return model.model_validate(document.data), []
    except ValidationError as error:
        return None, [document.problem(detail["loc"], _describe(detail)) for detail in error.errors()]


def _describe(error: Any) -> str:
    name = ".".join(str(step) for step in error["loc"]) or "the file"
    if error["type"] == "extra_forbidden":
        return f"'{error['loc'][-1]}' is not known here (of {'.'.join(map(str, error['loc'][:-1])) or 'the file'})"
    return f"{name}: {error['msg'].removeprefix('Value error, ')}"


def _unset(document: Document, environ: Mapping[str, str]) -> Iterator[Problem]:
    """Yield the templates that deploying cannot fill in; the server fills in those of an event."""
    for place, text in document.texts():
        for named in _TEMPLATE.findall(text):
            if named.startswith("$") and named[1:] not in environ:
                yield document.problem(place, f"{{{{ {named} }}}} is not set: export {named[1:]}")
            kind, _, name = named.removeprefix("prefect.").partition(".")
            known = {"variables": VARIABLES, "blocks": BLOCKS}.get(kind) if named.startswith("prefect.") else None
            if known is not None and name not in known:
                yield document.problem(place, f"{{{{ {named} }}}}: provision.py does not create it")


def _flow(entrypoint: str) -> Any:
    """Return the object of an entrypoint, or the exception of importing it."""
    file, _, function = entrypoint.partition(":")
    try:
        return getattr(import_module(file.removesuffix(".py").replace("/", ".")), function)
    except Exception as error:  # the worker would fail with any of them too
        return error


def _is_flow(loaded: Any) -> bool:
    from prefect import Flow

    return isinstance(loaded, Flow)


def _deployment(
    document: Document, place: Place, deployment: Deployment, flow: Any, names: Set[str]
) -> Iterator[Problem]:
    if isinstance(flow, Exception):
        message = f"{deployment.entrypoint} cannot be imported: {first_line(flow, 200)}"
        yield document.problem((*place, "entrypoint"), message)
        return
    if not _is_flow(flow):
        yield document.problem((*place, "entrypoint"), f"{deployment.entrypoint} is not a flow")
        return
    takes = flow.parameters.properties
    for where, parameters in [((*place, "parameters"), deployment.parameters), *_own(place, deployment)]:
        for name in parameters.keys() - takes.keys():
            known = ", ".join(takes) or "none"
            yield document.problem((*where, name), f"{deployment.entrypoint} has no parameter '{name}'; it has {known}")
    yield from _values(document, place, deployment, flow, names)


def _values(document: Document, place: Place, deployment: Deployment, flow: Any, names: Set[str]) -> Iterator[Problem]:
    """Yield parameters with wrong values, and schedules and triggers without a parameter that the flow requires."""
    required = set(flow.parameters.required or [])
    for where, parameters in _own(place, deployment):
        for name in sorted(required - deployment.parameters.keys() - parameters.keys()):
            yield document.problem(where, f"a run that it starts has no '{name}', which the flow requires")
    kinds = get_type_hints(flow.fn, include_extras=True)
    for where, parameters in [((*place, "parameters"), deployment.parameters), *_own(place, deployment)]:
        for name, value in parameters.items():
            if name not in kinds or "{{" in str(value):
                continue
            if not _fits(kinds[name], value):
                yield document.problem(
                    (*where, name), f"{value!r} is not a value for '{name}' of {deployment.entrypoint}"
                )
            elif message := _names_nothing(name, value, names):
                yield document.problem((*where, name), message)


def _names_nothing(parameter: str, value: Any, deployments: Set[str]) -> str | None:
    """Return why a parameter names no deployment or stages; None if it does, or is another parameter."""
    if parameter == "deployment" and value not in deployments:
        return f"{value!r} is not a deployment of this file; it has {', '.join(sorted(deployments))}"
    if parameter == "stages":
        try:
            graph.choose(graph.ordered(load_stages(load_enrichments())), value)
        except UsageError as error:
            return str(error)
    return None


def _own(place: Place, deployment: Deployment) -> Iterator[tuple[Place, Mapping[str, Any]]]:
    """Yield the parameters of each schedule and trigger, which add to those of the deployment."""
    for at, schedule in enumerate(deployment.schedules):
        yield (*place, "schedules", at, "parameters"), schedule.parameters
    for at, trigger in enumerate(deployment.triggers):
        yield (*place, "triggers", at, "parameters"), trigger.parameters


def _fits(kind: Any, value: object) -> bool:
    try:
        TypeAdapter(kind).validate_python(value)
    except ValidationError:
        return False
    return True


def _events(document: Document, place: Place, trigger: EventTrigger) -> Iterator[Problem]:
    for key in ("expect", "after"):
        for number, name in enumerate(getattr(trigger, key)):
            if message := event_names.why_not(name):
                yield document.problem((*place, key, number), message)
    for label, patterns in trigger.match.items():
        for pattern in [patterns] if isinstance(patterns, str) else patterns:
            if message := event_names.never_matches(trigger.expect, label, pattern):
                yield document.problem((*place, "match", label), message)
    for name, value in getattr(trigger, "parameters", {}).items():
        if isinstance(value, str):
            where = (*place, "parameters", name)
            yield from _fields(document, where, trigger.expect, value)
            if _LOOSE.fullmatch(value.strip()):
                yield document.problem(where, f"put {value} in parentheses: Prefect appends `| tojson`")


def _fields(document: Document, place: Place, expected: Sequence[str], text: str) -> Iterator[Problem]:
    """Yield the fields in *text* that the payload of an event does not have, and other mistakes of a template."""
    for field in _PAYLOAD.findall(text):
        for name in event_names.without(expected, field):
            yield document.problem(place, f"{name} has no '{field}' in its payload (docs/reference/events.md)")
    for message in templates.wrong_in(text):
        yield document.problem(place, message)


def _steps(document: Document, place: Place, *groups: Sequence[Mapping[str, Any]] | None) -> Iterator[Problem]:
    """Yield Prefect's steps that do not exist, or do not have the given parameters."""
    for key, steps in zip(("build", "push", "pull"), groups, strict=True):
        for number, step in enumerate(steps or []):
            for name, given in step.items():
                where = (*place, key, number, name)
                if not name.startswith("prefect."):
                    continue  # of a package that the image has, and that need not be installed here
                module, _, function = name.rpartition(".")
                step_function = getattr(import_module(module), function, None)
                if step_function is None:
                    yield document.problem(where, f"no step is named {name}")
                    continue
                takes = {*inspect.signature(step_function).parameters, "id", "requires"}
                for unknown in sorted(given.keys() - takes):
                    yield document.problem((*where, unknown), f"{name} has no parameter '{unknown}'")


def problems(environ: Mapping[str, str]) -> Iterable[Problem]:
    """Return the problems of all files."""
    for path in prefect_files():
        yield from check_deployments(path, environ)
    yield from check_automations(AUTOMATIONS, environ)


def main(argv: Sequence[str] = ()) -> int:
    """Print a line for each problem; return 2 if there are problems, else 0."""
    argparse.ArgumentParser(
        prog="python deployments/checking/check.py",
        description="Check prefect.yaml, its siblings and the automations; one line a problem, exit code 2 if any.",
        epilog="Example: python deployments/checking/check.py",
    ).parse_args(argv)
    listed = sorted(problems(os.environ), key=lambda problem: (str(problem.path), problem.line))
    for problem in listed:
        print(f"{problem.path.relative_to(ROOT)}:{problem.line}: {problem.told}", file=sys.stderr)
    return 2 if listed else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))

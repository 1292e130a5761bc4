"""Hold prefect.yaml and automations.yaml to the code: ``python deployments/checking/check.py``, part of ``make check``.

Prefect itself takes a misspelt key for none, and finds out about the rest when a run should start.
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
#: One expression with an operator, of which a filter behind it would take the last part alone.
_LOOSE = re.compile(r"\{\{(?!\s*\().*\s(or|and|if|~|\+)\s.*\}\}")
_PAYLOAD = re.compile(r"event\.payload\.(\w+)")

Model = TypeVar("Model", bound=BaseModel)


def prefect_files() -> list[Path]:
    """prefect.yaml, and those beside this file for other platforms."""
    return [ROOT / "prefect.yaml", *sorted((ROOT / "deployments").glob("prefect.*.yaml"))]


def check_deployments(path: Path, environ: Mapping[str, str]) -> list[Problem]:
    """What is wrong with a prefect.yaml: its keys, its flows and their parameters, its events, its variables."""
    document, problems = read(path)
    if document is None:
        return problems
    held, wrong = _held(document, PrefectFile)
    problems += [*wrong, *_unset(document, environ)]
    if held is None:
        return problems
    problems += _steps(document, (), held.build, held.push, held.pull)
    flows = [_flow(one.entrypoint) for one in held.deployments]
    names = {f"{flow.name}/{one.name}" for one, flow in zip(held.deployments, flows, strict=True) if _is_flow(flow)}
    for number, one in enumerate(held.deployments):
        place = ("deployments", number)
        problems += _deployment(document, place, one, flows[number], names)
        problems += _steps(document, place, one.build, one.push, one.pull)
        for which, trigger in enumerate(one.triggers):
            problems += _events(document, (*place, "triggers", which), trigger)
    return problems


def check_automations(path: Path, environ: Mapping[str, str]) -> list[Problem]:
    """What is wrong with an automations.yaml: its keys, its events, and what its words take out of them."""
    document, problems = read(path)
    if document is None:
        return problems
    held, wrong = _held(document, AutomationsFile)
    problems += [*wrong, *_unset(document, environ)]
    for number, one in enumerate(held.automations if held else []):
        place = ("automations", number)
        problems += _events(document, (*place, "trigger"), one.trigger)
        for key in ("subject", "body"):
            problems += _fields(document, (*place, key), one.trigger.expect, getattr(one, key))
    for number, ending in enumerate(held.endings if held else []):
        problems += _events(document, ("endings", number, "trigger"), ending.trigger)
    return problems


def _held(document: Document, model: type[Model]) -> tuple[Model | None, list[Problem]]:
    try:
        return model.model_validate(document.data), []
    except ValidationError as error:
        return None, [document.problem(one["loc"], _told(one)) for one in error.errors()]


def _told(error: Any) -> str:
    name = ".".join(str(step) for step in error["loc"]) or "the file"
    if error["type"] == "extra_forbidden":
        return f"'{error['loc'][-1]}' is not known here (of {'.'.join(map(str, error['loc'][:-1])) or 'the file'})"
    return f"{name}: {error['msg'].removeprefix('Value error, ')}"


def _unset(document: Document, environ: Mapping[str, str]) -> Iterator[Problem]:
    """Templates that nothing fills in when it is deployed; those over an event are filled in by the server."""
    for place, text in document.texts():
        for named in _TEMPLATE.findall(text):
            if named.startswith("$") and named[1:] not in environ:
                yield document.problem(place, f"{{{{ {named} }}}} is not set: export {named[1:]}")
            kind, _, name = named.removeprefix("prefect.").partition(".")
            known = {"variables": VARIABLES, "blocks": BLOCKS}.get(kind) if named.startswith("prefect.") else None
            if known is not None and name not in known:
                yield document.problem(place, f"{{{{ {named} }}}}: provision.py makes no such thing")


def _flow(entrypoint: str) -> Any:
    """What an entrypoint names, or why it cannot be imported."""
    file, _, function = entrypoint.partition(":")
    try:
        return getattr(import_module(file.removesuffix(".py").replace("/", ".")), function)
    except Exception as error:  # whatever importing it raises, it would raise in the worker too
        return error


def _is_flow(found: Any) -> bool:
    from prefect import Flow

    return isinstance(found, Flow)


def _deployment(document: Document, place: Place, one: Deployment, flow: Any, names: Set[str]) -> Iterator[Problem]:
    if isinstance(flow, Exception):
        told = f"{one.entrypoint} cannot be imported: {first_line(flow, 200)}"
        yield document.problem((*place, "entrypoint"), told)
        return
    if not _is_flow(flow):
        yield document.problem((*place, "entrypoint"), f"{one.entrypoint} is no flow")
        return
    takes = flow.parameters.properties
    for where, parameters in [((*place, "parameters"), one.parameters), *_own(place, one)]:
        for name in parameters.keys() - takes.keys():
            there = ", ".join(takes) or "none"
            yield document.problem((*where, name), f"{one.entrypoint} has no parameter '{name}'; it has {there}")
    yield from _values(document, place, one, flow, names)


def _values(document: Document, place: Place, one: Deployment, flow: Any, names: Set[str]) -> Iterator[Problem]:
    """Parameters whose value does not fit, and starts by themselves that leave out what the flow must have."""
    required = set(flow.parameters.required or [])
    for where, parameters in _own(place, one):
        for name in sorted(required - one.parameters.keys() - parameters.keys()):
            yield document.problem(where, f"a run that it starts has no '{name}', which the flow must have")
    kinds = get_type_hints(flow.fn, include_extras=True)
    for where, parameters in [((*place, "parameters"), one.parameters), *_own(place, one)]:
        for name, value in parameters.items():
            if name not in kinds or "{{" in str(value):
                continue
            if not _fits(kinds[name], value):
                yield document.problem((*where, name), f"{value!r} is no value for '{name}' of {one.entrypoint}")
            elif told := _names_nothing(name, value, names):
                yield document.problem((*where, name), told)


def _names_nothing(parameter: str, value: Any, deployments: Set[str]) -> str | None:
    """Why a parameter that names stages or a deployment names none; None where it does, or is no such parameter."""
    if parameter == "deployment" and value not in deployments:
        return f"{value!r} is no deployment of this file; it has {', '.join(sorted(deployments))}"
    if parameter == "stages":
        try:
            graph.choose(graph.ordered(load_stages(load_enrichments())), value)
        except UsageError as error:
            return str(error)
    return None


def _own(place: Place, one: Deployment) -> Iterator[tuple[Place, Mapping[str, Any]]]:
    """The parameters of what starts a run by itself, beside those that all its runs have."""
    for at, schedule in enumerate(one.schedules):
        yield (*place, "schedules", at, "parameters"), schedule.parameters
    for at, trigger in enumerate(one.triggers):
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
            if told := event_names.why_not(name):
                yield document.problem((*place, key, number), told)
    for label, wanted in trigger.match.items():
        for pattern in [wanted] if isinstance(wanted, str) else wanted:
            if told := event_names.never_matches(trigger.expect, label, pattern):
                yield document.problem((*place, "match", label), told)
    for name, value in getattr(trigger, "parameters", {}).items():
        if isinstance(value, str):
            where = (*place, "parameters", name)
            yield from _fields(document, where, trigger.expect, value)
            if _LOOSE.fullmatch(value.strip()):
                yield document.problem(where, f"put {value} in parentheses: Prefect sets `| tojson` behind it")


def _fields(document: Document, place: Place, expected: Sequence[str], text: str) -> Iterator[Problem]:
    """What *text* takes out of the payload of an event that has no such field, or out of what is not there at all."""
    for field in _PAYLOAD.findall(text):
        for name in event_names.without(expected, field):
            yield document.problem(place, f"{name} has no '{field}' in its payload (docs/reference/events.md)")
    for told in templates.wrong_in(text):
        yield document.problem(place, told)


def _steps(document: Document, place: Place, *groups: Sequence[Mapping[str, Any]] | None) -> Iterator[Problem]:
    """Steps of Prefect's own that are not there, or do not take what they are given."""
    for key, steps in zip(("build", "push", "pull"), groups, strict=True):
        for number, step in enumerate(steps or []):
            for name, given in step.items():
                where = (*place, key, number, name)
                if not name.startswith("prefect."):
                    continue  # of a package that the image is built with, and that need not be here
                module, _, function = name.rpartition(".")
                found = getattr(import_module(module), function, None)
                if found is None:
                    yield document.problem(where, f"there is no step {name}")
                    continue
                takes = {*inspect.signature(found).parameters, "id", "requires"}
                for unknown in sorted(given.keys() - takes):
                    yield document.problem((*where, unknown), f"{name} takes no '{unknown}'")


def problems(environ: Mapping[str, str]) -> Iterable[Problem]:
    """Of all the files there are."""
    for path in prefect_files():
        yield from check_deployments(path, environ)
    yield from check_automations(AUTOMATIONS, environ)


def main(argv: Sequence[str] = ()) -> int:
    """One line a problem; 2 where there is one."""
    argparse.ArgumentParser(
        prog="python deployments/checking/check.py",
        description="Check prefect.yaml, its siblings and the automations; one line a problem, exit code 2 if any.",
        epilog="Example: python deployments/checking/check.py",
    ).parse_args(argv)
    found = sorted(problems(os.environ), key=lambda one: (str(one.path), one.line))
    for one in found:
        print(f"{one.path.relative_to(ROOT)}:{one.line}: {one.told}", file=sys.stderr)
    return 2 if found else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))

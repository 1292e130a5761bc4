"""``python -m hnintel settings``: all settings, with their values in force."""

from __future__ import annotations

import inspect
import json
import re
import sys
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import typer
from pydantic import SecretStr
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings

from hnintel.errors import UsageError
from hnintel.settings import Settings, is_secret, load_settings, variable

_NAMES: dict[Any, str] = {str: "text", int: "integer", float: "number", bool: "true or false"}


def settings(
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON array of name, group, type, default, value and doc.")
    ] = False,
) -> None:
    """List every setting with its variable, type, default, description and value in force."""
    wrong: UsageError | None = None
    try:
        in_force: Settings | None = load_settings()
    except UsageError as error:
        wrong, in_force = error, None
    groups = _groups()
    listed: list[dict[str, str | None]] = [
        {**describe(name, field), "group": groups[name], "value": _value(name, in_force)}
        for name, field in Settings.model_fields.items()
    ]
    if as_json:
        print(json.dumps(listed))
    else:
        for group in dict.fromkeys(groups.values()):
            print(f"# {group}\n")
            for entry in (entry for entry in listed if entry["group"] == group):
                print(f"{entry['name']}  ({entry['type']}; default: {entry['default']})\n    {entry['doc']}")
                print(f"    in force: {entry['value']}" if in_force else "    in force: unknown")
            print()
    sys.stdout.flush()  # before the error on stderr
    if wrong:
        raise wrong


def _groups() -> dict[str, str]:
    """Return the group of each setting: the comment above the group in the source."""
    groups: dict[str, str] = {}
    for kind in reversed(Settings.__mro__):
        if kind is not Settings and not (issubclass(kind, BaseSettings) and kind is not BaseSettings):
            continue
        group = "Snowflake" if kind is not Settings else ""
        for line in inspect.getsource(kind).splitlines():
            if heading := re.fullmatch(r"    # ([A-Z][\w ]+)", line):
                group = heading[1]
            elif (field := re.match(r"    (\w+): ", line)) and field[1] in Settings.model_fields:
                groups[field[1]] = group
    return groups


def _value(name: str, in_force: Settings | None) -> str | None:
    """Return a value in words, or only whether it is set if it may be secret; None if the settings are invalid."""
    if in_force is None:
        return None
    value = getattr(in_force, name)
    if is_secret(name):
        return "set" if value is not None and name in in_force.model_fields_set else "not set"
    return _in_words(value)


def _in_words(value: Any) -> str:
    return "none" if value is None else json.dumps(value) if isinstance(value, tuple) else str(value)


def describe(name: str, field: FieldInfo) -> dict[str, str]:
    """Return ``name`` (of the variable), ``type``, ``default`` and ``doc`` of a setting, in words."""
    default = field.get_default(call_default_factory=True)
    return {
        "name": variable(name),
        "type": type_name(field.annotation),
        "default": _in_words(default),
        "doc": field.description or "",
    }


def type_name(annotation: Any) -> str:
    """Return a Python annotation in words; a variable has a list as JSON."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return type_name(arguments[0])
    if origin is Literal:
        return " or ".join(map(str, arguments))
    if origin in (Union, UnionType):
        return " or ".join(type_name(argument) for argument in arguments if argument is not NoneType)
    if origin is tuple:
        return f"JSON list of {type_name(arguments[0])}"
    if annotation is SecretStr:
        return "text, never shown"
    return _NAMES.get(annotation) or getattr(annotation, "__name__", str(annotation)).lower()

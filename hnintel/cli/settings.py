"""``python -m hnintel settings``: every setting there is."""

from __future__ import annotations

import json
import sys
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import typer
from pydantic import SecretStr
from pydantic.fields import FieldInfo

from hnintel.settings import Settings, load_settings, variable

_NAMES: dict[Any, str] = {str: "text", int: "integer", float: "number", bool: "true or false"}


def settings(
    as_json: Annotated[bool, typer.Option("--json", help="One JSON array of name, type, default and doc.")] = False,
) -> None:
    """List every setting: its variable, type, default and use. Ends with an error where one is set wrongly."""
    listed = [describe(name, field) for name, field in Settings.model_fields.items()]
    if as_json:
        print(json.dumps(listed))
    else:
        for one in listed:
            print(f"{one['name']}  ({one['type']}; default: {one['default']})\n    {one['doc']}")
    sys.stdout.flush()  # before what is wrong with those that are set, which is told on stderr
    load_settings()


def describe(name: str, field: FieldInfo) -> dict[str, str]:
    """A setting in words: ``name`` (of its variable), ``type``, ``default``, ``doc``."""
    default = field.get_default(call_default_factory=True)
    return {
        "name": variable(name),
        "type": type_name(field.annotation),
        "default": "none" if default is None else json.dumps(default) if isinstance(default, tuple) else str(default),
        "doc": field.description or "",
    }


def type_name(annotation: Any) -> str:
    """A Python annotation as a person would say it; a list is written as JSON in its variable."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return type_name(arguments[0])
    if origin is Literal:
        return " or ".join(map(str, arguments))
    if origin in (Union, UnionType):
        return " or ".join(type_name(one) for one in arguments if one is not NoneType)
    if origin is tuple:
        return f"JSON list of {type_name(arguments[0])}"
    if annotation is SecretStr:
        return "text, never shown"
    return _NAMES.get(annotation) or getattr(annotation, "__name__", str(annotation)).lower()

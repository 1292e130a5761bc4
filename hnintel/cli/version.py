"""``hnintel version``: the version of this project, of Python, and of what the results depend on."""

from __future__ import annotations

import json
import platform
from importlib.metadata import PackageNotFoundError, version
from typing import Annotated

import typer

NAME = "hn-intelligence"
#: Packages whose version a bug report needs.
_NAMED = ("prefect", "dbt-core", "duckdb", "snowflake-connector-python")


def own_version() -> str:
    """The version that is installed; ``unknown`` in a checkout that is not installed."""
    return _version(NAME)


def show_version(
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout.")] = False,
) -> None:
    """Show the versions of this project, of Python and of the main packages."""
    versions = {NAME: own_version(), "python": platform.python_version()} | {name: _version(name) for name in _NAMED}
    if as_json:
        print(json.dumps(versions))
        return
    for name, number in versions.items():
        print(f"{name} {number}")


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "unknown"

"""The page on the command line, from the commands as they are declared."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from typer.main import get_command

from flows.local.console import NAME, app
from hnintel.cli.exit_codes import EXIT_CODES

PAGE = Path(__file__).resolve().parent.parent / "docs" / "reference" / "command-line.md"

_HEAD = """\
# Command line

Written by `python deployments/reference.py` from the commands as they are declared; do not edit.

`hnintel` is installed with the project; `python -m hnintel` is the same command. Scripts of a checkout run the same
code with the same options: `python flows/main.py` is `hnintel run`, `python flows/backfill.py` is `hnintel backfill`,
and so on for `reconcile`, `watch`, `spotlight`, `checks` and `billing` (`hnintel bill`).

- With `--json`, stdout is one JSON document and nothing else; progress, notes and errors go to stderr.
- A mistake is one line on stderr, which begins with `error:`.
- A day is `YYYY-MM-DD`, `today` or `yesterday`, by the calendar of `HNINTEL_TIME_ZONE`. A range also takes a week
  (`2026-W43`) or a month (`2026-10`).
- `hnintel --install-completion` makes the shell complete commands and options.
"""


def page() -> str:
    """The whole page."""
    codes = ["## Exit codes", "", "| code | meaning |", "| --- | --- |"]
    codes += [f"| {code} | {meaning} |" for code, meaning in EXIT_CODES.items()]
    sections = ["\n".join(_section(name, command)) for name, command in commands(NAME, get_command(app))]
    return "\n\n".join([_HEAD.rstrip(), "\n".join(codes), *sections]) + "\n"


def commands(name: str, command: Any) -> Iterator[tuple[str, Any]]:
    """Every command that runs something, with its whole name."""
    if hasattr(command, "commands"):
        for sub_name, sub in command.commands.items():
            yield from commands(f"{name} {sub_name}", sub)
    else:
        yield name, command


def _section(name: str, command: Any) -> Iterator[str]:
    yield from (f"## {name}", "", " ".join(inspect.cleandoc(command.help).split()), "")
    yield from ("```", command.epilog.removeprefix("Example: "), "```")
    if command.params:
        yield from ("", "| option | |", "| --- | --- |")
    for one in command.params:
        names = ", ".join(f"`{word}`" for word in one.opts) if one.param_type_name == "option" else f"`{one.metavar}`"
        yield f"| {names} | {' '.join((one.help or '').split())}{_default(one)} |"


def _default(one: Any) -> str:
    is_told = isinstance(one.default, str | int) and not isinstance(one.default, bool)
    return f" Default: {one.default}." if is_told else ""

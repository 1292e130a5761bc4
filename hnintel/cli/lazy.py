"""Commands of a typer application that are imported when they run, or when the help lists them."""

from __future__ import annotations

from collections.abc import ItemsView, Iterable, Iterator, KeysView, ValuesView
from importlib import import_module
from typing import Any, NamedTuple

import typer
from typer.core import TyperGroup
from typer.main import get_group


class Command(NamedTuple):
    """A command as the help lists it.

    Attributes:
        name: its name on the command line.
        place: where it is defined, ``module:name``: a function, or the application of its sub-commands.
        panel: the part of the help that lists it.
        example: a line for the help; empty: the ``EXAMPLE`` of the module.
    """

    name: str
    place: str
    panel: str
    example: str = ""


def example(line: str) -> str:
    """Return the last line of a command's help."""
    return f"Example: {line}"


class LazyCommands(dict[str, Any]):
    """Commands by name, each imported at its first use."""

    def __init__(self, commands: Iterable[Command]) -> None:
        """Import none of *commands* yet."""
        super().__init__()
        self._declared = {command.name: command for command in commands}

    def __missing__(self, name: str) -> Any:
        self[name] = command = _import(self._declared[name])
        return command

    def get(self, name: str, default: Any = None) -> Any:
        """The command of that name."""
        return self[name] if name in self._declared else default

    def __contains__(self, name: object) -> bool:
        return name in self._declared

    def __iter__(self) -> Iterator[str]:
        return iter(self._declared)

    def __len__(self) -> int:
        return len(self._declared)

    def keys(self) -> KeysView[str]:  # type: ignore[override]  # of another mapping than dict's own
        """The names, in the order of the help."""
        return self._declared.keys()

    def values(self) -> ValuesView[Any]:  # type: ignore[override]  # see keys
        """Every command."""
        return {name: self[name] for name in self._declared}.values()

    def items(self) -> ItemsView[str, Any]:  # type: ignore[override]  # see keys
        """Every command with its name."""
        return {name: self[name] for name in self._declared}.items()


def group_of(commands: Iterable[Command]) -> type[TyperGroup]:
    """A class of group whose commands are *commands*."""
    declared = tuple(commands)

    class LazyGroup(TyperGroup):
        def __init__(self, **attributes: Any) -> None:
            super().__init__(**attributes)
            self.commands = LazyCommands(declared)

    return LazyGroup


def _import(command: Command) -> Any:
    path, _, attribute = command.place.partition(":")
    module = import_module(path)
    run = getattr(module, attribute)
    epilog = example(command.example or module.EXAMPLE)
    within = typer.Typer()
    within.callback()(lambda: None)
    if isinstance(run, typer.Typer):
        within.add_typer(run, name=command.name, rich_help_panel=command.panel, epilog=epilog)
    else:
        within.command(command.name, rich_help_panel=command.panel, epilog=epilog)(run)
    return get_group(within).commands[command.name]

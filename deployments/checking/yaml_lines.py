"""YAML with the line of every value, so that a problem can be reported with its line."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

#: The path of a value: the keys and list positions that lead to it.
Place = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Problem:
    """A problem of a file, and its line (from 1)."""

    path: Path
    line: int
    told: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.told}"


@dataclass(frozen=True, slots=True)
class Document:
    """The data of a file, with anchors and merges resolved, and the line of each value."""

    path: Path
    data: Any
    lines: dict[Place, int]

    def problem(self, place: Place, message: str) -> Problem:
        """Return a problem with the line of the value at *place*, or of its nearest parent in the file."""
        known: Place = ()
        for step in place:  # a path of pydantic may also name a member of a union
            if (*known, step) in self.lines:
                known = (*known, step)
        return Problem(self.path, self.lines.get(known, 1), message)

    def texts(self) -> Iterator[tuple[Place, str]]:
        """Yield every string in the data, with its place."""
        yield from _texts(self.data, ())


def read(path: Path) -> tuple[Document | None, list[Problem]]:
    """Load the file at *path*, with its problems as YAML: of a duplicate key, YAML silently uses the last value.

    The document is None where the file is not YAML.
    """
    loader = yaml.SafeLoader(path.read_text(encoding="utf-8"))
    try:
        node = loader.get_single_node() or yaml.ScalarNode("tag:yaml.org,2002:null", "")
        problems = [Problem(path, line, message) for line, message in _doubled(node)]
        lines: dict[Place, int] = {}
        _note_lines(loader, node, (), lines)
        return Document(path, loader.construct_document(node), lines), problems
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        return None, [Problem(path, line, f"not YAML: {error.problem}")]
    finally:
        loader.dispose()


def _doubled(node: yaml.Node) -> Iterator[tuple[int, str]]:
    if isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, value in node.value:
            if key.value in seen and key.tag != "tag:yaml.org,2002:merge":
                yield key.start_mark.line + 1, f"'{key.value}' is given twice: the first value would be lost"
            seen.add(key.value)
            yield from _doubled(value)
    elif isinstance(node, yaml.SequenceNode):
        for value in node.value:
            yield from _doubled(value)


def _note_lines(loader: yaml.SafeLoader, node: yaml.Node, place: Place, lines: dict[Place, int]) -> None:
    if isinstance(node, yaml.MappingNode):
        loader.flatten_mapping(node)
        for key, value in node.value:
            child = (*place, key.value)
            lines[child] = key.start_mark.line + 1
            _note_lines(loader, value, child, lines)
    elif isinstance(node, yaml.SequenceNode):
        for number, value in enumerate(node.value):
            lines[*place, number] = value.start_mark.line + 1
            _note_lines(loader, value, (*place, number), lines)


def _texts(value: object, place: Place) -> Iterator[tuple[Place, str]]:
    if isinstance(value, str):
        yield place, value
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from _texts(inner, (*place, key))
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from _texts(inner, (*place, number))

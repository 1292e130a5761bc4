"""YAML with the line of every value, so that what is wrong with a file can be told where it is wrong."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

#: Where a value lies: the keys and places that lead to it.
Place = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong, and the line (from 1) that says it."""

    path: Path
    line: int
    told: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.told}"


@dataclass(frozen=True, slots=True)
class Document:
    """What a file says, anchors and merges resolved, and where it says it."""

    path: Path
    data: Any
    lines: dict[Place, int]

    def problem(self, place: Place, told: str) -> Problem:
        """*told* of the value at *place*, or of the nearest that there is on the way to it."""
        known: Place = ()
        for step in place:  # a place of pydantic's may name a member of a union on its way
            if (*known, step) in self.lines:
                known = (*known, step)
        return Problem(self.path, self.lines.get(known, 1), told)

    def texts(self) -> Iterator[tuple[Place, str]]:
        """Every text in it, with its place."""
        yield from _texts(self.data, ())


def read(path: Path) -> tuple[Document | None, list[Problem]]:
    """The file at *path*, and what is wrong with it as YAML: a key that is given twice would count once, in silence.

    Where it is no YAML at all there is no document.
    """
    loader = yaml.SafeLoader(path.read_text(encoding="utf-8"))
    try:
        node = loader.get_single_node() or yaml.ScalarNode("tag:yaml.org,2002:null", "")
        problems = [Problem(path, line, told) for line, told in _doubled(node)]
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
                yield key.start_mark.line + 1, f"'{key.value}' is given twice: the first would be lost"
            seen.add(key.value)
            yield from _doubled(value)
    elif isinstance(node, yaml.SequenceNode):
        for value in node.value:
            yield from _doubled(value)


def _note_lines(loader: yaml.SafeLoader, node: yaml.Node, place: Place, lines: dict[Place, int]) -> None:
    if isinstance(node, yaml.MappingNode):
        loader.flatten_mapping(node)
        for key, value in node.value:
            there = (*place, key.value)
            lines[there] = key.start_mark.line + 1
            _note_lines(loader, value, there, lines)
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

"""Labelled sets: texts with the answers that a person gives, a JSON line for each text with its columns."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from hnintel.enrich.declaration import Column, Enrichment
from hnintel.errors import UsageError, did_you_mean
from hnintel.hashes import hash_of_text

#: The right value of a column: a label, names, or None where the column is nullable.
Expected = str | tuple[str, ...] | None


@dataclass(frozen=True, slots=True)
class Example:
    """A text and the right values of its columns.

    Args:
        text: the text as a model reads it.
        expected: the right values by column.
        aside: names in the text that belong to no column; answering them is neither right nor wrong.
        where: file and line, for errors.
    """

    text: str
    expected: Mapping[str, Expected]
    aside: tuple[str, ...] = ()
    where: str = ""


@dataclass(frozen=True)
class LabelledSet:
    """Labelled texts under a name. The set scores every enrichment that has a column of the set."""

    name: str
    examples: tuple[Example, ...]

    @cached_property
    def columns(self) -> tuple[str, ...]:
        """The labelled columns, in order of first appearance."""
        return tuple(dict.fromkeys(column for example in self.examples for column in example.expected))

    @cached_property
    def keys(self) -> tuple[str, ...]:
        """A key for every example, computed from its text alone, by which a comparison finds shared rows."""
        met: Counter[str] = Counter()
        named = []
        for example in self.examples:
            key = _digest(example.text)
            met[key] += 1
            named.append(key if met[key] == 1 else f"{key}-{met[key]}")
        return tuple(named)

    def sample(self, limit: int | None) -> LabelledSet:
        """Return at most *limit* examples, always the same, with labels in the proportions of the set."""
        if limit is None or limit >= len(self.examples):
            return self
        strata: dict[object, list[Example]] = {}
        for example in sorted(self.examples, key=lambda example: _digest(example.text)):
            strata.setdefault(_stratum(example), []).append(example)
        # The position of each example in its stratum, from 0 to 1: a prefix in this order is proportional.
        placed = [
            ((place + 0.5) / len(members), _digest(member.text), member)
            for members in strata.values()
            for place, member in enumerate(members)
        ]
        chosen = {id(example) for _, _, example in sorted(placed, key=lambda entry: entry[:2])[:limit]}
        return LabelledSet(self.name, tuple(example for example in self.examples if id(example) in chosen))

    def judged_columns(self, enrichment: Enrichment) -> list[Column]:
        """Return the columns of *enrichment* that this set labels; empty where it labels none of them.

        Raises:
            UsageError: a label is not a value of its column, or a column cannot be scored at all.
        """
        columns = [column for column in enrichment.columns if column.name in self.columns]
        for column in columns:
            if not column.one_of and column.kind != "list":
                raise UsageError(
                    f"set {self.name} labels {enrichment.name}.{column.name}, which cannot be scored: "
                    "label columns with one_of, or of list[str]"
                )
            for example in self.examples:
                _check(example, column, enrichment.name)
        return columns


def read_set(path: Path) -> LabelledSet:
    """Load the set of a JSON-lines file; it has the file's name.

    Raises:
        UsageError: the file cannot be read, is empty, or a line is not ``{"text": ..., "<column>": ...}``.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").split("\n")
    except (OSError, UnicodeError) as error:
        raise UsageError(f"{path} cannot be read as a labelled set: {getattr(error, 'strerror', error)}") from None
    examples = tuple(
        _example(line, f"{path.name}:{number}") for number, line in enumerate(lines, start=1) if line.strip()
    )
    if not examples:
        raise UsageError(f"{path} has no labelled text: write a line for each, {_SHAPE}")
    return LabelledSet(path.stem, examples)


def read_folder(folder: Path) -> list[LabelledSet]:
    """Load the sets of a folder's ``*.jsonl``, by name."""
    return [read_set(path) for path in sorted(folder.glob("*.jsonl"))]


_SHAPE = '{"text": "...", "<column>": "<label>" or ["<name>", ...]}'


def _example(line: str, where: str) -> Example:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError):
        raise UsageError(f"{where}: the line is not JSON: {_SHAPE}") from None
    if not isinstance(row, dict) or not isinstance(row.get("text"), str) or not row["text"].strip():
        raise UsageError(f"{where}: the line has no text: {_SHAPE}")
    if not _is_unicode(json.dumps(row, ensure_ascii=False)):
        raise UsageError(f"{where}: a text has half of a surrogate pair: write the character itself")
    labels = {name: _expected(name, value, where) for name, value in row.items() if name != "text"}
    if not labels:
        raise UsageError(f"{where}: the line has no label: {_SHAPE}")
    return Example(row["text"], labels, where=where)


def _expected(name: str, value: Any, where: str) -> Expected:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, list) and all(isinstance(entry, str) for entry in value):
        return tuple(value)
    raise UsageError(f"{where}: {name} is neither a text nor a list of texts: {_SHAPE}")


def _check(example: Example, column: Column, enrichment: str) -> None:
    if column.name not in example.expected:
        return
    expected = example.expected[column.name]
    if expected is None:
        if not column.nullable:
            raise UsageError(
                f"{example.where}: {column.name} is null, but enrichment {enrichment} allows no null there"
            )
        return
    if isinstance(expected, str) != bool(column.one_of):
        wants = "one label" if column.one_of else "a list of names"
        raise UsageError(f"{example.where}: {column.name} needs {wants}, as enrichment {enrichment} declares it")
    if column.one_of and expected not in column.one_of:
        raise UsageError(
            f"{example.where}: {column.name} '{expected}' is none of enrichment {enrichment}'s: "
            f"{', '.join(column.one_of)}"
        )


def _stratum(example: Example) -> object:
    """Return the values whose proportions a sample preserves: labels, and whether lists are empty."""
    return tuple(
        sorted((name, bool(value) if isinstance(value, tuple) else value) for name, value in example.expected.items())
    )


def _is_unicode(text: str) -> bool:
    try:
        return bool(text.encode())
    except UnicodeEncodeError:
        return False


def _digest(text: str) -> str:
    return hash_of_text(text)[:16]


def chosen_sets(sets: Sequence[LabelledSet], names: Sequence[str]) -> Iterator[LabelledSet]:
    """Yield the *sets* with the given names, or all sets without names.

    Raises:
        UsageError: no set has one of the names.
    """
    by_name = {labelled.name: labelled for labelled in sets}
    for name in names:
        if name not in by_name:
            known = f"{', '.join(by_name) or 'none'}{did_you_mean(name, by_name)}"
            raise UsageError(f"no labelled set is named '{name}'; the sets are {known}")
    yield from (labelled for labelled in sets if not names or labelled.name in names)

"""Labelled sets: texts, and what a person says the answer is. One JSON line a text, its columns beside it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from hnintel.enrich.declaration import Column, Enrichment
from hnintel.errors import UsageError
from hnintel.hashes import hash_of_text

#: What one column of a text should be: a label, names, or nothing where the column is nullable.
Expected = str | tuple[str, ...] | None


@dataclass(frozen=True, slots=True)
class Example:
    """One text and what its columns should be.

    Args:
        text: as a model is given it.
        expected: by column.
        aside: names that are there but belong to no column; who answers them is neither right nor wrong.
        where: file and line, for errors.
    """

    text: str
    expected: Mapping[str, Expected]
    aside: tuple[str, ...] = ()
    where: str = ""


@dataclass(frozen=True)
class LabelledSet:
    """Labelled texts under a name. It judges every enrichment that has one of its columns."""

    name: str
    examples: tuple[Example, ...]

    @cached_property
    def columns(self) -> tuple[str, ...]:
        """The columns that are labelled, in the order they are first met."""
        return tuple(dict.fromkeys(column for example in self.examples for column in example.expected))

    @cached_property
    def keys(self) -> tuple[str, ...]:
        """A name for every example, from its text alone, so that two results tell which rows they share."""
        met: Counter[str] = Counter()
        named = []
        for example in self.examples:
            key = _digest(example.text)
            met[key] += 1
            named.append(key if met[key] == 1 else f"{key}-{met[key]}")
        return tuple(named)

    def sample(self, limit: int | None) -> LabelledSet:
        """At most *limit* examples, always the same, labels in the proportions they have in the set."""
        if limit is None or limit >= len(self.examples):
            return self
        strata: dict[object, list[Example]] = {}
        for example in sorted(self.examples, key=lambda one: _digest(one.text)):
            strata.setdefault(_stratum(example), []).append(example)
        # The place of each in its stratum, from 0 to 1: the first so many by it are proportional.
        placed = [
            ((place + 0.5) / len(members), _digest(one.text), one)
            for members in strata.values()
            for place, one in enumerate(members)
        ]
        chosen = {id(one) for _, _, one in sorted(placed, key=lambda entry: entry[:2])[:limit]}
        return LabelledSet(self.name, tuple(one for one in self.examples if id(one) in chosen))

    def judged_columns(self, enrichment: Enrichment) -> list[Column]:
        """The columns of *enrichment* that this set can judge; none where it is about other things.

        Raises:
            UsageError: a label is none of a column's values, or a column cannot be scored at all.
        """
        found = [column for column in enrichment.columns if column.name in self.columns]
        for column in found:
            if not column.one_of and column.kind != "list":
                raise UsageError(
                    f"set {self.name} labels {enrichment.name}.{column.name}, which cannot be scored: "
                    "label columns with one_of, or of list[str]"
                )
            for example in self.examples:
                _check(example, column, enrichment.name)
        return found


def read_set(path: Path) -> LabelledSet:
    """Load the set of a JSON-lines file; it has the file's name.

    Raises:
        UsageError: the file cannot be read, is empty, or a line is no ``{"text": ..., "<column>": ...}``.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").split("\n")
    except (OSError, UnicodeError) as error:
        raise UsageError(f"{path} cannot be read as a labelled set: {getattr(error, 'strerror', error)}") from None
    examples = tuple(
        _example(line, f"{path.name}:{number}") for number, line in enumerate(lines, start=1) if line.strip()
    )
    if not examples:
        raise UsageError(f"{path} has no labelled text: a line each, {_SHAPE}")
    return LabelledSet(path.stem, examples)


def read_folder(folder: Path) -> list[LabelledSet]:
    """Load the sets of a folder's ``*.jsonl``, by name."""
    return [read_set(path) for path in sorted(folder.glob("*.jsonl"))]


_SHAPE = '{"text": "...", "<column>": "<label>" or ["<name>", ...]}'


def _example(line: str, where: str) -> Example:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError):
        raise UsageError(f"{where}: no JSON: {_SHAPE}") from None
    if not isinstance(row, dict) or not isinstance(row.get("text"), str) or not row["text"].strip():
        raise UsageError(f"{where}: it has no text: {_SHAPE}")
    if not _is_unicode(json.dumps(row, ensure_ascii=False)):
        raise UsageError(f"{where}: a text in it is no Unicode (half of a pair): write the character itself")
    labels = {name: _expected(name, value, where) for name, value in row.items() if name != "text"}
    if not labels:
        raise UsageError(f"{where}: it has no label: {_SHAPE}")
    return Example(row["text"], labels, where=where)


def _expected(name: str, value: Any, where: str) -> Expected:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, list) and all(isinstance(one, str) for one in value):
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
        raise UsageError(f"{example.where}: {column.name} takes {wants}, as enrichment {enrichment} declares it")
    if column.one_of and expected not in column.one_of:
        raise UsageError(
            f"{example.where}: {column.name} '{expected}' is none of enrichment {enrichment}'s: "
            f"{', '.join(column.one_of)}"
        )


def _stratum(example: Example) -> object:
    """What a sample keeps in proportion: the labels, and of lists whether they are empty."""
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
    """Those of *sets* that are named, or all.

    Raises:
        UsageError: there is none of a name.
    """
    there = {one.name: one for one in sets}
    for name in names:
        if name not in there:
            raise UsageError(f"there is no labelled set '{name}': there is {', '.join(there) or 'none'}")
    yield from (one for one in sets if not names or one.name in names)

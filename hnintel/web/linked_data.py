"""Reads the linked data of a page: JSON-LD in its scripts (schema.org). Pure; no network."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Iterator, Sequence
from typing import Any


def linked_data(tree: Any) -> Iterator[Any]:
    """Each JSON value in the linked data of *tree*, an ``lxml.html`` element; what is no JSON is skipped."""
    for script in tree.xpath("//script[@type='application/ld+json']/text()"):
        try:
            yield json.loads(script)
        except (ValueError, RecursionError):
            continue


def objects(data: Any) -> Iterator[dict[str, Any]]:
    """Each object within *data*, at any depth, the outer before the inner."""
    waiting = deque([data])
    while waiting:
        value = waiting.popleft()
        if isinstance(value, dict):
            yield value
            waiting.extend(value.values())
        elif isinstance(value, list):
            waiting.extend(value)


def is_of_type(thing: dict[str, Any], ends: Sequence[str]) -> bool:
    """Whether the name of a type of *thing* ends in one of *ends*, in any case."""
    types = thing.get("@type")
    names = types if isinstance(types, list) else [types]
    return any(isinstance(name, str) and name.lower().endswith(tuple(ends)) for name in names)

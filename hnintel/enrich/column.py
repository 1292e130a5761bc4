"""One column of an enrichment: its name, its permitted values, and its path in the JSON answer."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from hnintel.errors import DeclarationError
from hnintel.warehouse.base import Kind
from hnintel.warehouse.statements import identifier

_KINDS: dict[object, Kind] = {
    str: "text",
    float: "number",
    int: "integer",
    bool: "boolean",
    datetime: "timestamp",
    list[str]: "list",
}
_JSON_TYPES: dict[Kind, dict[str, Any]] = {
    "text": {"type": "string"},
    "number": {"type": "number"},
    "integer": {"type": "integer"},
    "boolean": {"type": "boolean"},
    "timestamp": {"type": "string", "format": "date-time"},
    "list": {"type": "array", "items": {"type": "string"}},
}
#: Columns of every enrichment's table, besides the declared ones.
STANDARD_COLUMNS = ("item_id", "fingerprint", "input_hash", "input_cut", "model", "run_id", "enriched_at")
#: Further columns while answers are judged (sql/enrich/judge_answers.sql).
_JUDGING_COLUMNS = (
    *("engine_error", "bad_because", "is_counted", "is_undigested"),
    *("input_tokens", "output_tokens", "digest_read", "digest_written"),
)
_JUDGING_PREFIX = "absent_"
#: Limits of an accepted answer where its column declares none: characters of a text, texts of a list, characters of a
#: text in a list. They are far above what an honest answer has.
MOST_CHARACTERS, MOST_ITEMS, MOST_ITEM_CHARACTERS = 8_000, 100, 200
_PATH = re.compile(r"[A-Za-z_]\w*(\[\d+\]|\.[A-Za-z_]\w*)*")


@dataclass(frozen=True)
class Column:
    """One column of an enrichment, read from each answer.

    Args:
        name: the column's name; lower case.
        type: ``str``, ``float``, ``int``, ``bool``, ``datetime`` (stored in UTC without a zone) or ``list[str]``.
        description: one sentence, which the model and the docs show.
        one_of: the permitted values; a mapping gives each value a description, which the model sees.
        between: the least and the greatest value of a number, both allowed.
        max_length: the most characters of a text; the model sees it, so it is part of the question.
        longest: the most characters of an accepted text, or of each text of an accepted list. The model does not see
            it, so a change asks nothing again. Default: ``max_length``, else 8,000 (200 for a text in a list).
        most_items: the most texts of an accepted list, not shown to the model either; by default 100.
        nullable: whether the value may be null or absent. A value of another type is still a bad answer.
        path: where the value is in the JSON answer, by default at the column's name: ``labels[0]``.
    """

    name: str
    type: object
    description: str
    one_of: Sequence[str] | Mapping[str, str] = ()
    between: tuple[float, float] | None = None
    path: str | None = None
    max_length: int | None = None
    nullable: bool = False
    longest: int | None = None
    most_items: int | None = None

    @property
    def kept_length(self) -> int:
        """The most characters of an accepted text, or of each text of an accepted list."""
        default = MOST_ITEM_CHARACTERS if self.kind == "list" else MOST_CHARACTERS
        return self.max_length or self.longest or default

    @property
    def kept_items(self) -> int:
        """The most texts of an accepted list."""
        return self.most_items or MOST_ITEMS

    @property
    def kind(self) -> Kind:
        """The column's type, by the warehouse's name for it."""
        return _KINDS[self.type]

    @property
    def labels(self) -> list[dict[str, str]]:
        """``one_of`` in the shape that ``AI_CLASSIFY`` expects."""
        if isinstance(self.one_of, Mapping):
            return [{"label": label, "description": description} for label, description in self.one_of.items()]
        return [{"label": label} for label in self.one_of]

    def schema(self) -> dict[str, Any]:
        """The JSON schema of the column's value."""
        schema = {**_JSON_TYPES[self.kind], "description": self.description}
        if self.max_length is not None:
            schema["maxLength"] = self.max_length
        if self.one_of:
            schema["enum"] = [*self.one_of, None] if self.nullable else list(self.one_of)
        return {**schema, "type": [schema["type"], "null"]} if self.nullable else schema

    def largest(self) -> dict[str, Any]:
        """The JSON schema of the largest value that is accepted, for the bound on an answer's tokens."""
        schema = self.schema()
        if self.kind == "text" and not self.one_of and (self.max_length or self.longest):
            schema["maxLength"] = self.kept_length
        if self.kind == "list" and self.most_items:
            schema |= {"maxItems": self.kept_items, "items": {"type": "string", "maxLength": self.kept_length}}
        return schema

    @property
    def promise(self) -> list[object]:
        """The parts of the declaration that a fingerprint covers; ``max_length`` and ``nullable`` only where declared.

        ``longest`` and ``most_items`` are left out: a change of these limits asks nothing again.
        """
        parts = [self.name, self.kind, self.path, self.labels, self.between]
        return parts + [self.max_length, self.nullable] * (self.max_length is not None or self.nullable)

    def check(self) -> None:
        """Raise DeclarationError, with advice, if the declaration is invalid."""
        identifier(self.name)
        if self.type not in list(_KINDS):  # a list, because a wrong type may be unhashable
            raise DeclarationError(f"column {self.name}: type must be str, float, int, bool, datetime or list[str]")
        if self.name in STANDARD_COLUMNS + _JUDGING_COLUMNS or self.name.startswith(_JUDGING_PREFIX):
            raise DeclarationError(f"column {self.name}: every enrichment has a column of that name; choose another")
        if not self.description.strip():
            raise DeclarationError(f"column {self.name}: it has no description; write a sentence")
        self._check_values()
        if self.path is not None and not _PATH.fullmatch(self.path):
            raise DeclarationError(f"column {self.name}: path '{self.path}' is not like labels[0] or details.name")

    def _check_values(self) -> None:
        if self.one_of and self.kind != "text":
            raise DeclarationError(f"column {self.name}: one_of goes with str")
        values = list(self.one_of)
        if isinstance(self.one_of, str) or not all(isinstance(value, str) and value.strip() for value in values):
            raise DeclarationError(f"column {self.name}: one_of must be a tuple or a dict of texts")
        if len(set(values)) < len(values):
            raise DeclarationError(f"column {self.name}: one_of has a value twice; remove one")
        if self.max_length is not None and (self.kind != "text" or not _is_count(self.max_length)):
            raise DeclarationError(f"column {self.name}: max_length goes with str and is a number of at least 1")
        if self.longest is not None and (
            self.kind not in ("text", "list") or self.max_length is not None or not _is_count(self.longest)
        ):
            raise DeclarationError(
                f"column {self.name}: longest goes with list[str], or with str without max_length, and is at least 1"
            )
        if self.most_items is not None and (self.kind != "list" or not _is_count(self.most_items)):
            raise DeclarationError(f"column {self.name}: most_items goes with list[str] and is a number of at least 1")
        if not isinstance(self.nullable, bool):
            raise DeclarationError(f"column {self.name}: nullable is True or False")
        if self.between is None:
            return
        if self.kind not in ("number", "integer") or not _is_range(self.between):
            raise DeclarationError(f"column {self.name}: between goes with a number and is (least, greatest)")


def _is_count(number: object) -> bool:
    return isinstance(number, int) and not isinstance(number, bool) and number >= 1


def _is_range(between: object) -> bool:
    return (
        isinstance(between, tuple)
        and len(between) == 2
        and all(isinstance(end, int | float) and math.isfinite(end) for end in between)
        and between[0] <= between[1]
    )

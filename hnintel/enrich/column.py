"""One answer of an enrichment: its name, what it may hold, and where it lies in the JSON that comes back."""

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
#: Columns that every enrichment's table has beside its own.
STANDARD_COLUMNS = ("item_id", "fingerprint", "input_hash", "input_cut", "model", "run_id", "enriched_at")
#: Columns beside them while an answer is judged (sql/enrich/judge_answers.sql).
_JUDGING_COLUMNS = (
    *("engine_error", "bad_because", "is_counted", "is_undigested"),
    *("input_tokens", "output_tokens", "digest_read", "digest_written"),
)
_JUDGING_PREFIX = "absent_"
#: What an answer may have at the most to be kept, where its column says nothing: characters of a text, texts of a list,
#: characters of one of those. Nobody declares them, so they are far above what an honest answer has.
MOST_CHARACTERS, MOST_ITEMS, MOST_ITEM_CHARACTERS = 8_000, 100, 200
_PATH = re.compile(r"[A-Za-z_]\w*(\[\d+\]|\.[A-Za-z_]\w*)*")


@dataclass(frozen=True)
class Column:
    """One answer of an enrichment.

    Args:
        name: of the column; lower case.
        type: ``str``, ``float``, ``int``, ``bool``, ``datetime`` (kept in UTC without a zone) or ``list[str]``.
        description: one sentence; the model reads it, and so do the docs.
        one_of: the only values it may have; with a mapping, each with a description that the model judges by.
        between: the least and the greatest value of a number, both allowed.
        max_length: the most characters a text may have; the model is told, so it is part of the question.
        longest: the most characters that a text, or one text of a list, may have to be kept. The model is not told, so
            another number asks nothing anew. By default ``max_length``, else 8,000, and 200 of a list's.
        most_items: the most texts that a list may have to be kept, in the same way; by default 100.
        nullable: whether there may be no answer: a null, or nothing at its place. Another type is still a bad answer.
        path: where it lies in the JSON answer, if not at its own name: ``labels[0]``.
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
        """The most characters that a text, or one text of a list, may have to be kept."""
        default = MOST_ITEM_CHARACTERS if self.kind == "list" else MOST_CHARACTERS
        return self.max_length or self.longest or default

    @property
    def kept_items(self) -> int:
        """The most texts that a list may have to be kept."""
        return self.most_items or MOST_ITEMS

    @property
    def kind(self) -> Kind:
        """What it holds, in the warehouse's words."""
        return _KINDS[self.type]

    @property
    def labels(self) -> list[dict[str, str]]:
        """``one_of`` as ``AI_CLASSIFY`` takes it."""
        if isinstance(self.one_of, Mapping):
            return [{"label": label, "description": told} for label, told in self.one_of.items()]
        return [{"label": label} for label in self.one_of]

    def schema(self) -> dict[str, Any]:
        """The JSON schema that an answer is held to."""
        schema = {**_JSON_TYPES[self.kind], "description": self.description}
        if self.max_length is not None:
            schema["maxLength"] = self.max_length
        if self.one_of:
            schema["enum"] = [*self.one_of, None] if self.nullable else list(self.one_of)
        return {**schema, "type": [schema["type"], "null"]} if self.nullable else schema

    @property
    def promise(self) -> list[object]:
        """All that is promised of it, for a fingerprint; what is left at its default is not named.

        ``longest`` and ``most_items`` are no part of it: an answer within them stays the answer.
        """
        told = [self.name, self.kind, self.path, self.labels, self.between]
        return told + [self.max_length, self.nullable] * (self.max_length is not None or self.nullable)

    def check(self) -> None:
        """Raise DeclarationError, with the mend, where it makes no sense."""
        identifier(self.name)
        if self.type not in list(_KINDS):  # a list: what somebody takes for a type may have no hash
            raise DeclarationError(f"column {self.name}: type must be str, float, int, bool, datetime or list[str]")
        if self.name in STANDARD_COLUMNS + _JUDGING_COLUMNS or self.name.startswith(_JUDGING_PREFIX):
            raise DeclarationError(f"column {self.name}: every enrichment has a column of that name; choose another")
        if not self.description.strip():
            raise DeclarationError(f"column {self.name}: it has no description; the model and the docs need one")
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
            raise DeclarationError(f"column {self.name}: one_of has a value twice; take one out")
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

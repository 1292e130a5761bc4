"""The most tokens of a request: of its input by its bytes, of its answer by what its schema allows."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

#: Tokens besides the text: the marks of a chat template around a message, and the end of an answer.
MARKS = 64
#: The most tokens of an answer in prose: a digest of many texts, or a completion without a schema.
MOST_PROSE = 2_048
#: Limits where a schema names none: characters of a text, tokens of a whole list, of a number, characters of a list's
#: text, which is a name or a label. They are several times what honest answers have.
_CHARACTERS, _LIST, _NUMBER, _ITEM_CHARACTERS = 2_000, 600, 24, 200
#: JSON around a property or an item: quotes, colon, comma, blanks and line breaks of a model that indents.
_PUNCTUATION = 8


def most_read(messages: Sequence[Mapping[str, str]], parameters: Mapping[str, Any]) -> int:
    """The most input tokens of a request.

    No byte-level tokenizer, which is what language models use, makes more tokens of a text than the text has bytes.
    The parameters count too, since an endpoint may put a schema into the prompt.
    """
    text = sum(byte_length(message["content"]) for message in messages)
    schema = byte_length(json.dumps(parameters, ensure_ascii=False, default=str))
    return text + schema + MARKS * (1 + len(messages))


def most_written(schema: Mapping[str, Any] | None) -> int:
    """The most output tokens of an honest answer that fits *schema*; without a schema, of an answer in prose.

    A text counts one token for each character, about four times what English needs and enough for other scripts.
    """
    return MOST_PROSE if schema is None else _of_value(schema, _CHARACTERS) + MARKS


def _of_value(schema: Mapping[str, Any], characters: int) -> int:
    if "enum" in schema:
        return max((byte_length(json.dumps(value, ensure_ascii=False)) for value in schema["enum"]), default=0)
    kinds = schema.get("type", "string")
    if isinstance(kinds, str):
        return _of_kind(kinds, schema, characters)
    return max((_of_kind(kind, schema, characters) for kind in kinds), default=_NUMBER)


def _of_kind(kind: Any, schema: Mapping[str, Any], characters: int) -> int:
    if kind == "object":
        properties: Mapping[str, Any] = schema.get("properties") or {}
        return _PUNCTUATION + sum(
            byte_length(name) + _PUNCTUATION + _of_value(value, _CHARACTERS) for name, value in properties.items()
        )
    if kind == "array":
        if "maxItems" not in schema:
            return _LIST
        each = _of_value(schema.get("items") or {}, _ITEM_CHARACTERS) + _PUNCTUATION
        return _PUNCTUATION + int(schema["maxItems"]) * each
    if kind == "string":
        return int(schema.get("maxLength", characters)) + _PUNCTUATION
    return _NUMBER


def byte_length(text: str) -> int:
    """The bytes of *text* in UTF-8; half of a surrogate pair counts as one."""
    return len(text.encode("utf-8", "replace"))

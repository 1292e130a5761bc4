"""Answers held to a JSON schema, whatever the endpoint can do for it.

What is taken from an answer is taken as it stands: a fence, prose around it and a comma too many are looked past, but
no value is guessed or completed. An answer is text of unknown origin, so the work for one is bounded: its length, the
places where an object is looked for, and the faults that are listed of an object.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

from jsonschema import Draft202012Validator, SchemaError
from jsonschema.exceptions import best_match

#: What can hold a model to JSON, the surest first; the last asks for it in words alone.
MODES = ("json_schema", "json_object", "words")

#: The longest answer that is read, in characters. A model's answer to one of our questions has a few hundred.
MOST_CHARACTERS = 65_536
#: The most places of an answer at which reading an object is tried.
MOST_CANDIDATES = 64
#: The most faults of one object among which the most telling is looked for.
_MOST_FAULTS = 100
#: Where a model's thoughts end. Some servers leave out the mark with which they begin.
_THOUGHTS_END = "</think>"
TOO_LONG = f"the answer is longer than {MOST_CHARACTERS:,} characters"
_STRING = r'"(?:[^"\\]|\\.)*+'
# A string is never tried again from within (possessive), and one that is not closed is matched up to the end of the
# text: without both, each quote in an unclosed string starts another scan to the end.
_STRING_OR_COMMA = re.compile(rf'(?P<string>{_STRING}")|(?P<unclosed>{_STRING}\\?\Z)|,(?=\s*[}}\]])', re.DOTALL)
_LAST_COMMA = re.compile(r",(?=\s*[}\]])")


class Unfit(Exception):
    """An answer that is none by its schema. The message has words of the schema, never of the answer."""


def wording(schema: Mapping[str, Any]) -> str:
    """The schema in words: many servers force an answer into its shape without showing it to the model."""
    told = json.dumps(schema, ensure_ascii=False, sort_keys=False)
    return f"Answer with one JSON object, and nothing around it, that fits this JSON schema:\n{told}"


def response_format(mode: str, schema: Mapping[str, Any]) -> dict[str, Any]:
    """What goes along with a request in *mode*; nothing in the last one."""
    if mode == "json_schema":
        whole = _is_whole(schema)
        held = {"name": "answer", "schema": _closed(schema) if whole else dict(schema), "strict": whole}
        return {"response_format": {"type": "json_schema", "json_schema": held}}
    return {"response_format": {"type": "json_object"}} if mode == "json_object" else {}


def check(schema: Mapping[str, Any]) -> str | None:
    """Why *schema* is no JSON schema; None where it is one."""
    try:
        Draft202012Validator.check_schema(schema)
    except SchemaError as error:
        return f"the schema is no JSON schema, at {error.json_path}"
    return None


def read(content: str, schema: Mapping[str, Any]) -> Any:
    """The JSON in *content* that fits *schema*.

    Raises:
        Unfit: there is none, or the answer is too long to be read; it says what is wrong with the first that was found.
    """
    if len(content) > MOST_CHARACTERS:
        raise Unfit(TOO_LONG)
    validator, told = Draft202012Validator(schema), "it is no JSON"
    for number, value in enumerate(_candidates(content)):
        error = best_match(islice(validator.iter_errors(value), _MOST_FAULTS))
        if error is None:
            return value
        if number == 0:
            told = f"{error.json_path} must have {error.validator}: {json.dumps(error.validator_value)[:300]}"
    raise Unfit(told)


def _candidates(content: str) -> Iterator[Any]:
    """What can be read as JSON in *content*: the whole, else each object in it, from the first to the last.

    Objects are looked for at :data:`MOST_CANDIDATES` places at the most: each place costs up to the whole length.
    """
    content = _without_thoughts(content)
    try:
        yield _decoder.decode(content.strip())
        return
    except (ValueError, RecursionError):
        content = _STRING_OR_COMMA.sub(_without_last_comma, content)
    place = content.find("{")
    for _ in range(MOST_CANDIDATES):
        if place < 0:
            return
        try:
            value, end = _decoder.raw_decode(content, place)
            yield value
        except (ValueError, RecursionError):
            end = place + 1
        place = content.find("{", end)


def _without_last_comma(found: re.Match[str]) -> str:
    """A string as it is, a comma behind the last value as nothing; behind a quote that opens no string it goes on."""
    return found["string"] or _LAST_COMMA.sub("", found["unclosed"] or "")


def _without_thoughts(content: str) -> str:
    """*content* from the end of the model's thoughts on, where it begins with some."""
    _, mark, answer = content.rpartition(_THOUGHTS_END)
    return answer if mark and not content.lstrip().startswith("{") else content


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")


_decoder = json.JSONDecoder(parse_constant=_no_constant)


def _is_whole(schema: Any) -> bool:
    """Whether every property of every object is required, without which OpenAI's strict mode refuses the schema."""
    if isinstance(schema, list):
        return all(map(_is_whole, schema))
    if not isinstance(schema, Mapping):
        return True
    properties = schema.get("properties")
    if isinstance(properties, Mapping) and set(properties) != set(schema.get("required", ())):
        return False
    return all(map(_is_whole, schema.values()))


def _closed(schema: Any) -> Any:
    """The schema with every object closed to further properties, as strict mode wants it."""
    if isinstance(schema, list):
        return [_closed(one) for one in schema]
    if not isinstance(schema, Mapping):
        return schema
    closed = {name: _closed(one) for name, one in schema.items()}
    return {**closed, "additionalProperties": False} if isinstance(schema.get("properties"), Mapping) else closed

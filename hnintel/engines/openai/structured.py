"""Answers that must fit a JSON schema, whatever support the endpoint has for schemas.

Values are read as they are: a fence, prose around the JSON and a trailing comma are skipped, but no value is guessed or
completed. An answer is untrusted text, so the work on it has bounds: its length, the places where an object is searched
for, and the faults that are listed of an object.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

from jsonschema import Draft202012Validator, SchemaError
from jsonschema.exceptions import best_match

#: Response formats that make a model answer in JSON, the strictest first; the last only asks for it in words.
MODES = ("json_schema", "json_object", "words")

#: The longest answer that is read, in characters. A usual answer has a few hundred.
MOST_CHARACTERS = 65_536
#: The most places of an answer at which an object is parsed.
MOST_CANDIDATES = 64
#: The most faults of an object among which the most relevant is chosen.
_MOST_FAULTS = 100
#: The mark at the end of a model's thoughts. Some servers leave out the mark at their beginning.
_THOUGHTS_END = "</think>"
TOO_LONG = f"the answer is longer than {MOST_CHARACTERS:,} characters"
_STRING = r'"(?:[^"\\]|\\.)*+'
# A string is matched possessively, without backtracking, and an unclosed string matches to the end of the text:
# without both, each quote in an unclosed string starts another scan to the end.
_STRING_OR_COMMA = re.compile(rf'(?P<string>{_STRING}")|(?P<unclosed>{_STRING}\\?\Z)|,(?=\s*[}}\]])', re.DOTALL)
_LAST_COMMA = re.compile(r",(?=\s*[}\]])")


class Unfit(Exception):
    """An answer that does not fit its schema. The message has words of the schema, never of the answer."""


def wording(schema: Mapping[str, Any]) -> str:
    """Return the schema as an instruction: many servers enforce a schema without showing it to the model."""
    as_json = json.dumps(schema, ensure_ascii=False, sort_keys=False)
    return f"Answer with one JSON object, and nothing around it, that fits this JSON schema:\n{as_json}"


def response_format(mode: str, schema: Mapping[str, Any]) -> dict[str, Any]:
    """Return the parameters that a request in *mode* needs; empty for the last mode."""
    if mode == "json_schema":
        whole = _is_whole(schema)
        json_schema = {"name": "answer", "schema": _closed(schema) if whole else dict(schema), "strict": whole}
        return {"response_format": {"type": "json_schema", "json_schema": json_schema}}
    return {"response_format": {"type": "json_object"}} if mode == "json_object" else {}


def check(schema: Mapping[str, Any]) -> str | None:
    """Return why *schema* is not a JSON schema; None where it is valid."""
    try:
        Draft202012Validator.check_schema(schema)
    except SchemaError as error:
        return f"the schema is not a JSON schema, at {error.json_path}"
    return None


def read(content: str, schema: Mapping[str, Any]) -> Any:
    """Return the JSON in *content* that fits *schema*.

    Raises:
        Unfit: nothing fits, or the answer is too long; the message says what is wrong with the first JSON value.
    """
    if len(content) > MOST_CHARACTERS:
        raise Unfit(TOO_LONG)
    validator, reason = Draft202012Validator(schema), "it is no JSON"
    for number, value in enumerate(_candidates(content)):
        error = best_match(islice(validator.iter_errors(value), _MOST_FAULTS))
        if error is None:
            return value
        if number == 0:
            reason = f"{error.json_path} must have {error.validator}: {json.dumps(error.validator_value)[:300]}"
    raise Unfit(reason)


def _candidates(content: str) -> Iterator[Any]:
    """Yield the JSON values of *content*: the whole text, else each object in it, from the first to the last.

    Objects are parsed at :data:`MOST_CANDIDATES` places at most, since each place may cost a scan of the whole length.
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


def _without_last_comma(match: re.Match[str]) -> str:
    """Return a string unchanged and nothing for a trailing comma; remove such commas after an unclosed quote."""
    return match["string"] or _LAST_COMMA.sub("", match["unclosed"] or "")


def _without_thoughts(content: str) -> str:
    """Return *content* without the model's thoughts at its beginning."""
    _, mark, answer = content.rpartition(_THOUGHTS_END)
    return answer if mark and not content.lstrip().startswith("{") else content


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


_decoder = json.JSONDecoder(parse_constant=_no_constant)


def _is_whole(schema: Any) -> bool:
    """Return whether every property of every object is required; OpenAI's strict mode refuses other schemas."""
    if isinstance(schema, list):
        return all(map(_is_whole, schema))
    if not isinstance(schema, Mapping):
        return True
    properties = schema.get("properties")
    if isinstance(properties, Mapping) and set(properties) != set(schema.get("required", ())):
        return False
    return all(map(_is_whole, schema.values()))


def _closed(schema: Any) -> Any:
    """Return the schema with every object closed to further properties, as strict mode requires."""
    if isinstance(schema, list):
        return [_closed(part) for part in schema]
    if not isinstance(schema, Mapping):
        return schema
    closed = {name: _closed(part) for name, part in schema.items()}
    return {**closed, "additionalProperties": False} if isinstance(schema.get("properties"), Mapping) else closed

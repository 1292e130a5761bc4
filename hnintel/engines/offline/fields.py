"""Answers a JSON schema, each property by the method for its name or by its enumerated values."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any

from hnintel.engines.base import Label
from hnintel.engines.offline.claims import claims
from hnintel.engines.offline.discussion import Discussion, discussion
from hnintel.engines.offline.entities import entities
from hnintel.engines.offline.funding import funding_amounts
from hnintel.engines.offline.gazetteer import Kind
from hnintel.engines.offline.refusal import refuse
from hnintel.engines.offline.sentiment import is_sentiment_set, sentiment
from hnintel.engines.offline.summary import summarize, takeaway
from hnintel.engines.offline.text import Document, sentences
from hnintel.engines.offline.zeroshot import classifier


class Reading:
    """A text and the results of reading it, shared by all properties."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.document = Document.of(text)

    @cached_property
    def entities(self) -> Mapping[Kind, list[str]]:
        return entities(self.document)

    def funding_amounts(self) -> list[str]:
        return funding_amounts([self.document.title, *sentences(self.document.body)])

    def takeaway(self) -> str:
        return takeaway(self.document) or refuse("a takeaway of a text without sentences")

    def summary(self) -> str:
        return summarize([self.document.body]) or self.takeaway()

    @cached_property
    def parsed_discussion(self) -> Discussion | None:
        return Discussion.parse(self.text)

    @cached_property
    def discussion(self) -> Discussion:
        return self.parsed_discussion or discussion([self.text])

    def claims(self) -> list[dict[str, Any]]:
        return claims(self.text)


#: Property name to its required type and the method that answers it.
_METHODS: Mapping[str, tuple[str, Callable[[Reading], Any]]] = {
    "companies": ("array", lambda reading: reading.entities[Kind.COMPANY]),
    "products": ("array", lambda reading: reading.entities[Kind.PRODUCT]),
    "people": ("array", lambda reading: reading.entities[Kind.PERSON]),
    "technologies": ("array", lambda reading: reading.entities[Kind.TECHNOLOGY]),
    "funding_amounts": ("array", Reading.funding_amounts),
    "takeaway": ("string", Reading.takeaway),
    "summary": ("string", Reading.summary),
    "claims": ("array", Reading.claims),
    "agreement": ("string", lambda reading: reading.discussion.agreement),
    "disagreement": ("string", lambda reading: reading.discussion.disagreement),
}


def answer(schema: Mapping[str, Any], text: str) -> dict[str, Any]:
    """Return an object with every property of *schema*; refuse where a property cannot be answered."""
    properties = schema.get("properties")
    if not isinstance(properties, Mapping) or not properties:
        refuse("a schema without properties")
    reading = Reading(text)
    return {name: _property(str(name), declared, reading) for name, declared in properties.items()}


def _property(name: str, declared: Any, reading: Reading) -> Any:
    declared = declared if isinstance(declared, Mapping) else {}
    if declared.get("enum"):
        return _enumerated(name, declared, reading)
    kind, method = _METHODS.get(name) or refuse(f"the property {name!r}")
    required = declared.get("type", kind)
    if (kind not in required if isinstance(required, list) else kind != required) or "format" in declared:
        refuse(f"the property {name!r} as {declared.get('format', required)!r}: it is of type {kind!r}")
    value = method(reading)
    most = declared.get("maxLength")
    return textwrap.shorten(value, most, placeholder="…") if isinstance(value, str) and isinstance(most, int) else value


def _enumerated(name: str, declared: Mapping[str, Any], reading: Reading) -> str:
    values = [value for value in declared["enum"] if isinstance(value, str)]
    if is_sentiment_set(values):
        allowed = {value.strip().lower() for value in values}
        tone = reading.parsed_discussion.tone if reading.parsed_discussion else ""
        tone = tone if tone in allowed else sentiment(reading.text, allowed)
        return next(value for value in values if value.strip().lower() == tone)
    described = str(declared.get("description", ""))
    labels = tuple(Label(value, _described(value, described)) for value in dict.fromkeys(values))
    matching = classifier(labels).classify(reading.text, several=False) if labels else []
    return (
        matching[0] if matching else refuse(f"the property {name!r}: nothing in the text speaks for one of its values")
    )


def _described(value: str, description: str) -> str:
    """Return the words of *description* about *value*, where it lists values: ``value: words; value: words``."""
    match = re.search(rf"(?<!\w){re.escape(value)}\s?[:=(–—]\s*([^;.()]{{1,200}})", description, re.IGNORECASE)
    return match[1] if match else ""

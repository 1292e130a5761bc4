"""Turns a digest whose statements carry ids in brackets into claims: a text and the ids it rests on."""

from __future__ import annotations

import re
from typing import Any

from hnintel.engines.offline import prose
from hnintel.engines.offline.text import clean

_ID_GROUP = re.compile(r"\[\s*\d{1,18}(?:\s*[,;]\s*\d{1,18}){0,50}\s*\]")
_NUMBER = re.compile(r"\d{1,18}")
_BULLET = re.compile(r"^\s*(?:[-*•–—#>]{1,6}\s+|\d{1,2}[.)]\s+)")
#: Where one statement's ids end and the next statement begins, within a line.
_NEXT_STATEMENT = re.compile(r"(?<=\])[.!?]?\s+(?=[\"“‘(]?[A-Z0-9])|(?<=\][.!?])\s+(?=[\"“‘(]?[A-Z0-9])")
_SPACE_BEFORE_MARK = re.compile(r"(?<!\s)\s+([.,;:!?])")
#: A run of marks is taken whole, whatever follows: tried from each of its marks, it would be read again each time.
_MARKS_DOUBLED = re.compile(r"([.!?])[.,;:]++(?P<end>(?=\s|$))?")
CLAIMS_AT_MOST = 50


def claims(digest: str) -> list[dict[str, Any]]:
    """The claims of *digest*, in order; a statement without ids, or without words, is none."""
    found: list[dict[str, Any]] = []
    for line in clean(digest).split("\n"):
        for statement in _NEXT_STATEMENT.split(line):
            claim = _claim(statement)
            if claim and claim not in found:
                found.append(claim)
            if len(found) == CLAIMS_AT_MOST:
                return found
    return found


def _claim(statement: str) -> dict[str, Any] | None:
    ids = [int(number) for group in _ID_GROUP.findall(statement) for number in _NUMBER.findall(group)]
    text = _BULLET.sub("", _ID_GROUP.sub(" ", statement)).replace("[", "(").replace("]", ")")
    text = _MARKS_DOUBLED.sub(_first_mark, _SPACE_BEFORE_MARK.sub(r"\1", " ".join(text.split())))
    if not ids or not any(letter.isalpha() for letter in text):
        return None
    return {"text": prose.ended(text), "ids": list(dict.fromkeys(ids))}


def _first_mark(found: re.Match[str]) -> str:
    """Of a run of marks that ends something the first, any other as it is."""
    return found[0] if found["end"] is None else found[1]

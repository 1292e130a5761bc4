"""Turns a digest whose statements have ids in brackets into claims: a text and the ids that support it."""

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
#: A run of marks is matched as a whole (possessively); otherwise it would be scanned again from each of its marks.
_MARKS_DOUBLED = re.compile(r"([.!?])[.,;:]++(?P<end>(?=\s|$))?")
CLAIMS_AT_MOST = 50


def claims(digest: str) -> list[dict[str, Any]]:
    """Return the claims of *digest*, in order; a statement without ids, or without words, is not a claim."""
    listed: list[dict[str, Any]] = []
    for line in clean(digest).split("\n"):
        for statement in _NEXT_STATEMENT.split(line):
            claim = _claim(statement)
            if claim and claim not in listed:
                listed.append(claim)
            if len(listed) == CLAIMS_AT_MOST:
                return listed
    return listed


def _claim(statement: str) -> dict[str, Any] | None:
    ids = [int(number) for group in _ID_GROUP.findall(statement) for number in _NUMBER.findall(group)]
    text = _BULLET.sub("", _ID_GROUP.sub(" ", statement)).replace("[", "(").replace("]", ")")
    text = _MARKS_DOUBLED.sub(_first_mark, _SPACE_BEFORE_MARK.sub(r"\1", " ".join(text.split())))
    if not ids or not any(letter.isalpha() for letter in text):
        return None
    return {"text": prose.ended(text), "ids": list(dict.fromkeys(ids))}


def _first_mark(run: re.Match[str]) -> str:
    """Return the first mark of a run at an end of text; leave any other run unchanged."""
    return run[0] if run["end"] is None else run[1]

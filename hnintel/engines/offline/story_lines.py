"""The lines of a group of texts, ``[id] Title — takeaway`` or remarks without an id, and how to cite them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from hnintel.engines.offline import prose
from hnintel.engines.offline.entities import entities
from hnintel.engines.offline.gazetteer import Kind, known_names
from hnintel.engines.offline.phrases import Phrases
from hnintel.engines.offline.ranking import content_words
from hnintel.engines.offline.text import Document, clean, without_marks, words

_ID = re.compile(r"^\s*(?:[-*•]\s*)?\[(\d{1,18})\]\s*")
_DASH = " — "
_HN_PREFIX = re.compile(r"^(?:Show|Ask|Tell|Launch) HN:\s*")
_YC = re.compile(r"(?<!\s)\s*\(YC [SWFX]\d{2}\)")
_BRACKETS = re.compile(r"[\[\]]")
_LINE_CHARACTERS = 1_000
#: The share of the title's words from which the takeaway counts as repeating the title.
_SAYS_THE_TITLE = 0.6


@dataclass(frozen=True)
class Line:
    """A text of a group, parsed."""

    id: int | None
    title: str
    takeaway: str

    @classmethod
    def of(cls, text: str) -> Line | None:
        """Parse *text*; None where it has no content, or only instructions to the program that reads it."""
        flat = " ".join(clean(text[:_LINE_CHARACTERS]).split())
        id_match = _ID.match(flat)
        rest = _BRACKETS.sub(
            lambda bracket: "(" if bracket[0] == "[" else ")", flat[id_match.end() :] if id_match else flat
        )
        parts = rest.partition(_DASH)[::2] if id_match else ("", rest)
        title, takeaway = ("" if prose.speaks_to_machines(part) else part.strip(" —") for part in parts)
        return cls(int(id_match[1]) if id_match else None, title, takeaway) if title or takeaway else None

    @cached_property
    def subject(self) -> str:
        """The title without the prefixes and marks of Hacker News."""
        return _YC.sub("", _HN_PREFIX.sub("", without_marks(self.title))).strip()

    @cached_property
    def statement(self) -> str:
        """The content of the line as a sentence or two: the takeaway, after the title unless it repeats the title."""
        if not self.takeaway or self.takeaway.casefold().rstrip(".") == self.title.casefold().rstrip("."):
            return prose.ended(self.subject)
        if not self.subject or self._takeaway_says_the_title():
            return prose.ended(self.takeaway)
        dash = " " if self.subject[-1] in ".?!" else _DASH
        return prose.ended(f"{self.subject}{dash}{self.takeaway}")

    @cached_property
    def names(self) -> list[str]:
        """The products, companies and technologies that the line names."""
        return _names(Document(self.title, self.takeaway))

    @cached_property
    def title_names(self) -> list[str]:
        return _names(Document(self.title, ""))

    @cached_property
    def said(self) -> str:
        return f"{self.subject} {self.takeaway}"

    def _takeaway_says_the_title(self) -> bool:
        title = set(content_words(self.subject))
        shared = len(title & set(content_words(self.takeaway)))
        named = {*_names(Document("", self.takeaway)), *words(self.takeaway)}
        return (
            shared >= _SAYS_THE_TITLE * len(title)
            and not prose.leans_on_another(self.takeaway)
            and all(name in named or name in self.takeaway for name in self.title_names)
        )


def _names(document: Document) -> list[str]:
    by_kind = entities(document)
    return [name for kind in (Kind.PRODUCT, Kind.COMPANY, Kind.TECHNOLOGY) for name in by_kind[kind]]


def read_lines(texts: Iterable[str]) -> list[Line]:
    """Return the lines of *texts*; of several lines with the same id, the first."""
    parsed: list[Line] = []
    seen: set[int] = set()
    for line in map(Line.of, texts):
        if line is not None and (line.id is None or line.id not in seen):
            parsed.append(line)
            seen.update(() if line.id is None else (line.id,))
    return parsed


def names_of(lines: Sequence[Line]) -> list[list[str]]:
    """Return the names in each line; a name recognized in a line counts in every line with the same spelling."""
    recognized = {name for line in lines for name in line.names}
    plain = Phrases({name: name for name in recognized if name not in known_names() and name[:1].isupper()})
    return [list(dict.fromkeys([*line.names, *(name for _, name in plain.find(words(line.said)))])) for line in lines]


def cited(statement: str, lines: Sequence[Line]) -> str:
    """Return *statement* followed by the ids of *lines*."""
    return " ".join([statement, *(f"[{line.id}]" for line in lines if line.id is not None)])

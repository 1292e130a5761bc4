"""The lines that a group's texts are: ``[id] Title — takeaway``, or remarks without an id; and how they are told."""

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
#: From this share of the title's words on, the takeaway says the title too.
_SAYS_THE_TITLE = 0.6


@dataclass(frozen=True)
class Line:
    """One text of a group, taken apart."""

    id: int | None
    title: str
    takeaway: str

    @classmethod
    def of(cls, text: str) -> Line | None:
        """The line that *text* is; nothing where it says nothing, or speaks to the machine that reads it."""
        flat = " ".join(clean(text[:_LINE_CHARACTERS]).split())
        found = _ID.match(flat)
        rest = _BRACKETS.sub(lambda bracket: "(" if bracket[0] == "[" else ")", flat[found.end() :] if found else flat)
        parts = rest.partition(_DASH)[::2] if found else ("", rest)
        title, takeaway = ("" if prose.speaks_to_machines(part) else part.strip(" —") for part in parts)
        return cls(int(found[1]) if found else None, title, takeaway) if title or takeaway else None

    @cached_property
    def subject(self) -> str:
        """The title without what Hacker News puts around it."""
        return _YC.sub("", _HN_PREFIX.sub("", without_marks(self.title))).strip()

    @cached_property
    def statement(self) -> str:
        """What the line says, as one or two sentences: the takeaway, led by the title unless it says that as well."""
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
    found = entities(document)
    return [name for kind in (Kind.PRODUCT, Kind.COMPANY, Kind.TECHNOLOGY) for name in found[kind]]


def read_lines(texts: Iterable[str]) -> list[Line]:
    """The lines of *texts*; of several with one id, the first."""
    found: list[Line] = []
    seen: set[int] = set()
    for line in map(Line.of, texts):
        if line is not None and (line.id is None or line.id not in seen):
            found.append(line)
            seen.update(() if line.id is None else (line.id,))
    return found


def names_of(lines: Sequence[Line]) -> list[list[str]]:
    """The names in each line; a name that one line tells apart is found in all lines that spell it so."""
    told = {name for line in lines for name in line.names}
    plain = Phrases({name: name for name in told if name not in known_names() and name[:1].isupper()})
    return [list(dict.fromkeys([*line.names, *(name for _, name in plain.find(words(line.said)))])) for line in lines]


def cited(statement: str, lines: Sequence[Line]) -> str:
    """*statement* with the ids of *lines* behind it."""
    return " ".join([statement, *(f"[{line.id}]" for line in lines if line.id is not None)])

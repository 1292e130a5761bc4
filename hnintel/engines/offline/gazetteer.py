"""Lists of known names (technologies, companies, products), and of words that are or are not part of names."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import cache

from hnintel.engines.offline import lexicon
from hnintel.engines.offline.phrases import Phrases

_TOKEN = re.compile(r"\.?[^\W_][\w+#&'’./-]*")
_TRAILING = "'’./-&"


class Kind(StrEnum):
    COMPANY = "companies"
    PRODUCT = "products"
    PERSON = "people"
    TECHNOLOGY = "technologies"


@dataclass(frozen=True, slots=True)
class Known:
    """A known name in full, its kind, and whether it is an ordinary word too."""

    name: str
    kind: Kind
    ordinary: bool


@dataclass(frozen=True, slots=True)
class Sighting:
    """A name in a text: its start, its kind, and the spelling to report."""

    start: int
    kind: Kind
    name: str


@cache
def known_names() -> Phrases[Known]:
    names: dict[str, Known] = {}
    for kind in (Kind.PRODUCT, Kind.COMPANY, Kind.TECHNOLOGY):
        for entry in sorted(lexicon.terms(f"{kind.value}.txt")):
            spellings = [spelling.strip() for spelling in entry.split(" = ")]
            full = spellings[0].rstrip("?").strip()
            for spelling in spellings:
                plain = spelling.rstrip("?").strip()
                names[plain] = Known(full, kind, spelling.endswith("?"))
    return Phrases(names)


@cache
def first_names() -> frozenset[str]:
    return lexicon.terms("first_names.txt")


@cache
def not_names() -> frozenset[str]:
    return lexicon.terms("not_names.txt")


@cache
def company_endings() -> frozenset[str]:
    return lexicon.terms("company_endings.txt")


def sightings(sentence: str, headline: bool) -> Iterator[Sighting]:
    """Yield the known names in *sentence*; ordinary words do not count in a headline, which may be capitalised."""
    spans = [(match.start(), _trimmed(match[0])) for match in _TOKEN.finditer(sentence)]
    tokens = [token for _, token in spans]
    for position, term in known_names().find(tokens):
        known = known_names().meaning(term)
        if not known.ordinary or (not headline and _stands_out(tokens, position, term)):
            yield Sighting(spans[position][0], known.kind, known.name)


def _trimmed(token: str) -> str:
    return token.removesuffix("'s").removesuffix("’s").rstrip(_TRAILING)


def _stands_out(tokens: list[str], position: int, term: str) -> bool:
    """Return whether an ordinary word is capitalised as names are: not the first word, and among lower-case words."""
    after = position + term.count(" ") + 1
    neighbours = [tokens[position - 1]] if position else []
    neighbours += tokens[after : after + 1]
    return position > 0 and not any(word[:1].isupper() for word in neighbours)

"""Names recognized by their context: "X raises $42M", "said Ilse Varga", "Tidepool 2.0"."""

from __future__ import annotations

import re
from collections.abc import Iterator

from hnintel.engines.offline.gazetteer import Kind, Sighting, company_endings, first_names, not_names
from hnintel.engines.offline.text import stopwords

# Every repetition below is bounded, and so are sentences: no text makes the patterns slow.
_W = r"[A-ZÀ-Þ][\w'’+-]{0,30}(?:[.&][\w]{1,20})?"
_NAME = rf"{_W}(?: (?:{_W}|&|of(?= [A-Z]))){{0,3}}"
_SHORTEST = rf"{_W}(?: (?:{_W}|&)){{0,3}}?"
_PART = r"(?!(?:The|And|But|For|In|On|At|Of)\b)[A-ZÀ-Þ][a-zà-ÿ]{1,30}(?:['’-]?[A-Z][a-zà-ÿ]{1,30})?(?!\w)"
_PERSON = (
    rf"{_PART}(?: [A-Z]\.){{0,2}}(?: (?:van|von|de|der|den|da|di|del|la|le|bin|ibn|al|ten)){{0,2}} {_PART}(?: {_PART})?"
)
_ROLE = (
    r"(?:engineer|developer|researcher|scientist|professor|author|founder|co-?founder|maintainer|programmer|designer|"
    r"director|manager|analyst|economist|physicist|historian|journalist|lawyer|physician|mathematician|creator|"
    r"inventor|investor|spokesperson|spokeswoman|spokesman|president|executive|CEO|CTO|CFO|COO|architect|biologist)"
)
_MADE_THING = (
    r"(?:library|database|tool|toolkit|engine|framework|editor|app|application|service|language|compiler|runtime|"
    r"plugin|extension|server|client|orchestrator|debugger|profiler|linter|browser|game|keyboard|laptop|phone|"
    r"microcontroller|board|robot|platform|format|protocol|model|package|CLI|SDK|IDE)"
)
_FIRM = (
    r"(?:startup|start-up|company|firm|maker|vendor|provider|bank|manufacturer|retailer|carrier|airline|consultancy)"
)

_COMPANY = tuple(
    re.compile(pattern)
    for pattern in (
        rf"(?P<n>{_SHORTEST}) (?:has |have |just |quietly )?(?i:raises|raised|raising|acquires|acquired|to acquire|"
        r"lays off|laid off|files for|filed for|buys|bought)\b",
        rf"\b(?i:startup|company|firm|acquired by|bought by|acquires|acquisition of|CEO of|CTO of|founders? of|"
        r"co-?founders? of|(?:engineers?|developers?|researchers?|scientists?|employees|people) (?:at|from)|"
        r"work(?:s|ed|ing)? (?:at|for)|spokes(?:person|woman|man) for|round led by|backed by|behind) "
        rf"(?P<n>{_NAME})",
        rf"(?P<n>{_SHORTEST})(?:['’]s?)? (?:CEO|CTO|CFO|COO|[Cc]hief [Ee]xecutive|founders?|co-?founders?|"
        r"spokes(?:person|woman|man)|engineers|employees|shareholders|customers)\b",
        rf"(?P<n>{_SHORTEST}) \(YC [SWFX]\d\d\)",
        rf"(?P<n>{_NAME}), (?:a|an|the) (?:[\w-]{{1,20}} ){{0,4}}{_FIRM}\b",
    )
)
_PRODUCT = tuple(
    re.compile(pattern)
    for pattern in (
        rf"(?P<n>{_SHORTEST}) (?:[Vv]ersion |v)?\d{{1,4}}\.\d{{1,4}}(?:\.\d{{1,4}})?\b(?!%| ?[mb]illion| percent)",
        rf"(?P<n>{_NAME})(?: is|,) (?:a|an|our|the) (?:[\w-]{{1,20}},? ){{0,5}}{_MADE_THING}\b",
    )
)
#: For running text only: in a headline all words after the verb are capitalised.
_RELEASED = re.compile(
    r"\b(?:released?|releases|launch(?:ed|es)?|unveil(?:ed|s)|introduc(?:ed|es|ing)|open-sourc(?:ed|es)) "
    rf"(?P<n>{_NAME})(?=[,.;]| [a-z0-9])"
)
_SHOWN = re.compile(
    r"^(?:Show|Launch) HN: (?P<n>[\w.+#!'’-]{2,40}(?: [\w.+#!'’-]{1,40}){0,2}?)(?: \([^)]{1,40}\))?(?: [–—-] |: |, )"
)
_PEOPLE = tuple(
    re.compile(pattern)
    for pattern in (
        rf"\b(?:Dr|Prof|Professor|Mr|Ms|Mrs|Sir|Judge|Senator|(?i:{_ROLE}))\.? (?P<n>{_PERSON})",
        r"\b(?i:said|says|wrote|writes|by|according to|told|asked|explained|adds|recalls|interview with) "
        rf"(?P<n>{_PERSON})",
        rf"(?P<n>{_PERSON}) (?:said|says|wrote|writes|told|explain(?:s|ed)|argue[sd]|recall(?:s|ed)|died|was born)\b",
        rf"(?P<n>{_PERSON}), (?:who|(?:an? |the |its |our )?(?:[\w'’-]{{1,20}} ){{0,3}}{_ROLE}|\d\d,)\b",
    )
)
_NAMED_PERSON = re.compile(rf"\b(?P<n>{_PERSON})")
#: First names that are also words: at the beginning of a sentence they are not names.
_ALSO_WORDS = frozenset(
    {
        "Will",
        "Mark",
        "Bill",
        "Rose",
        "Grace",
        "Max",
        "Per",
        "Don",
        "Frank",
        "Rob",
        "Sue",
        "Guy",
        "Ray",
        "Pat",
        "Dean",
        "Jack",
        "Iris",
        "Lee",
        "Rick",
    }
)
_LEGAL = re.compile(r",? (?:Inc|Ltd|Corp|LLC|GmbH)\.?$")


def sightings(sentence: str, headline: bool) -> Iterator[Sighting]:
    """Return the names in *sentence* that their context identifies."""
    if shown := _SHOWN.match(sentence):
        kind = Kind.COMPANY if sentence.startswith("Launch") or "(YC " in shown[0] else Kind.PRODUCT
        if not _opens_a_sentence(shown["n"]):
            yield Sighting(shown.start("n"), kind, shown["n"])
    yield from _people(sentence, headline)
    yield from _cued(sentence, Kind.COMPANY, _COMPANY)
    yield from _suffixed(sentence)
    yield from _cued(sentence, Kind.PRODUCT, _PRODUCT if headline else (*_PRODUCT, _RELEASED))


def _opens_a_sentence(name: str) -> bool:
    """Return whether the text after "Show HN:" is a sentence such as "I built ...", not a name."""
    return name.split(" ", 1)[0].lower() in stopwords()


def _cued(sentence: str, kind: Kind, patterns: tuple[re.Pattern[str], ...]) -> Iterator[Sighting]:
    for pattern in patterns:
        for match in pattern.finditer(sentence):
            start, name = _without_openers(match.start("n"), match["n"])
            if _can_be_thing(name):
                yield Sighting(start, kind, name)


def _suffixed(sentence: str) -> Iterator[Sighting]:
    for match in re.finditer(_NAME, sentence):
        start, name = _without_openers(match.start(), match[0])
        parts = name.split(" ")
        ends = [place for place, part in enumerate(parts) if place and part in company_endings()]
        if ends and parts[0] not in not_names() and "of" not in parts:
            yield Sighting(start, Kind.COMPANY, _LEGAL.sub("", " ".join(parts[: ends[-1] + 1])))


def _people(sentence: str, headline: bool) -> Iterator[Sighting]:
    for pattern in _PEOPLE:
        for match in pattern.finditer(sentence):
            if _can_be_person(match["n"]):
                yield Sighting(match.start("n"), Kind.PERSON, match["n"])
    for match in _NAMED_PERSON.finditer(sentence):
        first = match["n"].split(" ", 1)[0]
        opens = match.start() == 0 and first in _ALSO_WORDS
        if first in first_names() and not opens and _can_be_person(match["n"]):
            # In a headline the words after the name are capitalised too.
            yield Sighting(match.start(), Kind.PERSON, match["n"] if not headline else _two_words(match["n"]))


def _two_words(name: str) -> str:
    """Return the first word of a name up to the next word that is not an initial."""
    words = name.split(" ")
    last = next((place for place, word in enumerate(words) if place and not word.endswith(".")), 0)
    return " ".join(words[: last + 1])


def _without_openers(start: int, name: str) -> tuple[int, str]:
    """Return *name* without leading stopwords, which a sentence's start or a headline capitalises, and its start."""
    while " " in name and name.split(" ", 1)[0].lower() in stopwords():
        first, name = name.split(" ", 1)
        start += len(first) + 1
    name = re.sub(r"['’]s$", "", name).rstrip("'’.-")
    return start, name


def _can_be_thing(name: str) -> bool:
    words = name.split(" ")
    return (
        len(name) > 1
        and words[0].lower() not in stopwords()
        and words[-1].lower() not in stopwords()
        and words[0] not in not_names()
        and not (len(words) == 1 and name in first_names())
        and any(letter.islower() or letter.isdigit() for letter in name) | (len(name) > 2)
    )


def _can_be_person(name: str) -> bool:
    words = name.split(" ")
    return not any(
        word in not_names()
        or word in company_endings()
        or (word.lower() in stopwords() and word not in ("Will", "May"))
        for word in words
    )

"""The lines that announce something new, and the names and subjects that several lines share."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence

from hnintel.engines.offline import lexicon
from hnintel.engines.offline.prose import leans_on_another
from hnintel.engines.offline.ranking import centrality, similarities
from hnintel.engines.offline.story_lines import Line, cited, names_of
from hnintel.engines.offline.subjects import telling_terms
from hnintel.engines.offline.valence import measure

LAUNCHES_AT_MOST, TRENDS_AT_MOST, IDS_AT_MOST = 8, 6, 8
#: What announces something, by how surely; only titles are read, for articles mention many an old release.
_ANNOUNCES = (
    (3.0, re.compile(r"^Launch HN:")),
    (2.5, re.compile(r"^Show HN:")),
    (2.5, re.compile(r"\b(?:raises|raised|closes)\b.{0,40}[$€£]\s?\d|\bseries [a-e]\b|\bseed round\b", re.I)),
    (
        2.0,
        re.compile(
            r"\b(?:announc(?:es|ing|ed)|introduc(?:es|ing|ed)|unveil(?:s|ed|ing)|launch(?:es|ed|ing)|debuts)\b", re.I
        ),
    ),
    (
        2.0,
        re.compile(r"\bopen[- ]sourc(?:es|ed|ing)\b|\bis now open[- ]source\b|\b(?:now|generally) available\b", re.I),
    ),
    (1.5, re.compile(r"\breleas(?:es|ed)\b|\bships\b|\bis out\b|\brelease notes\b", re.I)),
    (1.5, re.compile(r"^[\w.+#-]{2,30}(?: [\w.+#-]{2,30}){0,2} v?\d{1,3}\.\d{1,3}(?:\.\d{1,4})?\b")),
)
_LEAST = 1.5
#: A single word that is no name tells a trend only if many speak of it.
_WORD_STORIES = 3
_ALIKE = 0.6


def launches(lines: Sequence[Line]) -> list[str]:
    """The announcements among *lines*, the surest first, one line each."""
    scored = [(_announces(line), place, line) for place, line in enumerate(lines)]
    best = sorted((-score, place) for score, place, _ in scored if score >= _LEAST)[:LAUNCHES_AT_MOST]
    return [cited(lines[place].statement, [lines[place]]) for _, place in best]


def _announces(line: Line) -> float:
    feeling = measure(line.title, events=True)
    if feeling.bad > feeling.good or leans_on_another(line.title):
        return 0.0  # an outage, an apology, a "How 3.4.1 happened"
    return sum(worth for worth, pattern in _ANNOUNCES if pattern.search(line.title))


def trends(lines: Sequence[Line]) -> list[str]:
    """What several of *lines* speak of, the most shared first: the term, the most central of those lines, the ids."""
    told: list[str] = []
    taken: list[set[int]] = []
    for term, places in _shared_terms(lines):
        if len(told) < TRENDS_AT_MOST and not any(_alike(set(places), other) for other in taken):
            told.append(_told(term, [lines[place] for place in places]))
            taken.append(set(places))
    return told


def _shared_terms(lines: Sequence[Line]) -> list[tuple[str, list[int]]]:
    """Names and telling subject terms with the places of the lines that have them, most lines first."""
    places: dict[str, list[int]] = defaultdict(list)
    written: dict[str, str] = {}
    names: set[str] = set()
    for place, (line, line_names) in enumerate(zip(lines, names_of(lines), strict=True)):
        for name in line_names:
            names.add(name.casefold())
            written.setdefault(name.casefold(), name)
            places[name.casefold()].append(place)
        for term, spelling in telling_terms(line.said).items():
            written.setdefault(term, spelling)
            places[term].append(place)
    shared = {term: sorted(set(where)) for term, where in places.items() if term not in lexicon.terms("not_trends.txt")}
    least = {term: 2 if term in names or " " in term else _WORD_STORIES for term in shared}
    shared = {term: where for term, where in shared.items() if len(where) >= least[term]}
    order = sorted(shared, key=lambda term: (-len(shared[term]), term not in names, shared[term][0], term))
    return [(written[term], shared[term]) for term in order]


def _alike(one: set[int], other: set[int]) -> bool:
    return len(one & other) >= _ALIKE * len(one | other)


def _in_title(term: str, line: Line) -> bool:
    return term.casefold() in line.subject.casefold() or term in line.title_names


def _told(term: str, lines: Sequence[Line]) -> str:
    ranks = centrality(similarities([line.said for line in lines]))
    order = sorted(range(len(lines)), key=lambda place: (not _in_title(term, lines[place]), -ranks[place], place))
    members = [lines[place] for place in order]
    heading = term[:1].upper() + term[1:] if " " in term or len(term) > 4 else term
    return cited(f"{heading}, in {len(lines)} stories: {members[0].statement}", members[:IDS_AT_MOST])

"""Launches and trends: lines that announce something new, and names and subjects that several lines share."""

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
#: Patterns of announcements with their weights; only titles are searched, since articles mention old releases.
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
#: The stories that a single word must have to be a trend, unless it is a name.
_WORD_STORIES = 3
_ALIKE = 0.6


def launches(lines: Sequence[Line]) -> list[str]:
    """Return the announcements among *lines*, the most certain first, a line for each."""
    scored = [(_announces(line), place, line) for place, line in enumerate(lines)]
    best = sorted((-score, place) for score, place, _ in scored if score >= _LEAST)[:LAUNCHES_AT_MOST]
    return [cited(lines[place].statement, [lines[place]]) for _, place in best]


def _announces(line: Line) -> float:
    feeling = measure(line.title, events=True)
    if feeling.bad > feeling.good or leans_on_another(line.title):
        return 0.0  # an outage, an apology, a "How 3.4.1 happened"
    return sum(worth for worth, pattern in _ANNOUNCES if pattern.search(line.title))


def trends(lines: Sequence[Line]) -> list[str]:
    """Return the terms that several of *lines* share, the most shared first, with the most central line and the ids."""
    described: list[str] = []
    covered: list[set[int]] = []
    for term, places in _shared_terms(lines):
        if len(described) < TRENDS_AT_MOST and not any(_alike(set(places), other) for other in covered):
            described.append(_describe(term, [lines[place] for place in places]))
            covered.append(set(places))
    return described


def _shared_terms(lines: Sequence[Line]) -> list[tuple[str, list[int]]]:
    """Return names and characteristic terms with the places of their lines, the terms of most lines first."""
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


def _alike(first: set[int], second: set[int]) -> bool:
    return len(first & second) >= _ALIKE * len(first | second)


def _in_title(term: str, line: Line) -> bool:
    return term.casefold() in line.subject.casefold() or term in line.title_names


def _describe(term: str, lines: Sequence[Line]) -> str:
    ranks = centrality(similarities([line.said for line in lines]))
    order = sorted(range(len(lines)), key=lambda place: (not _in_title(term, lines[place]), -ranks[place], place))
    members = [lines[place] for place in order]
    heading = term[:1].upper() + term[1:] if " " in term or len(term) > 4 else term
    return cited(f"{heading}, in {len(lines)} stories: {members[0].statement}", members[:IDS_AT_MOST])

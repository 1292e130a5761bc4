"""The companies, products, people and technologies in a text: known names, and names recognized by their context."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from hnintel.engines.offline import gazetteer, name_cues
from hnintel.engines.offline.gazetteer import Kind, Sighting, known_names
from hnintel.engines.offline.text import Document, sentences, without_marks

_READ_CHARACTERS = 12_000
AT_MOST = 20
#: The share of capitalised words from which capitals are no evidence of a name.
_HEADLINE_CAPITALS = 0.6

_Names = dict[str, Kind]


def entities(document: Document) -> dict[Kind, list[str]]:
    """Return the names of each kind without duplicates, in the fullest spelling, in order of first appearance."""
    kinds = _one_kind_each(_sightings(document))
    fullest = _fullest(kinds)
    names: dict[Kind, list[str]] = {kind: [] for kind in Kind}
    for name, kind in kinds.items():
        spelling = fullest.get(name, name)
        if spelling not in names[kind] and len(names[kind]) < AT_MOST:
            names[kind].append(spelling)
    return names


def _sightings(document: Document) -> Iterator[Sighting]:
    title = without_marks(document.title)
    yield from _in_sentence(title, headline=True)
    for sentence in sentences(document.body[:_READ_CHARACTERS]):
        yield from _in_sentence(sentence, headline=_reads_as_headline(sentence))


def _in_sentence(sentence: str, headline: bool) -> list[Sighting]:
    """Return the names of a sentence from left to right; of overlapping names, a known name wins, then the first."""
    spans: list[tuple[int, int]] = []
    chosen = []
    for sighting in (*gazetteer.sightings(sentence, headline), *name_cues.sightings(sentence, headline)):
        span = sighting.start, sighting.start + len(sighting.name)
        overlapping = [other for other in spans if span[0] < other[1] and other[0] < span[1]]
        if not overlapping:
            spans.append(span)
            chosen.append(sighting)
    return sorted(chosen, key=lambda sighting: sighting.start)


def _reads_as_headline(sentence: str) -> bool:
    words = [word for word in sentence.split() if word[0].isalpha()]
    return len(words) < 3 or sum(word[0].isupper() for word in words) >= _HEADLINE_CAPITALS * len(words)


def _one_kind_each(seen_names: Iterable[Sighting]) -> _Names:
    """Return a kind for each name, in order of first appearance; a known kind wins, then people, then companies."""
    order = (Kind.PERSON, Kind.COMPANY, Kind.TECHNOLOGY, Kind.PRODUCT)
    kinds: _Names = {}
    for sighting in seen_names:
        known = known_names().meaning(sighting.name).kind if sighting.name in known_names() else None
        seen = kinds.get(sighting.name, sighting.kind)
        kinds[sighting.name] = known or min(seen, sighting.kind, key=order.index)
    return kinds


def _fullest(kinds: _Names) -> dict[str, str]:
    """Map each name that starts or ends a longer name of its kind to that longer name."""
    fullest: dict[str, str] = {}
    for short in kinds:
        for long in kinds:
            if long != short and kinds[long] is kinds[short] and short not in known_names() and _is_part(short, long):
                fullest[short] = max(fullest.get(short, ""), long, key=len)
    return fullest


def _is_part(short: str, long: str) -> bool:
    return long.startswith(f"{short} ") or long.endswith(f" {short}")

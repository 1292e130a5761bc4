"""The companies, products, people and technologies that a text names: known names, and names told by what is around."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from hnintel.engines.offline import gazetteer, name_cues
from hnintel.engines.offline.gazetteer import Kind, Sighting, known_names
from hnintel.engines.offline.text import Document, sentences, without_marks

_READ_CHARACTERS = 12_000
AT_MOST = 20
#: From this share of capitalised words on, capitals tell nothing.
_HEADLINE_CAPITALS = 0.6

_Names = dict[str, Kind]


def entities(document: Document) -> dict[Kind, list[str]]:
    """The names of each kind, each once in its fullest spelling, in order of first appearance."""
    kinds = _one_kind_each(_sightings(document))
    fullest = _fullest(kinds)
    found: dict[Kind, list[str]] = {kind: [] for kind in Kind}
    for name, kind in kinds.items():
        spelling = fullest.get(name, name)
        if spelling not in found[kind] and len(found[kind]) < AT_MOST:
            found[kind].append(spelling)
    return found


def _sightings(document: Document) -> Iterator[Sighting]:
    title = without_marks(document.title)
    yield from _in_sentence(title, headline=True)
    for sentence in sentences(document.body[:_READ_CHARACTERS]):
        yield from _in_sentence(sentence, headline=_reads_as_headline(sentence))


def _in_sentence(sentence: str, headline: bool) -> list[Sighting]:
    """The names of one sentence from left to right; of two that overlap, the known one, else the cue's first."""
    taken: list[tuple[int, int]] = []
    kept = []
    for sighting in (*gazetteer.sightings(sentence, headline), *name_cues.sightings(sentence, headline)):
        span = sighting.start, sighting.start + len(sighting.name)
        inside = [other for other in taken if span[0] < other[1] and other[0] < span[1]]
        if not inside:
            taken.append(span)
            kept.append(sighting)
    return sorted(kept, key=lambda sighting: sighting.start)


def _reads_as_headline(sentence: str) -> bool:
    words = [word for word in sentence.split() if word[0].isalpha()]
    return len(words) < 3 or sum(word[0].isupper() for word in words) >= _HEADLINE_CAPITALS * len(words)


def _one_kind_each(found: Iterable[Sighting]) -> _Names:
    """One kind a name, in order of first appearance; what is known wins, then people, then companies."""
    order = (Kind.PERSON, Kind.COMPANY, Kind.TECHNOLOGY, Kind.PRODUCT)
    kinds: _Names = {}
    for sighting in found:
        known = known_names().meaning(sighting.name).kind if sighting.name in known_names() else None
        seen = kinds.get(sighting.name, sighting.kind)
        kinds[sighting.name] = known or min(seen, sighting.kind, key=order.index)
    return kinds


def _fullest(kinds: _Names) -> dict[str, str]:
    """For each name that is the start or the end of a longer one of its kind, that longer one."""
    fullest: dict[str, str] = {}
    for short in kinds:
        for long in kinds:
            if long != short and kinds[long] is kinds[short] and short not in known_names() and _is_part(short, long):
                fullest[short] = max(fullest.get(short, ""), long, key=len)
    return fullest


def _is_part(short: str, long: str) -> bool:
    return long.startswith(f"{short} ") or long.endswith(f" {short}")

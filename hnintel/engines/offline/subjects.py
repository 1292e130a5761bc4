"""Well-known subjects with their terms, and the subjects of a text."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from functools import cache

from hnintel.engines.offline import lexicon
from hnintel.engines.offline.phrases import Phrases
from hnintel.engines.offline.text import WORD, folded, folded_words

#: The least weight of a term that identifies its subject by itself.
_TELLING = 3


def plain(name: str) -> str:
    """Return the *name* of a label or a subject in lower case, its words separated by blanks."""
    return " ".join(name.lower().replace("_", " ").replace("/", " ").split())


@cache
def subject_names() -> dict[str, str]:
    """Return the subject of each of its names."""
    names: dict[str, str] = {}
    for head, terms in lexicon.groups("subjects.txt"):
        if not terms:
            own, *others = head.split(" = ")
            subject = plain(own.partition(" (")[0])
            names.update({plain(name): subject for name in (subject, *others)})
    return names


@cache
def headings() -> dict[str, str]:
    """Return the heading of stories about each subject."""
    heads = (
        head.split(" = ")[0].rstrip(")").partition(" (") for head, terms in lexicon.groups("subjects.txt") if not terms
    )
    return {plain(own): heading for own, _, heading in heads}


@cache
def subject_terms() -> dict[str, dict[str, float]]:
    """Return the folded terms of each subject with their weights."""
    by_subject: dict[str, dict[str, float]] = defaultdict(dict)
    for head, terms in lexicon.groups("subjects.txt"):
        subject, _, weight = head.rpartition(" ")
        for term in terms:
            key = " ".join(folded_words(term))
            by_subject[plain(subject)][key] = max(float(weight), by_subject[plain(subject)].get(key, 0.0))
    return by_subject


@cache
def _subject_index() -> Phrases[Mapping[str, float]]:
    index: dict[str, dict[str, float]] = defaultdict(dict)
    for subject, terms in subject_terms().items():
        for term, weight in terms.items():
            index[term][subject] = weight
    return Phrases(index)


def subject_sightings(text: str) -> Counter[str]:
    """Return how much *text* is about each known subject; terms that only hint at a subject are ignored."""
    weights: Counter[str] = Counter()
    for _, term in _subject_index().find(folded_words(text)):
        for subject, weight in _subject_index().meaning(term).items():
            weights[subject] += int(weight) - 1
    return +weights


def telling_terms(text: str) -> dict[str, str]:
    """Return the folded terms of *text* that identify a subject by themselves, each with its spelling there."""
    spellings = [word for word in WORD.findall(text) if folded(word)]
    words = [folded(word) for word in spellings]
    spelling_by_term: dict[str, str] = {}
    for start, term in _subject_index().find(words):
        if max(_subject_index().meaning(term).values()) >= _TELLING:
            written = " ".join(spellings[start : start + term.count(" ") + 1])
            spelling_by_term.setdefault(term, written.rstrip(".,'’-").removesuffix("'s").removesuffix("’s"))
    return spelling_by_term

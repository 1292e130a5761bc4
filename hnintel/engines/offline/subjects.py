"""The words of well-known subjects, and which of those subjects a text speaks of."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from functools import cache

from hnintel.engines.offline import lexicon
from hnintel.engines.offline.phrases import Phrases
from hnintel.engines.offline.text import WORD, folded, folded_words

#: The weight from which on a term tells its subject alone.
_TELLING = 3


def plain(name: str) -> str:
    """*name* of a label or a subject in small letters, its words parted by blanks."""
    return " ".join(name.lower().replace("_", " ").replace("/", " ").split())


@cache
def subject_names() -> dict[str, str]:
    """Every name of a subject, and the subject."""
    names: dict[str, str] = {}
    for head, terms in lexicon.groups("subjects.txt"):
        if not terms:
            own, *others = head.split(" = ")
            subject = plain(own.partition(" (")[0])
            names.update({plain(name): subject for name in (subject, *others)})
    return names


@cache
def headings() -> dict[str, str]:
    """What stands over stories about each subject."""
    heads = (
        head.split(" = ")[0].rstrip(")").partition(" (") for head, terms in lexicon.groups("subjects.txt") if not terms
    )
    return {plain(own): heading for own, _, heading in heads}


@cache
def subject_terms() -> dict[str, dict[str, float]]:
    """Each subject's terms, folded, with what one says for the subject."""
    found: dict[str, dict[str, float]] = defaultdict(dict)
    for head, terms in lexicon.groups("subjects.txt"):
        subject, _, weight = head.rpartition(" ")
        for term in terms:
            key = " ".join(folded_words(term))
            found[plain(subject)][key] = max(float(weight), found[plain(subject)].get(key, 0.0))
    return found


@cache
def _subject_index() -> Phrases[Mapping[str, float]]:
    index: dict[str, dict[str, float]] = defaultdict(dict)
    for subject, terms in subject_terms().items():
        for term, weight in terms.items():
            index[term][subject] = weight
    return Phrases(index)


def subject_sightings(text: str) -> Counter[str]:
    """How much *text* speaks of each known subject; words that only hint at one are passed over."""
    found: Counter[str] = Counter()
    for _, term in _subject_index().find(folded_words(text)):
        for subject, weight in _subject_index().meaning(term).items():
            found[subject] += int(weight) - 1
    return +found


def telling_terms(text: str) -> dict[str, str]:
    """The terms of *text* that alone tell its subject, folded, each with its spelling there."""
    spellings = [word for word in WORD.findall(text) if folded(word)]
    words = [folded(word) for word in spellings]
    found: dict[str, str] = {}
    for start, term in _subject_index().find(words):
        if max(_subject_index().meaning(term).values()) >= _TELLING:
            written = " ".join(spellings[start : start + term.count(" ") + 1])
            found.setdefault(term, written.rstrip(".,'’-").removesuffix("'s").removesuffix("’s"))
    return found

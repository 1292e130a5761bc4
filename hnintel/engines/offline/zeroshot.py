"""Labels a text by the words of the labels' names and descriptions, and by the terms of the subjects they name."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

from hnintel.engines.base import Label
from hnintel.engines.offline.phrases import Phrases
from hnintel.engines.offline.subjects import plain, subject_names, subject_terms
from hnintel.engines.offline.text import Document, folded_words, stopwords, without_marks

#: Labels that stand for "none of the others".
_FALLBACKS = frozenset(
    {"other", "none", "misc", "miscellaneous", "unknown", "none of these", "none of the above", "n/a"}
)

#: The weight of an occurrence of a term, by its position; repetitions count less and less (as in BM25).
_IN_TITLE, _IN_OPENING, _IN_BODY = 4.0, 1.5, 0.7
_OPENING_CHARACTERS, _BODY_CHARACTERS = 500, 5_000
_SATURATION = 2.5
#: The weight of a term of the label's name, of its description, and of a subject that only the description names.
_NAME_WEIGHT, _DESCRIPTION_WEIGHT, _MENTIONED_SHARE = 3.0, 2.0, 0.6
#: The least evidence for a label; a long text needs more, since it contains more terms by chance.
_LEAST_EVIDENCE, _EVIDENCE_PER_DOUBLING = 0.9, 0.25
#: With several labels allowed, the least share of the best score that another label needs.
_NEAR_THE_BEST = 0.55

_Weights = Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Classifier:
    """A prepared set of labels: for each term, its weight for each label."""

    labels: tuple[Label, ...]
    terms: Phrases[_Weights]
    fallback: str | None

    def classify(self, text: str, several: bool) -> list[str]:
        """Return the matching labels, best first; the fallback where none matches; empty without a fallback."""
        scores, words = self._scores(text)
        least = _LEAST_EVIDENCE + _EVIDENCE_PER_DOUBLING * math.log2(1 + words / 50)
        order = {label.label: place for place, label in enumerate(self.labels)}
        ranked = sorted((-round(score, 6), order[label], label) for label, score in scores.items() if score >= least)
        if not ranked:
            return [self.fallback] if self.fallback is not None else []
        return [label for score, _, label in ranked[: None if several else 1] if score <= ranked[0][0] * _NEAR_THE_BEST]

    def _scores(self, text: str) -> tuple[dict[str, float], int]:
        sightings: dict[str, float] = defaultdict(float)
        length = 0
        for part, worth in _parts(text):
            words = folded_words(part)
            length += len(words)
            for _, term in self.terms.find(words):
                sightings[term] += worth
        scores: dict[str, float] = defaultdict(float)
        for term, seen in sightings.items():
            for label, weight in self.terms.meaning(term).items():
                scores[label] += weight * seen / (seen + _SATURATION)
        return scores, length


def _parts(text: str) -> Iterator[tuple[str, float]]:
    document = Document.of(text)
    yield without_marks(document.title), _IN_TITLE
    yield document.body[:_OPENING_CHARACTERS], _IN_TITLE / 2 if not document.title else _IN_OPENING
    yield document.body[_OPENING_CHARACTERS:_BODY_CHARACTERS], _IN_BODY


@lru_cache(maxsize=64)
def classifier(labels: tuple[Label, ...]) -> Classifier:
    """Return the classifier of *labels*; a term that several labels share has less weight for each."""
    fallback = next((label.label for label in labels if plain(label.label) in _FALLBACKS), None)
    claims: dict[str, dict[str, float]] = defaultdict(dict)
    for label in labels:
        if label.label != fallback:
            for term, weight in _evidence(label).items():
                claims[term][label.label] = weight
    terms = {term: _shared(weights, len(labels)) for term, weights in claims.items()}
    return Classifier(labels, Phrases(terms), fallback)


def _shared(weights: _Weights, labels: int) -> _Weights:
    rarity = math.log(1 + labels / len(weights)) / math.log(1 + labels)
    return {label: weight * rarity for label, weight in weights.items()}


def _evidence(label: Label) -> dict[str, float]:
    """Return the terms that are evidence for *label*, each with its largest weight."""
    weights: dict[str, float] = {}

    def claim(term: str, weight: float) -> None:
        weights[term] = max(weight, weights.get(term, 0.0))

    for word in _content_words(label.description):
        claim(word, _DESCRIPTION_WEIGHT)
    for word in _content_words(plain(label.label)):
        claim(word, _NAME_WEIGHT)
    for subject, share in _subjects_of(label):
        for term, weight in subject_terms()[subject].items():
            claim(term, weight * share)
    return weights


def _content_words(text: str) -> list[str]:
    return [word for word in folded_words(text) if len(word) > 1 and word not in stopwords()]


def _subjects_of(label: Label) -> list[tuple[str, float]]:
    """Return the known subject that *label* names, else the subjects that its description mentions, with shares."""
    named = [subject for name, subject in subject_names().items() if plain(label.label) == name]
    if named:
        return [(named[0], 1.0)]
    names = Phrases({" ".join(folded_words(name)): subject for name, subject in subject_names().items()})
    words = folded_words(f"{plain(label.label)} . {label.description}")
    return [(subject, _MENTIONED_SHARE) for subject in dict.fromkeys(names.meaning(t) for _, t in names.find(words))]

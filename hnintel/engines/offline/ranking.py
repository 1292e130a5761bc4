"""Ranks the sentences of a text by TextRank over TF-IDF, and chooses mutually different sentences."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from hnintel.engines.offline.text import folded_words, stopwords

if TYPE_CHECKING:
    import numpy as np

#: The most sentences that are ranked, since the graph is quadratic in its sentences.
RANK_AT_MOST = 80
_DAMPING, _ROUNDS = 0.85, 30
#: Results are rounded, so that floating-point differences between machines never decide.
_DIGITS = 6
#: The penalty of a sentence for similarity to the sentences that are chosen already.
_LIKENESS_COSTS = 0.7


def content_words(text: str) -> list[str]:
    """Return the folded words of *text* without stopwords, single letters and numbers."""
    return [word for word in folded_words(text) if len(word) > 1 and word not in stopwords() and not word.isdigit()]


def similarities(texts: Sequence[str]) -> np.ndarray:
    """Return the TF-IDF cosine of every two *texts*, 0 on the diagonal; pass at most ``RANK_AT_MOST`` texts."""
    import numpy as np
    from sklearn.feature_extraction.text import TfidfVectorizer  # takes a second to import

    vectorizer = TfidfVectorizer(analyzer=content_words, sublinear_tf=True)
    try:
        weights = vectorizer.fit_transform(texts)
    except ValueError:  # no text has a word
        return np.zeros((len(texts), len(texts)))
    matrix: np.ndarray = np.round((weights @ weights.T).toarray(), _DIGITS)
    np.fill_diagonal(matrix, 0.0)
    return matrix


def centrality(matrix: np.ndarray) -> list[float]:
    """Return the PageRank of each text by similarity, scaled so that the largest is 1."""
    import numpy as np

    if not len(matrix):
        return []
    sums = matrix.sum(axis=1, keepdims=True)
    steps = np.divide(matrix, sums, out=np.zeros_like(matrix), where=sums > 0)
    ranks = np.full(len(matrix), 1 / len(matrix))
    for _ in range(_ROUNDS):
        ranks = (1 - _DAMPING) / len(matrix) + _DAMPING * steps.T @ ranks
    return [round(float(rank), _DIGITS) for rank in ranks / ranks.max()]


def choose(scores: Sequence[float], matrix: np.ndarray, count: int) -> list[int]:
    """Return the *count* best places by maximal marginal relevance, each different from those before, best first."""
    chosen: list[int] = []
    left = list(range(len(scores)))
    while left and len(chosen) < count:
        best = max(left, key=lambda place: (_marginal(place, scores, matrix, chosen), -place))
        chosen.append(best)
        left.remove(best)
    return chosen


def _marginal(place: int, scores: Sequence[float], matrix: np.ndarray, chosen: Sequence[int]) -> float:
    likeness = max((float(matrix[place, other]) for other in chosen), default=0.0)
    return round(scores[place] - _LIKENESS_COSTS * likeness, _DIGITS)

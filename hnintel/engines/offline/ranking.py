"""Which sentences say most of what a text says: TextRank over TF-IDF, and a choice of mutually different ones."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from hnintel.engines.offline.text import folded_words, stopwords

if TYPE_CHECKING:
    import numpy as np

#: The graph is quadratic in its sentences.
RANK_AT_MOST = 80
_DAMPING, _ROUNDS = 0.85, 30
#: Rounded, so that the last digits of a machine's arithmetic never decide.
_DIGITS = 6
#: How much likeness to what is chosen already takes from a sentence.
_LIKENESS_COSTS = 0.7


def content_words(text: str) -> list[str]:
    """The folded words of *text* that say what it is about."""
    return [word for word in folded_words(text) if len(word) > 1 and word not in stopwords() and not word.isdigit()]


def similarities(texts: Sequence[str]) -> np.ndarray:
    """The cosine of every two *texts* over TF-IDF; 0 with itself. At most as many texts as are ranked."""
    import numpy as np
    from sklearn.feature_extraction.text import TfidfVectorizer  # takes a second to import

    vectorizer = TfidfVectorizer(analyzer=content_words, sublinear_tf=True)
    try:
        weights = vectorizer.fit_transform(texts)
    except ValueError:  # not one word in all of them
        return np.zeros((len(texts), len(texts)))
    matrix: np.ndarray = np.round((weights @ weights.T).toarray(), _DIGITS)
    np.fill_diagonal(matrix, 0.0)
    return matrix


def centrality(matrix: np.ndarray) -> list[float]:
    """PageRank over the likenesses, the most central being 1."""
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
    """The *count* best places, each unlike those before it (maximal marginal relevance), best first."""
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

"""The sentiment of a text by a lexicon: positive, negative, neutral or mixed; title and opening count most."""

from __future__ import annotations

import math
from collections.abc import Collection

from hnintel.engines.offline.text import Document, looks_like_headline
from hnintel.engines.offline.valence import Valence, measure

POSITIVE, NEGATIVE, NEUTRAL, MIXED = "positive", "negative", "neutral", "mixed"
SENTIMENTS = frozenset({POSITIVE, NEGATIVE, NEUTRAL, MIXED})

#: The least score of a text that is not neutral, and the weight of a bad word relative to a good word. Tuned on half of
#: a corpus of developers' posts that people labelled, and tested on the other half.
_THRESHOLD = 1.0
_BAD_WEIGHS = 1.2
#: Longer texts have more good and bad words by chance; a sum is divided by this power of the length.
_LENGTH_POWER = 0.15
_TYPICAL_WORDS = 20

#: The parts of an article. A body counts by its density: a long neutral article has many mildly good words.
_OPENING_CHARACTERS, _BODY_CHARACTERS = 600, 6_000
_TITLE_SHARE, _OPENING_SHARE, _BODY_SHARE = 1.0, 0.2, 0.3
#: The balance of good and bad words per 100 words in ordinary, neutral technical prose.
_ORDINARY_GOOD = 0.6
#: A text is mixed where both sides are strong and of similar strength.
_MIXED_LEAST, _MIXED_RATIO = 3.5, 0.6


def is_sentiment_set(labels: Collection[str]) -> bool:
    return len(labels) > 1 and {label.strip().lower() for label in labels} <= SENTIMENTS


def sentiment(text: str, allowed: Collection[str]) -> str:
    """Return the sentiment of *allowed* (in lower case) that fits *text* best."""
    document = Document.of(text)
    score, feeling = _article_score(document) if document.body else _remark_score(document.title)
    if MIXED in allowed and _is_mixed(feeling):
        return MIXED
    return _nearest(score, allowed)


def _remark_score(text: str) -> tuple[float, Valence]:
    feeling = measure(text[:_BODY_CHARACTERS], events=looks_like_headline(text))
    return _held_back(feeling), feeling


def _article_score(document: Document) -> tuple[float, Valence]:
    title = measure(document.title, events=True)
    opening = measure(document.body[:_OPENING_CHARACTERS], events=True)
    body = measure(document.body[:_BODY_CHARACTERS])
    score = (
        _TITLE_SHARE * _held_back(title)
        + _OPENING_SHARE * _held_back(opening)
        + _BODY_SHARE * (100 * _balance(body) / (body.words + _TYPICAL_WORDS) - _ORDINARY_GOOD)
    )
    return score, Valence(title.good + opening.good, title.bad + opening.bad, title.words + opening.words)


def _balance(feeling: Valence) -> float:
    return feeling.good - _BAD_WEIGHS * feeling.bad


def _held_back(feeling: Valence) -> float:
    length: float = max(feeling.words, _TYPICAL_WORDS / 2) / _TYPICAL_WORDS
    return _balance(feeling) / math.pow(length, _LENGTH_POWER)


def _is_mixed(feeling: Valence) -> bool:
    low, high = sorted((feeling.good, feeling.bad))
    return low >= _MIXED_LEAST and low >= _MIXED_RATIO * high


def _nearest(score: float, allowed: Collection[str]) -> str:
    if abs(score) < _THRESHOLD:
        order = (NEUTRAL, MIXED, POSITIVE if score >= 0 else NEGATIVE)
    else:
        order = (POSITIVE, NEUTRAL, MIXED) if score > 0 else (NEGATIVE, NEUTRAL, MIXED)
    return next((sentiment for sentiment in order if sentiment in allowed), sorted(allowed)[0])

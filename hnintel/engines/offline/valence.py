"""The valence of a text: the sum of its good words and the sum of its bad words, with regard to negation."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache

from hnintel.engines.offline import lexicon
from hnintel.engines.offline.phrases import Phrases

#: Words and emoticons. No nested repetition, so that matching is linear in any text.
_TOKEN = re.compile(
    r"""[a-z0-9]+(?:['’-][a-z0-9]+)*       # words, with their apostrophes and hyphens
      | [:;=8][-o'^]?[)(\]\[dp/\\|*]       # :-) and its kin
      | <3 | \^_\^ | -_- | \+1\b | \$      # hearts, smiles; the dollar, for "raised $"
      | [.!?]+                             # where a sentence ends, so that "not" reaches no further
    """,
    re.VERBOSE,
)
#: The least absolute valence of a general word that counts.
_FAINT = 1.5
#: How many words after a negation or a booster are affected by it.
_REACH = 3
_NEGATED_GOOD, _NEGATED_BAD = -0.6, 0.0
_ENDS = frozenset(".!?")


@dataclass(frozen=True, slots=True)
class Valence:
    """The sums of good and of bad words of a text, both from 0 upwards, and its number of words."""

    good: float
    bad: float
    words: int

    @property
    def balance(self) -> float:
        return self.good - self.bad


@dataclass(frozen=True, slots=True)
class _Vocabulary:
    valences: Phrases[float]
    boosters: Mapping[str, float]
    negations: frozenset[str]


@cache
def vocabulary() -> _Vocabulary:
    """Return VADER's lexicon without its weak words, corrected for technical prose."""
    from vaderSentiment import vaderSentiment as vader  # reads its lexicon from disk: not at import

    general = {
        word: valence for word, valence in vader.SentimentIntensityAnalyzer().lexicon.items() if abs(valence) >= _FAINT
    }
    boosters = {word: boost for word, boost in vader.BOOSTER_DICT.items() if boost > 0 and word not in ("more", "most")}
    negations = frozenset(vader.NEGATE) - {"despite", "none", "nothing"} | {"no", "isn't", "not", "non", "nor"}
    return _Vocabulary(Phrases({**general, **lexicon.valences("sentiment.txt")}), boosters, negations)


@cache
def _event_valences() -> Phrases[float]:
    return Phrases(lexicon.valences("news_events.txt"))


def measure(text: str, events: bool = False) -> Valence:
    """Return the valence of *text*; with *events*, words for good and bad news count too (titles, openings)."""
    tokens = _TOKEN.findall(text.lower().replace("’", "'"))
    good = bad = 0.0
    for valence in _valences(tokens, events):
        if valence > 0:
            good += valence
        else:
            bad -= valence
    return Valence(good, bad, max(1, len(tokens)))


def _valences(tokens: list[str], events: bool) -> Iterator[float]:
    words = vocabulary()
    position = 0
    while position < len(tokens):
        vocabularies = (_event_valences(), words.valences) if events else (words.valences,)
        valence, length = _first_match(tokens, position, vocabularies)
        if valence:
            yield _in_context(tokens, position, valence, words)
        position += length


def _first_match(tokens: list[str], position: int, vocabularies: tuple[Phrases[float], ...]) -> tuple[float, int]:
    for terms in vocabularies:
        if match := terms.at(tokens, position):
            return terms.meaning(match[0]), match[1]
    return 0.0, 1


def _in_context(tokens: list[str], position: int, valence: float, words: _Vocabulary) -> float:
    boost = 0.0
    for back in range(position - 1, max(-1, position - 1 - _REACH), -1):
        word = tokens[back]
        if word[0] in _ENDS:
            break
        if word in words.negations or word.endswith("n't"):
            return valence * (_NEGATED_GOOD if valence > 0 else _NEGATED_BAD)
        boost = max(boost, words.boosters.get(word, 0.0))
    return valence + boost if valence > 0 else valence - boost

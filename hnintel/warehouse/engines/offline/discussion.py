"""What the commenters below a story agree on, where they disagree, and their tone: quoted from them, not composed."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice, zip_longest

from hnintel.warehouse.engines.offline import prose
from hnintel.warehouse.engines.offline.ranking import RANK_AT_MOST, centrality, similarities
from hnintel.warehouse.engines.offline.sentiment import MIXED, NEGATIVE, NEUTRAL, POSITIVE, sentiment
from hnintel.warehouse.engines.offline.text import clean, sentences

_QUOTE_WORDS = 40
#: How somebody begins, or marks, what goes against what was said.
_DISPUTES = re.compile(
    r"\b(?:disagree\w*|(?:do not|don't|can't|cannot) (?:think|believe|buy|agree|see (?:how|why))|"
    r"not (?:true|convinced|sure|necessarily|the case)|(?:is|are|was|were|'s)(?:n't| not) (?:true|right|correct)|"
    r"(?:is|are|'s|'re|you are) (?:just |simply |plain )?wrong|on the contrary|quite the opposite|misleading|"
    r"misses the point|overrated|overblown|overstated|nonsense|hardly|"
    r"counterpoint|straw ?man|doubt|skeptical|sceptical|to be fair|in fairness|pushback)\b",
    re.IGNORECASE,
)
_CONCURS = re.compile(
    r"\b(?:agree\w*|exactly|same (?:here|experience)|second (?:this|that)|me too|seconded|as others (?:said|say))\b",
    re.IGNORECASE,
)
#: From this cosine on, two sentences of two comments say something alike.
_ALIKE = 0.18
#: So many others saying alike are agreement; one is, where the sentence itself says that it concurs.
_AGREED = 2
#: What another commenter's like sentence is worth beside the sentence's own rank, 0 to 1; at most so many count.
_SUPPORT, _SUPPORT_AT_MOST = 0.25, 3
_CUE, _LEANING_COSTS, _PERSONAL_COSTS, _SHORT_COSTS = 0.3, 0.4, 0.1, 0.4
_SHORT_WORDS = 8
#: The share of comments that makes a tone; mixed where both sides have half of it at least.
_TONE_SHARE = 0.3
_TOLD = re.compile(r"^(Agreement|Disagreement|Tone): (.+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Discussion:
    """``agreement`` and ``disagreement`` are a commenter's sentence, None where there is none; ``tone`` a sentiment."""

    agreement: str | None
    disagreement: str | None
    tone: str

    def told(self) -> str:
        """As prose, from which :meth:`read` gets it back."""
        lines = {"Agreement": self.agreement, "Disagreement": self.disagreement, "Tone": f"{self.tone}."}
        return "\n".join(f"{name}: {line}" for name, line in lines.items() if line)

    @classmethod
    def read(cls, text: str) -> Discussion:
        """The discussion that *text* tells, as :meth:`told` does; else that which it is, as one comment."""
        tone, told = cls.tone_in(text), dict(_TOLD.findall(text))
        return cls(told.get("Agreement"), told.get("Disagreement"), tone) if tone else discussion([text])

    @staticmethod
    def tone_in(text: str) -> str | None:
        """The tone that a told discussion names; None of any other text."""
        return next((told.rstrip(".") for name, told in _TOLD.findall(text) if name == "Tone"), None)


@dataclass(frozen=True, slots=True)
class _Sentence:
    comment: int
    said: str


def discussion(comments: Sequence[str]) -> Discussion:
    """What *comments*, one text each, come to."""
    said = list(islice(_in_turn(comments), RANK_AT_MOST))
    if not said:
        return Discussion(None, None, _tone(comments))
    likeness = similarities([one.said for one in said])
    ranks = centrality(likeness)
    agreement: list[tuple[float, str]] = []
    disagreement: list[tuple[float, str]] = []
    for place, (one, rank) in enumerate(zip(said, ranks, strict=True)):
        others = {said[other].comment for other, alike in enumerate(likeness[place]) if alike >= _ALIKE}
        support = len(others - {one.comment})
        worth = rank + _SUPPORT * min(support, _SUPPORT_AT_MOST) - _cost(one.said)
        if _DISPUTES.search(one.said):
            disagreement.append((worth, one.said))
        elif support >= _AGREED or (support and _CONCURS.search(one.said)):
            agreement.append((worth + _CUE * bool(_CONCURS.search(one.said)), one.said))
    return Discussion(_best(agreement), _best(disagreement), _tone(comments))


def _in_turn(comments: Sequence[str]) -> Iterator[_Sentence]:
    """The sentences fit to be quoted, everybody's first before anybody's second, each once."""
    quotable: list[list[_Sentence]] = [
        [_Sentence(number, one) for one in sentences(clean(comment)) if _is_quotable(one)]
        for number, comment in enumerate(comments)
    ]
    seen: set[str] = set()
    for one in chain.from_iterable(zip_longest(*quotable)):
        if one is not None and one.said not in seen:
            seen.add(one.said)
            yield one


def _is_quotable(sentence: str) -> bool:
    return (
        prose.quotable(sentence)
        and not sentence.endswith("?")
        and not prose.speaks_to_machines(sentence)
        and not prose.instructs(sentence)
    )


def _cost(sentence: str) -> float:
    personal = sentence.startswith(("I ", "I'", "I’", "My ", "You ", "Your "))
    short = len(sentence.split()) < _SHORT_WORDS
    return _LEANING_COSTS * prose.leans_on_another(sentence) + _PERSONAL_COSTS * personal + _SHORT_COSTS * short


def _best(weighed: Iterable[tuple[float, str]]) -> str | None:
    best = max(weighed, key=lambda one: (round(one[0], 6), one[1]), default=None)
    return None if best is None else prose.shortened(best[1], _QUOTE_WORDS) or best[1]


def _tone(comments: Sequence[str]) -> str:
    tones = Counter(sentiment(comment, (POSITIVE, NEUTRAL, NEGATIVE)) for comment in comments if comment.strip())
    good, bad = (tones[tone] / max(tones.total(), 1) for tone in (POSITIVE, NEGATIVE))
    if min(good, bad) >= _TONE_SHARE / 2 and good + bad >= 2 * _TONE_SHARE:
        return MIXED
    if max(good, bad) < _TONE_SHARE:
        return NEUTRAL
    return POSITIVE if good > bad else NEGATIVE

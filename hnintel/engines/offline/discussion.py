"""What the commenters below a story agree on, where they disagree, and their tone: quoted from them, not composed."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice, zip_longest

from hnintel.engines.offline import prose
from hnintel.engines.offline.ranking import RANK_AT_MOST, centrality, similarities
from hnintel.engines.offline.sentiment import MIXED, NEGATIVE, NEUTRAL, POSITIVE, sentiment
from hnintel.engines.offline.stance import Stance, opening_stance, stance
from hnintel.engines.offline.text import clean, sentences

_QUOTE_WORDS = 40
#: From this cosine on, two sentences of two comments say something alike.
_ALIKE = 0.2
#: So many others saying alike are agreement; one is, where the sentence itself says that it goes along.
_AGREED = 2
#: What another commenter's like sentence is worth beside the sentence's own rank, 0 to 1; at most so many count.
_SUPPORT, _SUPPORT_AT_MOST = 0.25, 3
_CUE, _LEANING_COSTS, _SHORT_COSTS = 0.3, 0.4, 0.4
_SHORT_WORDS = 8
#: "Not really." and "Exactly." say nothing but how the next sentence is meant.
_OPENING_WORDS = 2
#: Below this, nothing is quoted.
_WORTH_QUOTING = 0.7
_PERSONAL = re.compile(r"(?:I|My|You|Your|From my|In my|For me)\b")
#: How a sentence of a conversation goes on from another one, beyond what articles do.
_GOES_ON = re.compile(
    r"(?:not to mention|heck|in fact|also|that said|related|granted|sure|either way|besides|same|even|because|like|"
    r"which|i mean|some of|one of|the thing is)\b",
    re.IGNORECASE,
)
#: The share of comments that makes a tone; mixed where both sides have half of it at least.
_TONE_SHARE = 0.3
_TOLD = re.compile(
    rf"(?:Agreement: (?P<agreement>.+)\n)?(?:Disagreement: (?P<disagreement>.+)\n)?"
    rf"Tone: (?P<tone>{POSITIVE}|{NEUTRAL}|{NEGATIVE}|{MIXED})\."
)


@dataclass(frozen=True, slots=True)
class Discussion:
    """``agreement`` and ``disagreement`` are a commenter's sentence, None where there is none; ``tone`` a sentiment."""

    agreement: str | None
    disagreement: str | None
    tone: str

    def told(self) -> str:
        """As prose, from which :meth:`in_told` gets it back."""
        lines = {"Agreement": self.agreement, "Disagreement": self.disagreement, "Tone": f"{self.tone}."}
        return "\n".join(f"{name}: {line}" for name, line in lines.items() if line)

    @classmethod
    def in_told(cls, text: str) -> Discussion | None:
        """The discussion that *text* tells and nothing else, so that no line within another text can pass for one."""
        found = _TOLD.fullmatch(text)
        return cls(**found.groupdict()) if found else None


@dataclass(frozen=True, slots=True)
class _Sentence:
    comment: int
    said: str
    stance: Stance


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
        worth = (
            rank + _SUPPORT * min(support, _SUPPORT_AT_MOST) + _CUE * (one.stance is not Stance.NONE) - _cost(one.said)
        )
        if one.stance is Stance.AGAINST:
            disagreement.append((worth, one.said))
        elif (support and one.stance is Stance.ALONG) or (support >= _AGREED and _speaks_for_others(one.said)):
            agreement.append((worth, one.said))
    return Discussion(_best(agreement), _best(disagreement), _tone(comments))


def _in_turn(comments: Sequence[str]) -> Iterator[_Sentence]:
    """The sentences fit to be quoted, everybody's first before anybody's second, each once."""
    quotable = [list(_quotable(number, clean(comment))) for number, comment in enumerate(comments)]
    seen: set[str] = set()
    for one in chain.from_iterable(zip_longest(*quotable)):
        if one is not None and one.said not in seen:
            seen.add(one.said)
            yield one


def _quotable(number: int, comment: str) -> Iterator[_Sentence]:
    """The sentences of one comment; the first is said in the spirit in which the comment opens."""
    opening = opening_stance(comment)
    for said in sentences(comment):
        own = stance(said)
        if _is_quotable(said):
            yield _Sentence(number, said, opening if own is Stance.NONE else own)
        if len(said.split()) > _OPENING_WORDS:
            opening = Stance.NONE


def _is_quotable(sentence: str) -> bool:
    return prose.quotable(sentence) and not sentence.endswith("?") and not prose.instructs(sentence)


def _leans(sentence: str) -> bool:
    return prose.leans_on_another(sentence) or bool(_GOES_ON.match(sentence))


def _speaks_for_others(sentence: str) -> bool:
    """What somebody tells of themselves is seldom what the others think as well."""
    return not _leans(sentence) and not _PERSONAL.match(sentence)


def _cost(sentence: str) -> float:
    return _LEANING_COSTS * _leans(sentence) + _SHORT_COSTS * (len(sentence.split()) < _SHORT_WORDS)


def _best(weighed: Iterable[tuple[float, str]]) -> str | None:
    worth, said = max(((round(worth, 6), said) for worth, said in weighed), default=(0.0, ""))
    return (prose.shortened(said, _QUOTE_WORDS) or said) if worth >= _WORTH_QUOTING else None


def _tone(comments: Sequence[str]) -> str:
    tones = Counter(sentiment(comment, (POSITIVE, NEUTRAL, NEGATIVE)) for comment in comments if comment.strip())
    good, bad = (tones[tone] / max(tones.total(), 1) for tone in (POSITIVE, NEGATIVE))
    if min(good, bad) >= _TONE_SHARE / 2 and good + bad >= 2 * _TONE_SHARE:
        return MIXED
    if max(good, bad) < _TONE_SHARE:
        return NEUTRAL
    return POSITIVE if good > bad else NEGATIVE

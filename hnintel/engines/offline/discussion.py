"""Agreement, disagreement and tone of the comments on a story: quoted sentences, not written text."""

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
#: The least cosine of two similar sentences of different comments.
_ALIKE = 0.2
#: Similar sentences of this many other comments are agreement; one comment suffices if the sentence itself agrees.
_AGREED = 2
#: The weight of another comment's similar sentence beside the sentence's own rank, 0 to 1; and how many count at most.
_SUPPORT, _SUPPORT_AT_MOST = 0.25, 3
_CUE, _LEANING_COSTS, _SHORT_COSTS = 0.3, 0.4, 0.4
_SHORT_WORDS = 8
#: The most words of an opening such as "Not really." or "Exactly.", which only sets the stance of the next sentence.
_OPENING_WORDS = 2
#: The least score of a quoted sentence.
_WORTH_QUOTING = 0.7
_PERSONAL = re.compile(r"(?:I|My|You|Your|From my|In my|For me)\b")
#: Openings by which a sentence of a conversation continues another sentence, besides those of articles.
_GOES_ON = re.compile(
    r"(?:not to mention|heck|in fact|also|that said|related|granted|sure|either way|besides|same|even|because|like|"
    r"which|i mean|some of|one of|the thing is)\b",
    re.IGNORECASE,
)
#: The share of comments that sets the tone; the tone is mixed where both sides have at least half of it.
_TONE_SHARE = 0.3
_AS_TEXT = re.compile(
    rf"(?:Agreement: (?P<agreement>.+)\n)?(?:Disagreement: (?P<disagreement>.+)\n)?"
    rf"Tone: (?P<tone>{POSITIVE}|{NEUTRAL}|{NEGATIVE}|{MIXED})\."
)


@dataclass(frozen=True, slots=True)
class Discussion:
    """``agreement`` and ``disagreement`` quote a sentence of a comment, or are None; ``tone`` is a sentiment."""

    agreement: str | None
    disagreement: str | None
    tone: str

    def as_text(self) -> str:
        """Return the discussion as prose, which :meth:`parse` reads."""
        lines = {"Agreement": self.agreement, "Disagreement": self.disagreement, "Tone": f"{self.tone}."}
        return "\n".join(f"{name}: {line}" for name, line in lines.items() if line)

    @classmethod
    def parse(cls, text: str) -> Discussion | None:
        """Parse *text*; None unless all of it is a discussion, so that no line of another text counts."""
        match = _AS_TEXT.fullmatch(text)
        return cls(**match.groupdict()) if match else None


@dataclass(frozen=True, slots=True)
class _Sentence:
    comment: int
    said: str
    stance: Stance


def discussion(comments: Sequence[str]) -> Discussion:
    """Return the discussion of *comments*, a text for each comment."""
    quoted = list(islice(_in_turn(comments), RANK_AT_MOST))
    if not quoted:
        return Discussion(None, None, _tone(comments))
    likeness = similarities([sentence.said for sentence in quoted])
    ranks = centrality(likeness)
    agreement: list[tuple[float, str]] = []
    disagreement: list[tuple[float, str]] = []
    for place, (sentence, rank) in enumerate(zip(quoted, ranks, strict=True)):
        others = {quoted[other].comment for other, alike in enumerate(likeness[place]) if alike >= _ALIKE}
        support = len(others - {sentence.comment})
        worth = (
            rank
            + _SUPPORT * min(support, _SUPPORT_AT_MOST)
            + _CUE * (sentence.stance is not Stance.NONE)
            - _cost(sentence.said)
        )
        if sentence.stance is Stance.AGAINST:
            disagreement.append((worth, sentence.said))
        elif (support and sentence.stance is Stance.ALONG) or (
            support >= _AGREED and _speaks_for_others(sentence.said)
        ):
            agreement.append((worth, sentence.said))
    return Discussion(_best(agreement), _best(disagreement), _tone(comments))


def _in_turn(comments: Sequence[str]) -> Iterator[_Sentence]:
    """Yield the quotable sentences without duplicates: the first of each comment, then the second of each, ..."""
    quotable = [list(_quotable(number, clean(comment))) for number, comment in enumerate(comments)]
    seen: set[str] = set()
    for sentence in chain.from_iterable(zip_longest(*quotable)):
        if sentence is not None and sentence.said not in seen:
            seen.add(sentence.said)
            yield sentence


def _quotable(number: int, comment: str) -> Iterator[_Sentence]:
    """Yield the quotable sentences of a comment; the stance of its opening applies to its first full sentence."""
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
    """Return whether a sentence can speak for several comments; a personal sentence seldom does."""
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

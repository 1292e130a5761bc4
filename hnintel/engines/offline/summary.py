"""Extractive summaries: the takeaway sentence of a text, or a few sentences that cover it."""

from __future__ import annotations

from collections.abc import Sequence

from hnintel.engines.offline import prose
from hnintel.engines.offline.ranking import RANK_AT_MOST, centrality, choose, content_words, similarities
from hnintel.engines.offline.text import Document, clean, sentences, without_marks

TAKEAWAY_WORDS = 25
SUMMARY_SENTENCES = 4
_SUMMARY_WORDS = 40
#: Weights of a takeaway: central to the text, about its title, near its start, understandable alone.
_CENTRAL, _ON_TITLE, _EARLY = 0.4, 0.45, 0.4
_EARLY_FADES = 0.25
_LEANING_COSTS, _QUESTION_COSTS, _INSTRUCTION_COSTS = 0.35, 0.4, 0.6
_CUT_COSTS, _PERSONAL_COSTS, _SHORT_COSTS = 0.12, 0.1, 0.3
_SHORT_WORDS = 9
_ON_TASK = 0.8


def takeaway(document: Document) -> str | None:
    """Return the takeaway sentence of *document*, its title where no sentence fits, None where it has neither."""
    for sentence in _by_worth(document):
        if short := prose.shortened(sentence, TAKEAWAY_WORDS):
            return short
    title = " ".join(without_marks(document.title).split())
    if not title or prose.speaks_to_machines(title):
        return None
    return prose.shortened(title, TAKEAWAY_WORDS) or " ".join(title.split()[:TAKEAWAY_WORDS])


def summarize(texts: Sequence[str], task: str = "", count: int = SUMMARY_SENTENCES) -> str:
    """Return the most central, mutually different sentences of *texts* in order; words of *task* raise the score."""
    quotable = _quotable([sentence for text in texts for sentence in sentences(clean(text))])
    if not quotable:
        return ""
    matrix = similarities(quotable)
    task_words = frozenset(content_words(task))
    scores = [
        rank + _ON_TASK * _overlap(sentence, task_words) - (_LEANING_COSTS if prose.leans_on_another(sentence) else 0.0)
        for sentence, rank in zip(quotable, centrality(matrix), strict=True)
    ]
    chosen = sorted(choose(scores, matrix, count))
    return " ".join(prose.shortened(quotable[place], _SUMMARY_WORDS) or quotable[place] for place in chosen)


def _by_worth(document: Document) -> list[str]:
    quotable = _quotable(sentences(document.body))
    about = frozenset(content_words(document.title))
    ranks = centrality(similarities(quotable)) if quotable else []
    worth = [
        _CENTRAL * rank + _ON_TITLE * _overlap(sentence, about) + _EARLY / (1 + _EARLY_FADES * place) - _cost(sentence)
        for place, (sentence, rank) in enumerate(zip(quotable, ranks, strict=True))
    ]
    return [
        quotable[place] for place in sorted(range(len(quotable)), key=lambda place: (-round(worth[place], 6), place))
    ]


def _quotable(candidates: Sequence[str]) -> list[str]:
    """Return the quotable sentences, without duplicates."""
    return list(dict.fromkeys(sentence for sentence in candidates if prose.quotable(sentence)))[:RANK_AT_MOST]


def _overlap(sentence: str, target_words: frozenset[str]) -> float:
    return len(target_words & frozenset(content_words(sentence))) / len(target_words) if target_words else 0.0


def _cost(sentence: str) -> float:
    return (
        (_LEANING_COSTS if prose.leans_on_another(sentence) else 0.0)
        + (_INSTRUCTION_COSTS if prose.instructs(sentence) else 0.0)
        + (_QUESTION_COSTS if sentence.endswith("?") else 0.0)
        + (_CUT_COSTS if len(sentence.split()) > TAKEAWAY_WORDS else 0.0)
        + (_SHORT_COSTS if len(sentence.split()) < _SHORT_WORDS else 0.0)
        + (_PERSONAL_COSTS if sentence.startswith(("I ", "I'", "I’", "My ", "You ", "Your ")) else 0.0)
    )

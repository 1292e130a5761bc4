"""Answers a task over a whole group of texts: a discussion, themes, launches, trends, else a summary towards it."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from hnintel.engines.offline.discussion import discussion
from hnintel.engines.offline.highlights import launches, trends
from hnintel.engines.offline.ranking import RANK_AT_MOST, centrality, choose, content_words, similarities
from hnintel.engines.offline.story_lines import Line, cited, read_lines
from hnintel.engines.offline.summary import summarize
from hnintel.engines.offline.themes import themes

_READ_AT_MOST = 2_000
_SUMMARY_LINES = 5
_ON_TASK = 1.5
_DISCUSSION = re.compile(r"\bagree\b.*\bdisagree\b", re.I | re.S)
#: What a task asks for, by the words it asks with; several may be asked at once, and are answered in its order.
_ASKED: tuple[tuple[re.Pattern[str], Callable[[Sequence[Line]], list[str]]], ...] = (
    (re.compile(r"\bthemes?\b|\bmain topics?\b|\bdominant topics?\b", re.I), themes),
    (re.compile(r"\blaunch(?:es)?\b|\bnotable releases?\b|\bnew products?\b|\bannouncements?\b", re.I), launches),
    (re.compile(r"\btrends?\b|\btrending\b|\bemerging\b", re.I), trends),
)


def digest(texts: Sequence[str], task: str | None) -> str:
    """Lines of prose about *texts*, each statement with the ids it rests on; empty where there is nothing to say."""
    if _DISCUSSION.search(task or ""):
        return discussion(texts[:_READ_AT_MOST]).told()
    lines = read_lines(texts[:_READ_AT_MOST])
    asked = sorted(
        (found.start(), place) for place, (words, _) in enumerate(_ASKED) if (found := words.search(task or ""))
    )
    if asked:
        return "\n".join(dict.fromkeys(told for _, place in asked for told in _ASKED[place][1](lines)))
    if any(line.id is not None for line in lines):
        return "\n".join(_central_lines(lines[:RANK_AT_MOST], task or ""))
    return summarize(texts[:_READ_AT_MOST], task or "")


def _central_lines(lines: Sequence[Line], task: str) -> list[str]:
    """The most central, mutually different lines, nearer to the task's words if any, in their order."""
    said = [line.said for line in lines]
    matrix = similarities(said)
    asked = frozenset(content_words(task))
    nearness = [len(asked & set(content_words(text))) / len(asked) if asked else 0.0 for text in said]
    scores = [rank + _ON_TASK * near for rank, near in zip(centrality(matrix), nearness, strict=True)]
    return [cited(lines[place].statement, [lines[place]]) for place in sorted(choose(scores, matrix, _SUMMARY_LINES))]

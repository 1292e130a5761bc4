"""Answers a task about a group of texts: a discussion, themes, launches or trends, else a summary for the task."""

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
#: The methods of a task, by its words; several methods may match, and answer in the order of the words in the task.
_METHODS: tuple[tuple[re.Pattern[str], Callable[[Sequence[Line]], list[str]]], ...] = (
    (re.compile(r"\bthemes?\b|\bmain topics?\b|\bdominant topics?\b", re.I), themes),
    (re.compile(r"\blaunch(?:es)?\b|\bnotable releases?\b|\bnew products?\b|\bannouncements?\b", re.I), launches),
    (re.compile(r"\btrends?\b|\btrending\b|\bemerging\b", re.I), trends),
)


def digest(texts: Sequence[str], task: str | None) -> str:
    """Return lines of prose about *texts*, each statement with the ids that support it; empty without a statement."""
    if _DISCUSSION.search(task or ""):
        return discussion(texts[:_READ_AT_MOST]).as_text()
    lines = read_lines(texts[:_READ_AT_MOST])
    matches = sorted(
        (match.start(), place) for place, (words, _) in enumerate(_METHODS) if (match := words.search(task or ""))
    )
    if matches:
        return "\n".join(dict.fromkeys(line for _, place in matches for line in _METHODS[place][1](lines)))
    if any(line.id is not None for line in lines):
        return "\n".join(_central_lines(lines[:RANK_AT_MOST], task or ""))
    return summarize(texts[:_READ_AT_MOST], task or "")


def _central_lines(lines: Sequence[Line], task: str) -> list[str]:
    """Return the most central, mutually different lines in their order; the words of the task raise a line's score."""
    texts = [line.said for line in lines]
    matrix = similarities(texts)
    task_words = frozenset(content_words(task))
    nearness = [len(task_words & set(content_words(text))) / len(task_words) if task_words else 0.0 for text in texts]
    scores = [rank + _ON_TASK * near for rank, near in zip(centrality(matrix), nearness, strict=True)]
    return [cited(lines[place].statement, [lines[place]]) for place in sorted(choose(scores, matrix, _SUMMARY_LINES))]

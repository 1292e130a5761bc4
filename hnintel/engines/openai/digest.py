"""Prose over more texts than one prompt takes: over groups of them, then over what these came to, until it is one."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from hnintel.engines.base import Answer, Usage
from hnintel.engines.offline.tokens import count_tokens

#: Asks an instruction about groups of texts; an answer a group.
AskEach = Callable[[str, Sequence[Sequence[str]]], list[Answer]]

SUMMARISE = "Summarise these texts in a few sentences."
_TOGETHER = (
    "The texts are answers to the task below, each over a part of what it is about. Make one answer of them: leave out "
    "what is said twice, and keep every id in brackets.\nThe task: "
)
#: Times that digests are digested: enough for a million texts, unless a model answers at greater length than it reads.
_ROUNDS = 6


def digest(texts: Sequence[str], task: str | None, budget: int, ask_each: AskEach) -> Answer:
    """One answer to *task* over all of *texts*, with about *budget* tokens of them in a prompt."""
    task = task or SUMMARISE
    instruction = task
    spent: list[Usage | None] = []
    for _ in range(_ROUNDS):
        answers = ask_each(instruction, grouped(texts, budget))
        spent += [answer.usage for answer in answers]
        counted = [usage for usage in spent if usage is not None]
        usage = sum(counted, Usage()) if len(counted) == len(spent) else None
        bad = next((answer.error for answer in answers if answer.error is not None), None)
        if bad is not None:
            return Answer(error=bad, usage=usage)
        if len(answers) == 1:
            return Answer(answers[0].value, usage=usage)
        texts, instruction = [answer.value for answer in answers], _TOGETHER + task
    return Answer(error=f"{len(texts)} digests are still too long for one prompt", usage=usage)


def grouped(texts: Sequence[str], budget: int) -> list[list[str]]:
    """Texts in their order, in groups of about *budget* tokens; a text that is longer by itself is cut in pieces."""
    groups: list[list[str]] = [[]]
    room = budget
    for text in texts:
        for piece in _pieces(text, budget):
            cost = count_tokens(piece)
            if cost > room and groups[-1]:
                groups.append([])
                room = budget
            groups[-1].append(piece)
            room -= cost
    return groups


def _pieces(text: str, budget: int) -> list[str]:
    if count_tokens(text) <= budget or len(text) < 2:
        return [text]
    middle = len(text) // 2
    blank = text.find(" ", middle)
    cut = blank if 0 <= blank < len(text) - 1 else middle
    return _pieces(text[:cut], budget) + _pieces(text[cut:], budget)

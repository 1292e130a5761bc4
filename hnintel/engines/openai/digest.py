"""A digest of more texts than fit into a prompt: of groups of texts, then of their digests, until one is left."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from hnintel.engines.base import Answer, Usage
from hnintel.engines.offline.tokens import count_tokens

#: Sends an instruction with each group of texts, and returns an answer for each group.
AskEach = Callable[[str, Sequence[Sequence[str]]], list[Answer]]

SUMMARISE = "Summarise these texts in a few sentences."
_TOGETHER = (
    "The texts are answers to the task below, each over a part of what it is about. Make one answer of them: leave out "
    "what is said twice, and keep every id in brackets.\nThe task: "
)
#: The most rounds of digesting: enough for a million texts, unless answers are longer than the texts.
_ROUNDS = 6


def digest(texts: Sequence[str], task: str | None, budget: int, ask_each: AskEach) -> Answer:
    """Return an answer to *task* about all *texts*, with about *budget* tokens of texts in each prompt."""
    task = task or SUMMARISE
    instruction = task
    spent: list[Usage | None] = []
    for _ in range(_ROUNDS):
        answers = ask_each(instruction, grouped(texts, budget))
        spent += [answer.usage for answer in answers]
        counted = [usage for usage in spent if usage is not None]
        usage = sum(counted, Usage()) if len(counted) == len(spent) else None
        error = next((answer.error for answer in answers if answer.error is not None), None)
        if error is not None:
            return Answer(error=error, usage=usage)
        if len(answers) == 1:
            return Answer(answers[0].value, usage=usage)
        texts, instruction = [answer.value for answer in answers], _TOGETHER + task
    return Answer(error=f"{len(texts)} digests are still too long for one prompt", usage=usage)


def grouped(texts: Sequence[str], budget: int) -> list[list[str]]:
    """Return the texts in order, in groups of about *budget* tokens; a longer text is cut into pieces."""
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

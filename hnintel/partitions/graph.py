"""The stages that a day goes through, which comes after which, and the words that choose among them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from graphlib import CycleError, TopologicalSorter

from hnintel.errors import DeclarationError, UsageError
from hnintel.partitions.stage import Stage

#: Each stage, in an order in which they can run, with those that it comes right after.
Stages = Mapping[str, tuple[str, ...]]


def ordered(declared: Mapping[str, Stage]) -> Stages:
    """The stages in an order in which they can run; of those that can run side by side, in the order declared.

    Raises:
        DeclarationError: a stage comes after one that is not declared, or stages come after each other.
    """
    after = {name: _upstream(declared, stage) for name, stage in declared.items()}
    sorter, names = TopologicalSorter(after), list[str]()
    try:
        sorter.prepare()
    except CycleError as error:
        raise DeclarationError(f"stages {', '.join(error.args[1])} come after each other: correct an `after`") from None
    while sorter.is_active():
        ready = sorted(sorter.get_ready(), key=list(after).index)
        names += ready
        sorter.done(*ready)
    return {name: after[name] for name in names}


def _upstream(declared: Mapping[str, Stage], stage: Stage) -> tuple[str, ...]:
    found: list[str] = []
    for word in stage.after:
        named = [name for name in declared if is_named(name, word)]
        if not named:
            there = ", ".join(declared)
            raise DeclarationError(f"stage '{stage.name}' comes after '{word}', which is no stage: give one of {there}")
        found += named
    return tuple(found)


def is_named(stage: str, word: str) -> bool:
    """Whether *word* means *stage*: by its whole name, or by its file's, which means every stage declared there."""
    return word in (stage, stage.partition(":")[0])


def choose(stages: Stages, words: Iterable[str]) -> frozenset[str]:
    """The stages that *words* mean; none mean all.

    A word is the name of a stage, or ``enrich`` for every enrichment; with a ``+`` behind it, what is downstream of it
    too: ``enrich:entities+``. Several may stand in one, with commas between them.

    Raises:
        UsageError: there is no such stage.
    """
    named = [word for text in words for word in (part.strip() for part in text.split(",")) if word]
    if not named:
        return frozenset(stages)
    chosen: set[str] = set()
    for word in named:
        found = _named(stages, word.removesuffix("+"))
        chosen |= with_downstream(stages, found) if word.endswith("+") else found
    return frozenset(chosen)


def _named(stages: Stages, word: str) -> set[str]:
    found = {stage for stage in stages if is_named(stage, word)}
    if not found:
        there = dict.fromkeys([*stages, *(stage.partition(":")[0] for stage in stages)])
        raise UsageError(f"'{word}' is not a stage: give one of {', '.join(there)}, with + for downstream")
    return found


def with_downstream(stages: Stages, chosen: Collection[str]) -> frozenset[str]:
    """*chosen*, and every stage that comes after one of them, right or at a distance."""
    found = set(chosen)
    for stage, after in stages.items():  # in order: what comes later sees what was added before
        if found.intersection(after):
            found.add(stage)
    return frozenset(found)


def in_words(stages: Stages, chosen: Sequence[str] | frozenset[str]) -> str:
    """The chosen stages in their order, or that it is all of them."""
    return "all stages" if set(chosen) == set(stages) else ", ".join(stage for stage in stages if stage in chosen)

"""The stages of a day, their order, and the words that choose stages."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from graphlib import CycleError, TopologicalSorter

from hnintel.errors import DeclarationError, UsageError, did_you_mean
from hnintel.partitions.stage import Stage

#: Each stage, in an order in which they can run, with its direct upstream stages.
Stages = Mapping[str, tuple[str, ...]]


def ordered(declared: Mapping[str, Stage]) -> Stages:
    """Return the stages in an order in which they can run; stages that can run in parallel in the order declared.

    Raises:
        DeclarationError: a stage comes after an undeclared stage, or stages come after each other.
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
    selected: list[str] = []
    for word in stage.after:
        named = [name for name in declared if is_named(name, word)]
        if not named:
            names = ", ".join(declared)
            raise DeclarationError(f"stage '{stage.name}' comes after '{word}', which is no stage: give one of {names}")
        selected += named
    return tuple(selected)


def is_named(stage: str, word: str) -> bool:
    """Whether *word* means *stage*: by its whole name, or by its file's name, which means every stage of the file."""
    return word in (stage, stage.partition(":")[0])


def choose(stages: Stages, words: Iterable[str]) -> frozenset[str]:
    """Return the stages that *words* name; no words name all stages.

    A word is the name of a stage, or ``enrich`` for every enrichment; a ``+`` behind it adds the downstream stages:
    ``enrich:entities+``. A text may name several stages, separated by commas.

    Raises:
        UsageError: a word names no stage.
    """
    named = [word for text in words for word in (part.strip() for part in text.split(",")) if word]
    if not named:
        return frozenset(stages)
    chosen: set[str] = set()
    for word in named:
        selected = _named(stages, word.removesuffix("+"))
        chosen |= with_downstream(stages, selected) if word.endswith("+") else selected
    return frozenset(chosen)


def _named(stages: Stages, word: str) -> set[str]:
    selected = {stage for stage in stages if is_named(stage, word)}
    if not selected:
        names = dict.fromkeys([*stages, *(stage.partition(":")[0] for stage in stages)])
        hint = did_you_mean(word, [*names, *(stage.partition(":")[2] for stage in stages if ":" in stage)])
        raise UsageError(f"'{word}' is not a stage: give one of {', '.join(names)}, with + for downstream{hint}")
    return selected


def with_downstream(stages: Stages, chosen: Collection[str]) -> frozenset[str]:
    """Return *chosen* and every stage directly or indirectly downstream of them."""
    selected = set(chosen)
    for stage, after in stages.items():  # in order: a later stage sees the stages added before
        if selected.intersection(after):
            selected.add(stage)
    return frozenset(selected)


def in_words(stages: Stages, chosen: Sequence[str] | frozenset[str]) -> str:
    """Name the chosen stages in their order, or say that all are chosen."""
    return "all stages" if set(chosen) == set(stages) else ", ".join(stage for stage in stages if stage in chosen)

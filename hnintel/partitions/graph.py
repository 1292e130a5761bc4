"""The stages that a day goes through, which comes after which, and the words that choose among them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from hnintel.enrich.declaration import Enrichment
from hnintel.errors import UsageError
from hnintel.ledger.stage_names import (
    ARTICLES,
    BRIEFING,
    ENRICH,
    INGEST,
    PUBLISH,
    TRANSFORM,
    is_enrichment,
    of_enrichment,
)

#: Each stage, in an order in which they can run, with those that it comes right after.
Stages = Mapping[str, tuple[str, ...]]


def stages_of(enrichments: Mapping[str, Enrichment]) -> Stages:
    """The stages of a day, given the enrichments there are (each after those it comes after)."""
    asked = {one.stage: (INGEST, ARTICLES, *map(of_enrichment, one.after)) for one in enrichments.values()}
    return {
        INGEST: (),
        ARTICLES: (INGEST,),
        **asked,
        TRANSFORM: (INGEST, ARTICLES, *asked),
        BRIEFING: (TRANSFORM,),
        PUBLISH: (BRIEFING,),
    }


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
        chosen |= _with_downstream(stages, found) if word.endswith("+") else found
    return frozenset(chosen)


def _named(stages: Stages, name: str) -> set[str]:
    found = {stage for stage in stages if stage == name or (name == ENRICH and is_enrichment(stage))}
    if not found:
        raise UsageError(f"'{name}' is not a stage: give one of {', '.join([*stages, ENRICH])}, with + for downstream")
    return found


def _with_downstream(stages: Stages, chosen: set[str]) -> set[str]:
    for stage, after in stages.items():  # in order: what comes later sees what was chosen before
        if chosen.intersection(after):
            chosen = chosen | {stage}
    return chosen


def in_words(stages: Stages, chosen: Sequence[str] | frozenset[str]) -> str:
    """The chosen stages in their order, or that it is all of them."""
    return "all stages" if set(chosen) == set(stages) else ", ".join(stage for stage in stages if stage in chosen)

"""The stages that a day goes through, which comes after which, and the words that choose among them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol, TypeVar

from hnintel.enrich.declaration import Enrichment
from hnintel.errors import UsageError

INGEST, ARTICLES, ENRICH, TRANSFORM, BRIEFING, PUBLISH = (
    "ingest",
    "articles",
    "enrich",
    "transform",
    "briefing",
    "publish",
)

#: What has a second key beside the day: where it was read from. Every other stage is made of rows, whoever read them.
BY_SOURCE = (INGEST, ARTICLES)

#: Each stage, in an order in which they can run, with those that it comes right after.
Stages = Mapping[str, tuple[str, ...]]


def stages_of(enrichments: Mapping[str, Enrichment]) -> Stages:
    """The stages of a day, given the enrichments there are (each after those it comes after)."""
    asked = {one.stage: (INGEST, ARTICLES, *(f"{ENRICH}:{name}" for name in one.after)) for one in enrichments.values()}
    return {
        INGEST: (),
        ARTICLES: (INGEST,),
        **asked,
        TRANSFORM: (INGEST, ARTICLES, *asked),
        BRIEFING: (TRANSFORM,),
        PUBLISH: (BRIEFING,),
    }


class Read(Protocol):
    """What the ledger has of a stage; *source* is None where it was made before sources were kept."""

    @property
    def source(self) -> str | None: ...


R = TypeVar("R", bound=Read)


def as_read_from(source: str, stage: str, noted: Mapping[str, R]) -> R | None:
    """What the ledger has of a stage, as far as *source* goes: its own reading where there was one, else the last one.

    Args:
        source: as the user named it.
        stage: of a day.
        noted: all that the ledger has of the day, by stage.
    """
    last = noted.get(stage)
    if last is None or stage not in BY_SOURCE or last.source in (None, source):
        return last
    return noted.get(beside(stage, source), last)


def beside(stage: str, source: str) -> str:
    """What the ledger calls a reading from *source* of which it keeps a row while a later one was from another."""
    return f"{stage}@{source}"


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
    found = {stage for stage in stages if stage == name or (name == ENRICH and stage.startswith(f"{ENRICH}:"))}
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

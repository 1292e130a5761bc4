"""The stages of a day, and the words that choose among them."""

from __future__ import annotations

import pytest

from hnintel.enrich.declaration import load_enrichments
from hnintel.errors import UsageError
from hnintel.partitions.graph import choose, in_words, ordered
from hnintel.partitions.stage import load_stages

STAGES = ordered(load_stages(load_enrichments()))
MARTS = {"transform", "briefing", "publish"}
ASKED = {f"enrich:{name}" for name in load_enrichments()}


def test_every_stage_comes_after_those_it_is_made_of() -> None:
    names = list(STAGES)
    assert all(names.index(upstream) < names.index(stage) for stage, after in STAGES.items() for upstream in after)


def test_an_enrichment_comes_after_the_one_it_names() -> None:
    for one in load_enrichments().values():
        assert set(STAGES[one.stage]) == {"ingest", "articles", *(f"enrich:{name}" for name in one.after)}


@pytest.mark.parametrize(
    ("words", "chosen"),
    [
        ([], set(STAGES)),
        (["ingest"], {"ingest"}),
        (["ingest+"], set(STAGES)),
        (["enrich"], ASKED),
        (["enrich+"], ASKED | MARTS),
        (["enrich:sentiment"], {"enrich:sentiment"}),
        (["enrich:takeaway+"], {"enrich:takeaway"} | MARTS),
        (["enrich:sentiment+"], {"enrich:sentiment", "enrich:entities"} | MARTS),
        (["transform+"], MARTS),
        (["ingest,articles", "publish"], {"ingest", "articles", "publish"}),
        ([" ingest , "], {"ingest"}),
    ],
)
def test_words_choose_stages_and_a_plus_what_is_downstream(words: list[str], chosen: set[str]) -> None:
    assert choose(STAGES, words) == chosen


@pytest.mark.parametrize("word", ["enrich:nothing", "scrape", "+", "enrich:", "INGEST"])
def test_a_word_that_is_no_stage_is_refused_with_those_that_are(word: str) -> None:
    with pytest.raises(UsageError, match=r"is not a stage: give one of ingest, articles, .*publish, enrich"):
        choose(STAGES, [word])


def test_chosen_stages_are_told_in_their_order() -> None:
    assert in_words(STAGES, choose(STAGES, [])) == "all stages"
    assert in_words(STAGES, frozenset({"publish", "ingest"})) == "ingest, publish"

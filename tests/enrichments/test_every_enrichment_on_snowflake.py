"""What holds of every enrichment holds on Snowflake too: the same tests, through the connector, on the stand-in.

It shows that the adapter's SQL asks, reads and keeps as the embedded warehouse does. Both are answered by the same
functions, so it shows nothing of Cortex.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from hnintel.enrich.declaration import Enrichment
from tests.enrichments.conftest import REGISTERED
from tests.enrichments.test_bad_answers_and_crashes import *  # noqa: F403 - the same tests, on the fixture below
from tests.enrichments.test_every_enrichment import *  # noqa: F403
from tests.enrichments.test_money import *  # noqa: F403
from tests.enrichments.test_versions import *  # noqa: F403
from tests.warehouse.world import Asking, fresh_snowflake

pytestmark = pytest.mark.slow

#: What is about the embedded warehouse alone, and why.
_NOT_HERE = {
    "test_a_killed_process_costs_one_chunk_and_the_next_run_asks_only_the_rest": "the stand-in is in this process",
    "test_a_lost_engine_costs_one_chunk_and_the_next_run_asks_only_the_rest": "no words of Cortex are told",
    "test_an_engine_that_goes_away_half_way_costs_nothing_that_was_answered": "a statement answers whole or not at all",
    "test_a_digest_that_was_made_before_the_engine_went_away_is_asked_about": "a statement answers whole or not at all",
    "test_the_plan_asks_nothing_keeps_nothing_and_names_what_a_run_then_asks": "a table that is made stays made",
    "test_whatever_is_answered_each_item_has_either_a_good_row_or_a_dead_letter": "five minutes of the stand-in",
    "test_every_question_is_the_one_that_was_accepted": "no warehouse is in it",
}
for _name in _NOT_HERE:
    del globals()[_name]

#: The one that is asked by two functions, over many texts, is the one of the slow tier: that the statements of every
#: enrichment are right is also shown by tests/flows/test_a_day_on_snowflake.py.
_ONE = [name if name == "discussion" else pytest.param(name, marks=pytest.mark.long) for name in REGISTERED]


@pytest.fixture(params=_ONE)
def enrichment(request: pytest.FixtureRequest) -> Enrichment:
    """A registered enrichment."""
    return REGISTERED[request.param]


@pytest.fixture
def each_enrichment(enrichment: Enrichment) -> Enrichment:
    """The same: no more of them are in the slow tier."""
    return enrichment


@pytest.fixture(autouse=True)
def _on_snowflake(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Asking, "opens", staticmethod(fresh_snowflake))


@pytest.fixture
def asking(tmp_path: Path) -> Asking:
    """An empty database of the stand-in."""
    return Asking(tmp_path)

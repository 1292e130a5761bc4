"""What holds of every enrichment when its question changes: accepted on purpose, and nothing is lost from sight."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from hnintel.engines.offline import OfflineEngine
from hnintel.enrich import accepted, superseded
from hnintel.enrich.declaration import Enrichment, load_enrichments
from hnintel.enrich.run import EnrichmentRun
from hnintel.errors import DeclarationError
from tests.enrichments.subjects import load_worthy
from tests.warehouse.world import DAY, Asking


def test_every_question_is_the_one_that_was_accepted() -> None:
    """Where this fails, a change asks everything anew; ``python -m hnintel gen`` accepts it."""
    assert accepted.differences(load_enrichments(), None) == []


def test_a_changed_question_is_refused_until_it_is_accepted(tmp_path: Path, each_enrichment: Enrichment) -> None:
    accepted.accept({each_enrichment.name: each_enrichment}, tmp_path)
    changed = {each_enrichment.name: replace(each_enrichment, version=each_enrichment.version + 1)}
    with pytest.raises(DeclarationError, match=rf"{each_enrichment.name}\.py: the question changed .* hnintel gen"):
        accepted.refuse_changed(changed, tmp_path)
    accepted.accept(changed, tmp_path)
    accepted.refuse_changed(changed, tmp_path)


def test_a_new_question_needs_no_acceptance_before_it_is_asked(tmp_path: Path, each_enrichment: Enrichment) -> None:
    accepted.refuse_changed({each_enrichment.name: each_enrichment}, tmp_path)
    assert accepted.differences({each_enrichment.name: each_enrichment}, tmp_path) == [
        accepted.Difference(each_enrichment.name, "new")
    ]


def test_another_engine_or_length_of_input_is_no_change_of_the_declaration(each_enrichment: Enrichment) -> None:
    assert accepted.declared({"it": each_enrichment}) == accepted.declared({"it": replace(each_enrichment)})


def test_while_a_new_question_is_asked_every_item_still_shows_an_answer(asking: Asking, enrichment: Enrichment) -> None:
    ids = load_worthy(asking, enrichment)
    asking.run(enrichment, "old")
    run = EnrichmentRun(
        asking.warehouse, changed(enrichment), DAY, asking.settings.model_copy(update={"enrich_chunk": 2}), "new"
    )
    run.begin()
    run.next_chunk(after=0)

    shown = asking.answers(enrichment)
    assert [row["item_id"] for row in shown] == ids
    assert [row["run_id"] for row in shown] == ["new", "new"] + ["old"] * (len(ids) - 2)


def test_of_earlier_answers_the_latest_is_shown(asking: Asking, enrichment: Enrichment) -> None:
    load_worthy(asking, enrichment)
    asking.run(enrichment, "first")
    asking.run(changed(enrichment), "second")
    EnrichmentRun(asking.warehouse, changed(enrichment, 2), DAY, asking.settings, "third").begin()
    assert {row["run_id"] for row in asking.answers(enrichment)} == {"second"}


def test_pruning_removes_what_is_shown_no_more_and_nothing_else(asking: Asking, enrichment: Enrichment) -> None:
    ids = load_worthy(asking, enrichment)
    asking.run(enrichment, "old")
    settings = asking.settings.model_copy(update={"enrich_chunk": 1})
    run = EnrichmentRun(asking.warehouse, changed(enrichment), DAY, settings, "new")
    run.begin()
    run.next_chunk(after=0)
    before = asking.answers(enrichment)
    cost = asking.rows("SELECT * FROM ops.ai_usage ORDER BY run_id, function")

    there = {enrichment.name: changed(enrichment)}
    with asking.warehouse.transaction(stage="enrich") as session:
        removed = superseded.prune(session, asking.warehouse, there, asking.settings)
    assert removed == [superseded.Superseded(enrichment.name, "offline-1", 1)]
    assert asking.answers(enrichment) == before
    kept = asking.answers(enrichment, current=False)
    assert [(row["item_id"], row["run_id"]) for row in kept] == [(ids[0], "new"), *((one, "old") for one in ids[1:])]
    assert asking.rows("SELECT * FROM ops.ai_usage ORDER BY run_id, function") == cost
    with asking.warehouse.transaction(stage="enrich") as session:
        assert superseded.prune(session, asking.warehouse, there, asking.settings) == []


def test_pruning_under_another_engine_leaves_what_was_paid_for_since(asking: Asking, enrichment: Enrichment) -> None:
    class Paid(OfflineEngine):
        def model(self, asked_for: str) -> str:
            return "offline-paid"

    load_worthy(asking, enrichment)
    asking.run(enrichment, "tried")
    asking.engine.engine = Paid()
    asking.run(enrichment, "paid")
    asking.engine.engine = OfflineEngine()
    with asking.warehouse.transaction(stage="enrich") as session:
        there = {enrichment.name: enrichment}
        assert superseded.prune(session, asking.warehouse, there, asking.settings) == []


@pytest.mark.parametrize("text", ["[]", "no json", '{"topic": 3}'])
def test_what_is_no_lock_file_is_told(tmp_path: Path, text: str) -> None:
    (tmp_path / accepted.NAME).write_text(text)
    with pytest.raises(DeclarationError, match=r"accepted\.json is not a lock file"):
        accepted.refuse_changed({}, tmp_path)


def changed(enrichment: Enrichment, by: int = 1) -> Enrichment:
    """The same question with another version."""
    return replace(enrichment, version=enrichment.version + by)


def test_the_lock_file_is_replaced_whole_so_that_who_is_stopped_half_way_leaves_the_old_one(tmp_path: Path) -> None:
    path = accepted.accept({}, tmp_path)
    (tmp_path / "as it was").hardlink_to(path)
    accepted.accept(load_enrichments(), tmp_path)
    assert json.loads((tmp_path / "as it was").read_text()) == {}
    assert accepted.differences(load_enrichments(), tmp_path) == []
    assert sorted(one.name for one in tmp_path.iterdir()) == ["accepted.json", "as it was"]

"""How a partition stands: what the ledger says of it, and whether what it was made of is still the same."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import pytest

from hnintel.errors import WarehouseBusy
from hnintel.ledger import leases
from hnintel.ledger.leases import Leases
from hnintel.partitions.calendar import Span
from hnintel.partitions.pipeline import Pipeline
from hnintel.partitions.state import sources_of, spans_to_transform
from tests.partitions.days import DAY, NOW, READ, Days
from tests.warehouse.world import bury

NEXT = DAY + timedelta(days=1)


def test_a_day_that_was_never_run_is_missing_in_every_stage(days: Days) -> None:
    assert days.by_status() == {"missing": list(days.pipeline.stages)}
    assert days.stage("ingest").due


def test_a_day_whose_stages_ended_well_is_complete_and_nothing_is_due(days: Days) -> None:
    days.load(1, 2)
    days.note()
    assert days.by_status() == {"complete": list(days.pipeline.stages)}
    assert not any(days.stage(name).due for name in days.pipeline.stages)


@pytest.mark.parametrize("status", ["failed", "stopped"])
def test_a_stage_that_did_not_end_well_says_why_and_is_due(days: Days, status: str) -> None:
    days.note("transform", status=status)  # type: ignore[arg-type]
    found = days.stage("transform")
    assert (found.status, found.why, found.due, found.is_done) == (status, "it broke", True, False)


def test_a_stage_under_way_is_running_while_its_lease_is_kept_and_failed_when_its_run_is_dead(days: Days) -> None:
    days.note("ingest", status=None)
    with Leases(days.warehouse, "run", days.settings) as held:
        assert held.take(DAY, "ingest") is None
        with days.warehouse.transaction(stage="enrich") as session:
            now = next(iter(leases.alive(session, datetime(2000, 1, 1)).values())).heartbeat_at
        assert (days.stage("ingest", now=now).status, days.stage("ingest", now=now).due) == ("running", False)
    found = days.stage("ingest")
    assert (found.status, found.due) == ("failed", True)
    assert "run run, since 2026-11-20 06:00 UTC, died" in found.why


def test_a_changed_title_makes_stale_what_was_asked_about_it_and_the_marts_and_nothing_else(days: Days) -> None:
    days.load(1, 2)
    days.note()
    days.load(1, title="Another story")
    asked = [name for name in days.pipeline.stages if name.startswith("enrich:") and name != "enrich:discussion"]
    assert days.by_status()["stale"] == [*asked, "transform"]
    assert days.stage("enrich:topic").why == "what it is made of has changed"


def test_a_score_that_moved_asks_nothing_again_but_is_news_to_the_marts(days: Days) -> None:
    days.load(1, 2)
    days.note()
    days.load(1, score=4711)
    assert days.by_status()["stale"] == ["transform"]


def test_an_article_that_was_read_since_makes_stale_what_is_asked_about_it(days: Days) -> None:
    days.load(1, url="https://pump.example/a")
    days.note()
    days.sql(
        "INSERT INTO raw.articles (canonical_url, url, status, text, text_hash, attempts, run_id, fetched_at) "
        "SELECT canonical_url, url, 'ok', 'New words', 'h', 1, 'r', now() FROM raw.items"
    )
    assert "enrich:topic" in days.by_status()["stale"]


def test_another_days_rows_change_nothing_of_this_one(days: Days) -> None:
    days.load(1, 2)
    days.note()
    days.load(3, 4, day=NEXT)
    assert "stale" not in days.by_status()


def test_a_changed_question_makes_its_stage_stale_and_no_other(days: Days) -> None:
    days.load(1)
    days.note()
    narrower = days.made_from("sample", discussion_max_chars=900)
    assert days.by_status(narrower)["stale"] == ["enrich:discussion"]
    assert "code, question, model or settings" in days.stage("enrich:discussion", pipeline=narrower).why


def test_a_day_read_from_elsewhere_is_stale_and_says_from_where(days: Days) -> None:
    days.note()
    found = days.stage("ingest", pipeline=days.made_from("live"))
    assert (found.status, found.why) == ("stale", "read from sample, not live")


def test_its_source_is_a_second_key_of_a_days_reading(days: Days) -> None:
    live = days.made_from("live")
    days.note(pipeline=live)
    days.note("ingest", "articles", status="failed", run_id="other", at=READ + timedelta(hours=1))
    assert attempts(days, live) == attempts(days, days.pipeline) == 1
    assert days.by_status()["failed"] == ["ingest", "articles"]
    assert days.by_status(live) == {"complete": list(live.stages)}
    assert days.stage("ingest", pipeline=live).noted.run_id == "run"  # type: ignore[union-attr]
    days.note("ingest", run_id="third", at=READ + timedelta(hours=2), pipeline=live)
    assert days.stage("ingest", pipeline=live).noted.run_id == "third"  # type: ignore[union-attr]
    assert days.stage("ingest").status == "failed"  # which nobody has mended
    days.note("ingest", run_id="fourth", at=READ + timedelta(hours=3))
    assert days.stage("ingest").status == "complete"
    assert attempts(days, live) == attempts(days, days.pipeline) == 2


def attempts(days: Days, pipeline: Pipeline) -> int:
    """How often the reading of the day was begun from a source."""
    noted = days.stage("ingest", pipeline=pipeline).noted
    assert noted is not None
    return noted.attempts


def test_a_day_that_was_read_from_several_sources_names_them_the_last_reading_last(days: Days) -> None:
    days.note("ingest", at=READ)
    days.note("ingest", pipeline=days.made_from("live"), at=READ + timedelta(hours=1))
    days.note("ingest", day=NEXT)
    with days.warehouse.transaction(stage="enrich") as session:
        assert sources_of(session, DAY, NEXT) == {DAY: ["sample", "live"], NEXT: ["sample"]}


def test_a_dump_that_was_changed_makes_what_was_read_of_it_stale(days: Days, tmp_path: Path) -> None:
    from hnintel.sources import open_source

    dump = tmp_path / "dump.ndjson"
    dump.write_text('{"id": 1, "type": "story", "time": 1792600000, "title": "x"}\n', encoding="utf-8")
    pipeline = days.made_from(f"replay:{dump}")
    days.note("ingest", pipeline=pipeline)
    assert days.stage("ingest", pipeline=pipeline).status == "complete"
    dump.write_text('{"id": 1, "type": "story", "time": 1792600000, "title": "other"}\n', encoding="utf-8")
    open_source.cache_clear()
    assert days.stage("ingest", pipeline=pipeline).status == "stale"


@pytest.mark.parametrize(
    ("read", "now", "why"),
    [
        (datetime(2026, 10, 21, 20), datetime(2026, 10, 21, 21), "while the day was going on"),
        (datetime(2026, 10, 22, 6), datetime(2026, 10, 22, 20), None),
        (datetime(2026, 10, 22, 6), datetime(2026, 10, 23, 6), "before D+1"),
        (datetime(2026, 10, 23, 6), datetime(2026, 10, 30, 6), "before D+7"),
        (datetime(2026, 10, 30, 6), datetime(2027, 10, 30, 6), None),
    ],
)
def test_a_day_is_read_again_until_it_has_settled(days: Days, read: datetime, now: datetime, why: str | None) -> None:
    days.note("ingest", at=read)
    found = days.stage("ingest", now=now)
    assert found.status == ("stale" if why else "complete")
    assert (why or "") in found.why


def test_what_waits_in_the_dead_letters_makes_a_stage_partial_and_due_once_its_wait_is_over(days: Days) -> None:
    days.note("ingest")
    bury(days.warehouse, "items", ["1", "2"], now=READ, day=DAY)
    soon, later = days.stage("ingest", now=READ + timedelta(minutes=1)), days.stage("ingest", now=NOW)
    assert (soon.status, soon.due) == ("complete", False)
    assert (later.status, later.due, later.why) == ("partial", True, "2 dead letters, 2 due")


def test_a_stage_made_before_this_was_kept_is_taken_as_it_is(days: Days) -> None:
    days.load(1)
    days.note()
    days.sql("UPDATE ops.partitions SET inputs = NULL, fingerprint = NULL, source = NULL")
    days.load(1, title="Another story")
    assert "stale" not in days.by_status(days.made_from("live"))


def test_days_that_can_be_built_at_once_are_and_no_build_goes_across_one_that_is_not_ready(days: Days) -> None:
    week = [DAY + timedelta(days=number) for number in range(6)]
    for number, day in enumerate(week):
        if number != 4:  # never run: nothing of it is there
            days.load(10 + number, day=day)
            days.note(*list(days.pipeline.stages)[:-3], day=day)
    days.note("enrich:topic", status="failed", day=week[1])
    with days.warehouse.transaction(stage="enrich") as session:
        assert spans_to_transform(session, days.pipeline, Span(week[0], week[-1]), NOW) == [
            [week[0]],
            [week[2], week[3], week[5]],
        ]


def test_a_run_that_lost_its_lease_notes_nothing(days: Days) -> None:
    days.note("ingest", status=None)
    with Leases(days.warehouse, "other", days.settings) as held:
        assert held.take(DAY, "ingest") is None
        with pytest.raises(WarehouseBusy, match="ingest of 2026-10-21 was taken over by process"):
            days.note("ingest", run_id="run")
    assert days.sql("SELECT status FROM ops.partitions") == [("running",)]

"""A stage in a run: its status, the remains of an earlier attempt, and what the cache may answer."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path

import pytest

from flows.stage import Run, stage
from hnintel.errors import WarehouseBusy
from hnintel.ledger.leases import Leases
from hnintel.partitions.state import Partition
from hnintel.runs.summary import Summary
from tests.partitions.days import DAY, Days


@pytest.fixture
def days(home: Path) -> Days:
    return Days(home)


def given(days: Days, name: str, run_id: str = "mine") -> Partition | None:
    """Return the value that the block of a requested stage receives."""

    async def enter() -> Partition | None:
        with Leases(days.warehouse, run_id, days.settings) as held:
            run = Run(DAY, run_id, days.pipeline, held, frozenset([name]), Summary(DAY, run_id, "sample"))
            async with stage(run, name) as to_do:
                return to_do

    return asyncio.run(enter())


def test_a_stage_receives_its_status_and_a_finished_stage_is_skipped(days: Days) -> None:
    found = given(days, "ingest")
    assert found is not None
    assert not found.is_done
    assert given(days, "ingest") is None


def test_a_retried_run_completes_the_stage_that_it_left_running(days: Days) -> None:
    days.note("ingest", status=None, run_id="mine")
    assert given(days, "ingest") is not None
    assert days.stage("ingest").status == "complete"


@pytest.mark.parametrize(
    ("error", "told"), [(asyncio.CancelledError(), "interrupted"), (ZeroDivisionError(), "ended by ZeroDivisionError")]
)
def test_an_unfinished_stage_records_whether_it_was_stopped(days: Days, error: BaseException, told: str) -> None:
    async def fail() -> None:
        with Leases(days.warehouse, "mine", days.settings) as held:
            run = Run(DAY, "mine", days.pipeline, held, frozenset(["ingest"]), Summary(DAY, "mine", "sample"))
            async with stage(run, "ingest"):
                raise error

    with pytest.raises(type(error)):
        asyncio.run(fail())
    assert days.stage("ingest").why == told


@contextmanager
def taken_over(days: Days, name: str) -> Iterator[None]:
    """Let another run on another machine hold the stage's lease for an hour."""
    with Leases(days.warehouse, "other", days.settings) as held:
        assert held.take(DAY, name) is None
        days.sql("UPDATE ops.leases SET expires_at = expires_at + INTERVAL 1 HOUR, holder = 'far-away|pid:[1]|1|1'")
        yield


def test_a_run_whose_enrichment_was_taken_over_asks_no_more(days: Days) -> None:
    from tasks import enrich

    days.load(1, 2)
    enrich.begin.fn("topic", DAY, "mine")
    with taken_over(days, "enrich:topic"), pytest.raises(WarehouseBusy, match=r"enrich:topic of .* was taken over by"):
        enrich.ask.fn("topic", DAY, "mine", 0)
    assert days.sql("SELECT count(*) FROM ops.ai_usage") == [(0,)]
    assert enrich.ask.fn("topic", DAY, "mine", 0) is not None


def test_a_run_whose_day_was_taken_over_loads_no_more_of_it(days: Days) -> None:
    from hnintel.ingest.scraping import Scraped
    from tasks import ingest

    with taken_over(days, "ingest"), pytest.raises(WarehouseBusy, match=r"ingest of .* was taken over by"):
        ingest.load.fn(Scraped(), DAY, "mine")


def test_a_look_at_one_story_waits_for_the_run_of_its_day_without_keeping_its_turn(
    days: Days, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tasks import spotlight

    turns: list[str] = []

    @contextmanager
    def turn(limit: str) -> Iterator[None]:
        turns.append(limit)
        yield

    monkeypatch.setattr(spotlight, "turn", turn)
    monkeypatch.setenv("HNINTEL_LOCK_WAIT", "0")
    with taken_over(days, "enrich:topic"), pytest.raises(WarehouseBusy):
        spotlight.ask.fn("topic", 1, DAY, "mine")
    assert turns == []


def test_a_day_that_was_read_to_its_end_is_not_read_again_out_of_the_cache(
    prefect_server: None, home: Path, small_dump: Path
) -> None:
    from prefect import flow

    from flows.reading import _cached
    from hnintel.settings import load_settings
    from hnintel.sources import open_source
    from tasks import ingest

    day, source = date(2026, 10, 22), f"replay:{small_dump}"
    settings = load_settings()

    @flow
    def score(anew: bool) -> int | None:
        reading = _cached(ingest.scrape, settings, anew).with_options(cache_expiration=timedelta(hours=1))
        # A source whose identity stays the same while its items move, as that of Hacker News does.
        (item,) = reading.submit([100], source=source, identity="moving", day=day).result().items
        score: int | None = item["score"] if isinstance(item, dict) else item.score
        return score

    before = score(anew=False)
    moved = [json.loads(line) for line in small_dump.read_text(encoding="utf-8").splitlines()]
    moved[0]["score"] = 4711
    small_dump.write_text("\n".join(json.dumps(line) for line in moved), encoding="utf-8")
    open_source.cache_clear()

    assert before == 10
    assert score(anew=False) == 10  # of a reading that did not come to its end
    assert score(anew=True) == 4711
    assert score(anew=False) == 4711

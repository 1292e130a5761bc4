"""Days in any order, twice, or side by side come to the same rows."""

from __future__ import annotations

import tempfile
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hnintel.enrich.declaration import load_enrichments
from hnintel.enrich.run import enrich
from hnintel.ledger import leases, stage_rows
from hnintel.partitions.state import partition
from hnintel.warehouse.table_hashes import contents
from tests.partitions.days import DAY, NOW, READ, Days

WEEK = [DAY + timedelta(days=number) for number in range(3)]
ASKED = [load_enrichments()[name] for name in ("sentiment", "topic")]


def run(days: Days, day: date, run_id: str) -> None:
    """Read and ask about a day as a run of it does: what is done is skipped, under the lease of each stage."""
    number = WEEK.index(day)
    for stage in ("ingest", *(one.stage for one in ASKED)):
        with leases.lease(days.warehouse, day, stage, run_id, days.settings):
            with days.warehouse.transaction(stage="enrich") as session:
                if not partition(session, days.pipeline, day, stage, NOW).due:
                    continue
            if stage == "ingest":
                days.note(stage, status=None, day=day, run_id=run_id)
                days.load(*range(10 * number + 1, 10 * number + 4), day=day, title=f"A story of day {number}")
                with days.warehouse.transaction(stage="enrich") as session:
                    stage_rows.end_stage(session, day, stage, "complete", run_id, READ)
            else:
                (one,) = (one for one in ASKED if one.stage == stage)
                days.note(stage, status=None, day=day, run_id=run_id)
                enrich(days.warehouse, one, day, days.settings, run_id)


def left_by(order: list[date], at_once: int) -> dict[str, Any]:
    """What the tables hold, how the stages stand, and how many questions were asked, after these runs."""
    with tempfile.TemporaryDirectory() as folder:
        days = Days(Path(folder), lock_wait=60)
        with ThreadPoolExecutor(at_once) as pool:
            jobs = [pool.submit(run, days, day, f"run {number}") for number, day in enumerate(order)]
            for job in jobs:
                job.result()
        with days.warehouse.transaction(stage="enrich") as session:
            hashes = contents(session, days.warehouse)
            stages = session.execute("SELECT day, stage, status, fingerprint, inputs FROM ops.partitions ORDER BY 1, 2")
            calls = session.execute("SELECT enrichment, sum(calls) FROM ops.ai_usage GROUP BY 1 ORDER BY 1")
            return {"tables": hashes, "stages": stages, "calls": calls}


@cache
def left_in_order() -> dict[str, Any]:
    """What it all comes to when the days are run one after the other, each once."""
    return left_by(WEEK, 1)


def test_days_twice_and_side_by_side_come_to_the_same_rows_for_the_same_questions() -> None:
    assert left_by([WEEK[2], WEEK[0], WEEK[0], WEEK[1], WEEK[0]], at_once=4) == left_in_order()


@pytest.mark.slow
@settings(max_examples=20, deadline=None)
@given(
    order=st.permutations(WEEK),
    extra=st.lists(st.sampled_from(WEEK), max_size=3),
    at_once=st.integers(min_value=1, max_value=4),
)
def test_so_they_do_in_any_order(order: list[date], extra: list[date], at_once: int) -> None:
    assert left_by([*order, *extra], at_once) == left_in_order()

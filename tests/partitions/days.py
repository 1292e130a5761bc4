"""A warehouse with some days of stories in it, and their stages noted as runs note them."""

from __future__ import annotations

import atexit
import itertools
import shutil
import tempfile
from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from hnintel.briefing.pages import path_of
from hnintel.briefing.published_pages import INDEX
from hnintel.ingest import loading, scraping
from hnintel.ingest.rows import item as as_row
from hnintel.ledger import stage_rows, statuses
from hnintel.ledger.stage_names import PUBLISH
from hnintel.models import FirebaseItem
from hnintel.partitions.pipeline import Pipeline
from hnintel.partitions.state import Partition, grid, partition
from hnintel.warehouse.base import Warehouse
from tests.warehouse.world import fresh_duckdb, settings_in

DAY = date(2026, 10, 21)
#: When its days were read: long after they had settled.
READ = datetime(2026, 11, 20, 6, 0)
NOW = READ + timedelta(hours=1)
_SECONDS = itertools.count()


def copied(folder: Path, make: Callable[[Days], None]) -> Days:
    """Days below *folder* as *make* leaves new ones: made once in a process, and copied for each test."""
    shutil.copytree(_made(make), folder, dirs_exist_ok=True)
    return Days(folder)


@cache
def _made(make: Callable[[Days], None]) -> Path:
    folder = Path(tempfile.mkdtemp())
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    make(Days(folder))
    return folder


class Days:
    """Days that a test reads, changes and looks at."""

    def __init__(self, folder: Path, **settings: Any) -> None:
        self.settings = settings_in(folder, **settings)
        self.warehouse: Warehouse = fresh_duckdb(folder)
        self.pipeline = self.made_from("sample")

    def made_from(self, source: str, **settings: Any) -> Pipeline:
        """Who would make the partitions with other settings, or from another source."""
        return Pipeline(self.warehouse, self.settings.model_copy(update=settings), source)

    def load(self, *ids: int, day: date = DAY, **changed: Any) -> None:
        """Load stories of *day*."""
        told = {
            "type": "story",
            "by": "someone",
            "time": 1_792_600_000,
            "title": "A story",
            "score": 100,
            "text": "Words.",
        }
        items = [as_row(FirebaseItem.model_validate({**told, "id": one, **changed}), day, "sample") for one in ids]
        with self.warehouse.transaction(stage="enrich") as session:
            loading.load(session, scraping.Scraped(items=items), day, "run", READ + timedelta(seconds=next(_SECONDS)))

    def note(
        self,
        *stages: str,
        status: statuses.Status | None = "complete",
        day: date = DAY,
        run_id: str = "run",
        at: datetime = READ,
        pipeline: Pipeline | None = None,
        rows: int | None = None,
    ) -> None:
        """Note that *stages* (all: none named) began, and ended with *status* (None: are under way)."""
        pipeline = pipeline or self.pipeline
        with self.warehouse.transaction(stage="enrich") as session:
            for stage in stages or pipeline.stages:
                inputs = pipeline.inputs(session, stage, day, day)[day]
                by_source = pipeline.declared[stage].by_source
                stage_rows.begin_stage(
                    session, day, stage, run_id, at, pipeline.fingerprint(stage), inputs, pipeline.spec, by_source
                )
                if status is not None:
                    error = "it broke" if status in ("failed", "stopped") else None
                    stage_rows.end_stage(session, day, stage, status, run_id, at, rows=rows, error=error)
                if stage == PUBLISH and status == "complete":
                    self.put_page(day)

    def put_page(self, day: date = DAY) -> None:
        """Something in the place of the page of *day* and of the index."""
        for path in (path_of(day, self.settings), self.settings.site / INDEX):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("a page", encoding="utf-8")

    def stage(self, name: str, day: date = DAY, pipeline: Pipeline | None = None, now: datetime = NOW) -> Partition:
        """How one stage stands."""
        with self.warehouse.transaction(stage="enrich") as session:
            return partition(session, pipeline or self.pipeline, day, name, now)

    def by_status(self, pipeline: Pipeline | None = None, day: date = DAY) -> dict[str, list[str]]:
        """The stages of *day*, by how they stand."""
        with self.warehouse.transaction(stage="enrich") as session:
            found = grid(session, pipeline or self.pipeline, day, day, NOW)[day]
        told: dict[str, list[str]] = {}
        for name, one in found.items():
            told.setdefault(one.status, []).append(name)
        return told

    def sql(self, sql: str, params: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Run a statement."""
        with self.warehouse.transaction(stage="enrich") as session:
            return session.execute(sql, params)

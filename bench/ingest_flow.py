"""The flow's side of ``bench/ingest.py``: the ingest and articles stages of the parent flow, inside Prefect.

The stages are the parent flow's own functions, in a flow that ends after them; list, mapped scrape, load, mapped
articles, load, each a task run as ever, into an embedded warehouse. Prints a line of JSON.
"""

from __future__ import annotations

import asyncio
import json
import os
from datetime import date

from prefect import flow, runtime

from flows import main as parent
from flows.local.day import leave
from flows.stage import Run
from hnintel.ledger.leases import Leases
from hnintel.ledger.stage_names import ARTICLES, INGEST
from hnintel.partitions.pipeline import Pipeline
from hnintel.runs.summary import Summary
from hnintel.settings import load_settings
from hnintel.warehouse import open_warehouse
from hnintel.window import parse_day


@flow(name="bench-ingest", task_runner=parent.hacker_news.task_runner)
async def reading(day: date) -> Summary:
    """The first two stages of a day."""
    parent._freeze_imported_objects()
    settings = load_settings()
    pipeline = Pipeline(open_warehouse(settings), settings, settings.source)
    summary = Summary(day, str(runtime.flow_run.id), settings.source)
    with Leases(pipeline.warehouse, summary.run_id, settings) as leases:
        run = Run(day, summary.run_id, pipeline, leases, frozenset(pipeline.stages), summary)
        parent._begin(run)  # as the parent flow does before its stages
        await parent.run_stages(run, [INGEST, ARTICLES])
    return summary


def _came_to(day: date) -> dict[str, int]:
    """What is in the warehouse now."""
    with open_warehouse(load_settings()).transaction(stage="enrich") as session:
        items = session.execute("SELECT count(*) FROM raw.items WHERE day = ? AND status = 'ok'", [day])[0][0]
        texts, chars = session.execute("SELECT count(text), sum(length(text)) FROM raw.articles WHERE status = 'ok'")[0]
    return {"items": items, "texts": texts, "chars": int(chars or 0)}


def main() -> None:
    """Run once, as the environment says."""
    day = parse_day(os.environ["BENCH_DAY"])
    summary = asyncio.run(reading(day))
    from prefect.events.worker import EventsWorker

    EventsWorker.drain_all(timeout=20)
    print(json.dumps({"seconds": summary.seconds, **_came_to(day)}), flush=True)


if __name__ == "__main__":
    main()
    leave(0)

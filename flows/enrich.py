"""The one subflow that every enrichment runs in: one day, chunk by chunk, each a task that may be tried again."""

from __future__ import annotations

import asyncio
from datetime import date

from prefect import flow

from flows.asking import asked
from hnintel import progress
from hnintel.cost.usage import Enriched
from hnintel.enrich.run import warn_uncounted
from tasks import assets
from tasks import enrich as tasks


@flow(name="enrich", flow_run_name="{name} {day}", persist_result=False)
async def enrich(name: str, day: date, run_id: str) -> Enriched:
    """Ask the enrichment *name* about everything of *day* that is pending.

    Args:
        name: of a file in ``hnintel/enrichments``.
        day: the partition.
        run_id: what the rows are stamped with.
    """
    stage = f"enrich {name}"
    progress.update(stage, 0)
    known = await asyncio.to_thread(tasks.begin.submit(name, day, run_id).result)
    total, after = Enriched(reused=known), 0
    while True:
        chunk = await asked(tasks.ask.submit(name, day, run_id, after))
        if chunk is None:
            break
        warn_uncounted(name, total, chunk.came)
        total, after = total + chunk.came, chunk.last
        progress.update(stage, total.asked)
        await asyncio.to_thread(tasks.judge.submit(name, day, run_id, total).result)
    alike = await asyncio.to_thread(tasks.end.submit(name, day, run_id).result)
    total += Enriched(reused=alike)
    await asyncio.to_thread(assets.enriched, name, day, run_id)
    progress.finish(stage, total.in_words())
    return total

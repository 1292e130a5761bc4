"""The subflow of every enrichment: one day, chunk by chunk, each chunk a task that may be retried."""

from __future__ import annotations

import sys
from pathlib import Path

if __package__ in (None, ""):  # run as a script: the folder of this file gives way to the root of the checkout
    sys.path[0] = str(Path(__file__).resolve().parent.parent)

if __name__ == "__main__":
    from flows.local.command import leave
    from flows.local.parts import main_part

    leave(main_part("flows/enrich.py", "enrich", sys.argv[1:]))


from datetime import date

from prefect import flow

from flows.asking import await_answers
from flows.futures import call
from hnintel.cost.usage import Enriched
from hnintel.enrich.loop import Chunk, run_steps
from hnintel.process import progress
from tasks import assets
from tasks import enrich as tasks


class _Tasks:
    """Each step of the loop as a task run, with its name, its retries and its slot at the models."""

    def __init__(self, name: str, day: date, run_id: str) -> None:
        self._of = name, day, run_id

    async def begin(self) -> int:
        return await call(tasks.begin, *self._of)

    async def ask(self, after: int) -> Chunk | None:
        return await await_answers(tasks.ask.submit(*self._of, after))

    async def judge(self, total: Enriched) -> None:
        await call(tasks.judge, *self._of, total)

    async def end(self) -> int:
        return await call(assets.of_answers(tasks.end, self._of[0]), *self._of)


@flow(name="enrich", flow_run_name="{name} {day}", persist_result=False)
async def enrich(name: str, day: date, run_id: str) -> Enriched:
    """Ask the enrichment *name* about every pending item of *day*.

    Args:
        name: of an enrichment, a file in ``hnintel/enrichments``.
        day: the partition.
        run_id: written to the rows.
    """
    stage = f"enrich {name}"
    progress.update(stage, 0)
    total = await run_steps(name, _Tasks(name, day, run_id), lambda total: progress.update(stage, total.asked))
    progress.finish(stage, total.in_words())
    return total

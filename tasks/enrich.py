"""Ask AI: begin an enrichment, ask about a chunk, end it. The warehouse decides which items are pending."""

from __future__ import annotations

from datetime import date

from prefect import task
from prefect.cache_policies import NO_CACHE

from hnintel.cost.usage import Enriched
from hnintel.enrich import accepted
from hnintel.enrich.declaration import load_enrichments
from hnintel.enrich.loop import Chunk
from hnintel.enrich.run import EnrichmentRun
from hnintel.ledger import stage_rows
from hnintel.ledger.stage_names import of_enrichment
from hnintel.runs import lineage
from hnintel.settings import load_settings
from hnintel.warehouse import open_warehouse
from tasks import assets
from tasks.concurrency import AI, turn
from tasks.policies import RETRIED_QUESTIONS, wait_before_retry


def _run(name: str, day: date, run_id: str) -> EnrichmentRun:
    settings = load_settings()
    enrichment = load_enrichments(settings.enrichments_path)[name]
    return EnrichmentRun(open_warehouse(settings), enrichment, day, settings, run_id)


@task(cache_policy=NO_CACHE, task_run_name="begin {name} of {day}")
def begin(name: str, day: date, run_id: str) -> int:
    """Prepare the enrichment; refuse one whose changed question was not accepted.

    Returns:
        how many items got the stored answer to an identical text.
    """
    settings = load_settings()
    accepted.refuse_changed(load_enrichments(settings.enrichments_path), settings.enrichments_path)
    return _run(name, day, run_id).begin()


@task(task_run_name="ask {name} of {day} after {after}", **RETRIED_QUESTIONS)
def ask(name: str, day: date, run_id: str, after: int) -> Chunk | None:
    """Ask about the next chunk of pending items; return None where none is pending.

    Raises:
        WarehouseBusy: another run has taken the enrichment over.
    """
    with wait_before_retry(f"enrich {name}"), turn(AI):
        with open_warehouse(load_settings()).transaction(stage="enrich") as session:
            stage_rows.refuse_if_taken_over(session, day, of_enrichment(name), run_id)
        return _run(name, day, run_id).next_chunk(after)


@task(cache_policy=NO_CACHE, task_run_name="judge {name} of {day}")
def judge(name: str, day: date, run_id: str, total: Enriched) -> None:
    """Stop the enrichment where too many of its answers are bad."""
    _run(name, day, run_id).refuse_if_too_bad(total)


@assets.writes(task_run_name="end {name} of {day}")
def end(name: str, day: date, run_id: str) -> int:
    """Record that no item is pending any more.

    Returns:
        how many items got this run's answer to an identical text.
    """
    reused = _run(name, day, run_id).end()
    settings = load_settings()
    warehouse, enrichment = open_warehouse(settings), load_enrichments(settings.enrichments_path)[name]
    with warehouse.transaction(stage="enrich") as session:
        facts = lineage.answers_facts(session, warehouse, enrichment, day, run_id)
    assets.describe(facts)
    return reused

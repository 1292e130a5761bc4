"""One story, now: fetched and enriched while it is talked about; the rest of its day comes when the day is run."""

from __future__ import annotations

from typing import Any

from prefect import flow, runtime

from flows.asking import asked
from flows.futures import call
from hnintel.enrich import accepted
from hnintel.enrich.declaration import layers, load_enrichments
from hnintel.models import ItemId
from hnintel.process import stopping
from hnintel.settings import load_settings
from tasks import spotlight as tasks
from tasks.events import ANNOUNCED


@flow(name="spotlight", flow_run_name="spotlight {story_id}", **ANNOUNCED)
async def spotlight(story_id: ItemId, source: str | None = None) -> dict[str, Any]:
    """Read one story with its comments and its article, and ask every enrichment about it. Safe to run twice.

    Args:
        story_id: as Hacker News numbers it.
        source: ``live``, ``sample`` or ``replay:PATH``; by default the setting ``HNINTEL_SOURCE``.

    Raises:
        UsageError: the id is that of no story.
    """
    settings, run_id = load_settings(), str(runtime.flow_run.id)
    source = source or settings.source
    enrichments = load_enrichments(settings.enrichments_path)
    accepted.refuse_changed(enrichments, settings.enrichments_path)
    found = await call(tasks.find, story_id, source)
    await call(tasks.load, story_id, found, run_id)
    articles = await call(tasks.read_article, story_id, source, found.day, run_id)
    answered = 0
    with stopping.on_signals():
        for one in (one for layer in layers(enrichments) for one in layer):
            answered += (await asked(tasks.ask.submit(one.name, story_id, found.day, run_id))).asked
    return {"story": story_id, "day": found.day.isoformat(), "articles": articles, "asked": answered}

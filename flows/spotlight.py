"""Fetch and enrich one story now, before its day is run."""

from __future__ import annotations

import sys
from pathlib import Path

if __package__ in (None, ""):  # run as a script: the folder of this file gives way to the root of the checkout
    sys.path[0] = str(Path(__file__).resolve().parent.parent)

if __name__ == "__main__":
    from flows.local.command import leave
    from flows.local.spotlight import main

    leave(main(sys.argv[1:]))


from typing import Any

from prefect import flow, runtime

from flows.asking import await_answers
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
        story_id: its id at Hacker News.
        source: ``live``, ``sample`` or ``replay:PATH``; by default the setting ``HNINTEL_SOURCE``.

    Raises:
        UsageError: no story has this id.
    """
    settings, run_id = load_settings(), str(runtime.flow_run.id)
    source = source or settings.source
    enrichments = load_enrichments(settings.enrichments_path)
    accepted.refuse_changed(enrichments, settings.enrichments_path)
    story = await call(tasks.find, story_id, source)
    await call(tasks.load, story_id, story, run_id)
    articles = await call(tasks.read_article, story_id, source, story.day, run_id)
    answered = 0
    with stopping.on_signals():
        for enrichment in (each for layer in layers(enrichments) for each in layer):
            answered += (await await_answers(tasks.ask.submit(enrichment.name, story_id, story.day, run_id))).asked
    return {"story": story_id, "day": story.day.isoformat(), "articles": articles, "asked": answered}

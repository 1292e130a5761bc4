"""``hnintel spotlight``: its arguments and what it prints."""

from __future__ import annotations

import json
import sys
from functools import partial
from typing import Annotated

import typer

from flows.local.command import Ran, check_warehouse, flow_at, in_prefect, writable
from flows.local.options import AsJson, PrefectLogs, Source, guarded_with_json, run_script
from hnintel.enrich import accepted
from hnintel.enrich.declaration import load_enrichments
from hnintel.errors import counted
from hnintel.settings import load_settings
from hnintel.sources import open_source

EXAMPLE = "hnintel spotlight 41865000 --source live"


def run(
    story_id: Annotated[int, typer.Argument(metavar="ID", min=1, help="The id of the story on Hacker News.")],
    source: Source = None,
    as_json: AsJson = False,
    prefect_logs: PrefectLogs = False,
) -> int:
    """Read a story now, with its comments and its article, and ask every enrichment about it."""
    return guarded_with_json(lambda: _run(story_id, source, as_json, prefect_logs), as_json)


def main(argv: list[str]) -> int:
    """``python flows/spotlight.py``: the same command as a script; the exit code."""
    line = EXAMPLE.replace("hnintel spotlight", "python flows/spotlight.py")
    return run_script(run, "flows/spotlight.py", line, argv)


def _run(story_id: int, source: str | None, as_json: bool, prefect_logs: bool) -> int:
    settings = load_settings(source=source)
    open_source(settings.source, settings)
    accepted.refuse_changed(load_enrichments(settings.enrichments_path), settings.enrichments_path)
    writable(settings.folder)
    check_warehouse(settings)

    def start() -> Ran:
        return partial(flow_at("flows/spotlight.py:spotlight"), story_id, settings.source)

    report = in_prefect(settings, prefect_logs, start)
    articles, questions = report["articles"], report["asked"]
    print(
        f"story {report['story']} of {report['day']}: {counted(questions, 'question')} asked, articles: {articles}",
        file=sys.stderr,
    )
    if as_json:
        print(json.dumps(report, default=str))
    return 0

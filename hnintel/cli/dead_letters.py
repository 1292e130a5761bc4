"""``python -m hnintel dead-letters list|retry``: items, articles and answers that failed, and their retry."""

from __future__ import annotations

import asyncio
import json
import uuid
from datetime import UTC, date, datetime
from typing import Annotated

import typer

from hnintel.cli.lazy import example
from hnintel.cli.present import has_warehouse
from hnintel.enrich.declaration import load_enrichments
from hnintel.errors import UsageError, counted, did_you_mean
from hnintel.ingest import retries
from hnintel.ledger import dead_letters
from hnintel.ledger.dead_letters import Letter
from hnintel.ledger.stage_names import ARTICLES, BRIEFING, READ_LETTERS
from hnintel.settings import Settings, load_settings
from hnintel.sources import NAMES, open_source
from hnintel.warehouse import open_warehouse
from hnintel.window import day_of, parse_day, utc_now

app = typer.Typer(help="List or retry dead letters: items, articles and answers that failed.")

Stage = Annotated[
    str | None, typer.Option(help="Only dead letters of this stage: items, comments, articles, enrich:NAME, ...")
]
Day = Annotated[str | None, typer.Option(help="Only dead letters of this day: YYYY-MM-DD, today or yesterday.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON value on stdout.")]


@app.command("list", epilog=example("hnintel dead-letters list --day 2026-10-22"))
def list_(stage: Stage = None, day: Day = None, as_json: AsJson = False) -> None:
    """List dead letters with stage, key, reason, attempts, first and last failure (UTC), and whether a retry is due."""
    listed = _letters(stage, _day(day))
    if as_json:
        print(json.dumps([letter.as_json() for letter in listed]))
        return
    for letter in listed:
        print(_line(letter))
    due = sum(letter.due for letter in listed)
    print(f"{counted(len(listed), 'dead letter')}, {due} due" if listed else "no dead letters")


@app.command(epilog=example("hnintel dead-letters retry --stage items --all"))
def retry(
    source: Annotated[str, typer.Option(metavar="|".join(NAMES), help="The source to read items from.")] = "live",
    stage: Stage = None,
    day: Day = None,
    whole: Annotated[bool, typer.Option("--all", help="Also retry dead letters that are not due yet.")] = False,
    as_json: AsJson = False,
) -> None:
    """Retry dead letters that are due: items and comments now, other stages in the next run of their day."""
    settings = load_settings()
    opened = open_source(source, settings)
    chosen = [letter for letter in _letters(stage, _day(day)) if whole or letter.due]
    retried = asyncio.run(
        retries.retry(open_warehouse(settings), opened, chosen, settings, run_id=f"retry-{uuid.uuid4()}", now=utc_now())
    )
    if as_json:
        days = [day.isoformat() for day in retried.days]
        print(
            json.dumps({"taken": retried.taken, "failing": retried.failing, "made_due": retried.made_due, "days": days})
        )
    elif not chosen:
        print("no dead letter is due" + ("" if whole else " (--all retries the others too)"))
    else:
        print(
            f"{retried.taken} read, {retried.failing} failed again, {retried.made_due} due in the next run of their day"
        )
        print(f"run these days to process the items read: {', '.join(map(str, retried.days))}")


def _line(letter: Letter) -> str:
    first, last = f"{letter.first_seen:%Y-%m-%d %H:%M}", f"{letter.last_seen:%Y-%m-%d %H:%M}"
    subject = f"{letter.stage}  {letter.key}  of {letter.day}: {letter.reason}"
    return f"{subject}  ({letter.attempts} tried, first {first}, last {last}{', due' if letter.due else ''})"


def _day(text: str | None) -> date | None:
    return None if text is None else parse_day(text, day_of(datetime.now(UTC), load_settings().time_zone))


def _refuse_unknown(stage: str, enrich_stages: list[str], settings: Settings) -> None:
    """Raise UsageError if *stage* is unknown and has no dead letters left from a removed enrichment."""
    known = [*READ_LETTERS, ARTICLES, *enrich_stages, BRIEFING]
    if stage not in known and not _has_letters(stage, settings):
        raise UsageError(f"'{stage}' has no dead letters: give one of {', '.join(known)}{did_you_mean(stage, known)}")


def _has_letters(stage: str, settings: Settings) -> bool:
    if not has_warehouse(settings):
        return False
    with open_warehouse(settings).transaction(stage="enrich") as session:
        return bool(session.execute("SELECT 1 FROM ops.dead_letters WHERE stage = ? LIMIT 1", [stage]))


def _letters(stage: str | None, day: date | None) -> list[Letter]:
    settings = load_settings()
    enrichments = load_enrichments(settings.enrichments_path)
    if stage is not None:
        _refuse_unknown(stage, [enrichment.stage for enrichment in enrichments.values()], settings)
    if not has_warehouse(settings):
        return []
    stages = {enrichment.stage for enrichment in enrichments.values()}
    with open_warehouse(settings).transaction(stage="enrich") as session:
        listed = dead_letters.letters(session, settings, utc_now(), stages, stage)
    return [letter for letter in listed if day is None or letter.day == day]

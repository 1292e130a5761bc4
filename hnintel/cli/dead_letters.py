"""``python -m hnintel dead-letters list|retry``: what could not be taken, and another try at it."""

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

app = typer.Typer(help="What could not be taken: list it, or have it tried again.")

Stage = Annotated[str | None, typer.Option(help="Only those of a stage: items, comments, articles, enrich:NAME, ...")]
Day = Annotated[str | None, typer.Option(help="Only those of a day, YYYY-MM-DD, today or yesterday.")]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON value on stdout.")]


@app.command("list", epilog=example("hnintel dead-letters list --day 2026-10-22"))
def list_(stage: Stage = None, day: Day = None, as_json: AsJson = False) -> None:
    """List the dead letters: stage, key, reason, attempts, first and last seen (UTC), and whether each is due."""
    found = _letters(stage, _day(day))
    if as_json:
        print(json.dumps([letter.as_json() for letter in found]))
        return
    for letter in found:
        print(_line(letter))
    print(
        f"{counted(len(found), 'dead letter')}, {sum(letter.due for letter in found)} due"
        if found
        else "there are none"
    )


@app.command(epilog=example("hnintel dead-letters retry --stage items --all"))
def retry(
    source: Annotated[str, typer.Option(metavar="|".join(NAMES), help="Where items are read from.")] = "live",
    stage: Stage = None,
    day: Day = None,
    whole: Annotated[bool, typer.Option("--all", help="Those too that are not due.")] = False,
    as_json: AsJson = False,
) -> None:
    """Try the due letters again: items and comments now, articles and enrichments in the next run of their day."""
    settings = load_settings()
    opened = open_source(source, settings)
    chosen = [letter for letter in _letters(stage, _day(day)) if whole or letter.due]
    came = asyncio.run(
        retries.retry(open_warehouse(settings), opened, chosen, settings, run_id=f"retry-{uuid.uuid4()}", now=utc_now())
    )
    if as_json:
        days = [day.isoformat() for day in came.days]
        print(json.dumps({"taken": came.taken, "failing": came.failing, "made_due": came.made_due, "days": days}))
    elif not chosen:
        print("there are none that are due" + ("" if whole else " (--all tries the others too)"))
    else:
        print(
            f"{came.taken} taken, {came.failing} failing still, {came.made_due} made due for the next run of their day"
        )
        print(f"run these days again to go on with what was taken: {', '.join(map(str, came.days))}")


def _line(letter: Letter) -> str:
    first, last = f"{letter.first_seen:%Y-%m-%d %H:%M}", f"{letter.last_seen:%Y-%m-%d %H:%M}"
    told = f"{letter.stage}  {letter.key}  of {letter.day}: {letter.reason}"
    return f"{told}  ({letter.attempts} tried, first {first}, last {last}{', due' if letter.due else ''})"


def _day(text: str | None) -> date | None:
    return None if text is None else parse_day(text, day_of(datetime.now(UTC), load_settings().time_zone))


def _refuse_unknown(stage: str, asked: list[str], settings: Settings) -> None:
    """Raise UsageError where no dead letter can be of *stage*; those of an enrichment that is gone may be there yet."""
    known = [*READ_LETTERS, ARTICLES, *asked, BRIEFING]
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
        _refuse_unknown(stage, [one.stage for one in enrichments.values()], settings)
    if not has_warehouse(settings):
        return []
    asked = {one.stage for one in enrichments.values()}
    with open_warehouse(settings).transaction(stage="enrich") as session:
        found = dead_letters.letters(session, settings, utc_now(), asked, stage)
    return [letter for letter in found if day is None or letter.day == day]

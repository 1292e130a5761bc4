"""``python -m hnintel status``: the status of each stage of each day, freshness, and what is due and why."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Column, Table

from hnintel.cli.present import has_warehouse, no_warehouse
from hnintel.errors import UsageError
from hnintel.ledger import listings
from hnintel.ledger.listings import Listed
from hnintel.partitions.calendar import (
    Freshness,
    Span,
    freshness,
    in_words,
    known_days,
    newest_whole_day,
    parse_range,
    parse_span,
)
from hnintel.partitions.hours import read_at as hours_read
from hnintel.partitions.pipeline import Pipeline
from hnintel.partitions.settling import Due
from hnintel.partitions.state import Partition, grid, sources_of
from hnintel.planning.due import days_due
from hnintel.planning.remedy import RECONCILE, command_for, source_words, who_does
from hnintel.settings import Settings, load_settings
from hnintel.sources import NAMES, open_source
from hnintel.warehouse import open_warehouse
from hnintel.warehouse.base import Session
from hnintel.window import utc_now, yesterday

#: Each status as a letter, and its colour.
_MARKS = {
    "complete": ("C", "green"),
    "partial": ("P", "yellow"),
    "stale": ("S", "yellow"),
    "running": ("R", "cyan"),
    "failed": ("F", "red"),
    "stopped": ("B", "red"),
    "missing": (".", "dim"),
}
#: Each proof of a listing as a letter, and its colour.
_PROOFS = {"whole": ("W", "green"), "sampled": ("s", "yellow"), "unproven": ("U", "red")}
_LEGEND = "C complete, P partial, S stale, R running, F failed, B stopped by a budget, . missing"
_LISTING_LEGEND = "listing: W every id of the day was read, s sampled, U unproven"
_SHOWN_DAYS = 14
_DAYS_A_TABLE = 16
_LINES = 20
#: A grid of more days is unreadable, and its stages fill the memory.
_MOST_DAYS = 3700

Grid = Mapping[date, Mapping[str, Partition]]
#: A day, the status of its stage, the reason, and the command that runs it.
_Reason = tuple[date, str, str, str]


def status(
    first: Annotated[
        str | None,
        typer.Option("--from", help="The first day, week or month (default: two weeks before the last day)."),
    ] = None,
    last: Annotated[
        str | None, typer.Option("--to", help="The last day, week or month (default: the newest day).")
    ] = None,
    source: Annotated[
        str | None,
        typer.Option(
            metavar="|".join(NAMES), help="The source (default: HNINTEL_SOURCE, else the source of the newest day)."
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout.")] = False,
) -> None:
    """Show the status of each stage of each day, the age of the newest page, and what is due and why."""
    settings, now = load_settings(), utc_now()
    if not has_warehouse(settings):
        _refuse_no_days(first, last, yesterday(now.replace(tzinfo=UTC), settings.time_zone))
        _show_none(settings, source or settings.source, as_json)
        return
    warehouse = open_warehouse(settings)
    with warehouse.transaction(stage="enrich") as session:
        pipeline = Pipeline(warehouse, settings, source or _source(session, settings))
        open_source(pipeline.spec, settings)  # refuses an unknown source even if the ledger is empty
        span = _span(session, pipeline, first, last, now)
        partitions = grid(session, pipeline, span.first, span.last, now) if span else {}
        fresh = freshness(session, settings, now)
        hours = hours_read(session, span.first, span.last) if span else {}
        sources = sources_of(session, span.first, span.last) if span else {}
        listed = listings.between(session, span.first, span.last, pipeline.spec) if span else {}
        by_itself = days_due(session, pipeline, now)
    if as_json:
        read = {
            "hours": {str(day): list(stages) for day, stages in hours.items()},
            "sources": {str(day): named for day, named in sources.items()},
            "listing": {str(day): listing.as_json() for day, listing in listed.items()},
        }
        print(
            json.dumps(
                _as_json(partitions, fresh, pipeline)
                | read
                | {"reconcile": {str(due.day): due.why for due in by_itself}}
            )
        )
    else:
        notes = [*_not_whole(listed), *_read_by_hour(hours), *_read_from_several(sources, pipeline.spec)]
        _show(partitions, listed, notes, fresh, settings)
        for line in _due(partitions, pipeline, by_itself) if partitions else []:
            Console(soft_wrap=True).print(line, markup=False, highlight=False)


def _show_none(settings: Settings, spec: str, as_json: bool) -> None:
    """Print that no warehouse exists; a command that only reads creates none."""
    open_source(spec, settings)  # refuses an unknown source
    if as_json:
        fresh = {"day": None, "hours": None, "fresh": False}
        empty: dict[str, Any] = {"days": {}, "hours": {}, "sources": {}, "reconcile": {}}
        print(json.dumps({"source": spec, "stages": [], "freshness": fresh} | empty))
    else:
        print(f"no day was run yet, {no_warehouse(settings)}: python flows/main.py --source sample creates it")


def _refuse_no_days(first: str | None, last: str | None, over: date) -> None:
    """Raise UsageError if *first* and *last*, as far as given, are not a range of days."""
    given = [argument for argument in (first, last) if argument is not None]
    if given:
        _checked(parse_range(given[0], given[-1], over))


def _source(session: Session, settings: Settings) -> str:
    """Return the source that is set, else the source of the newest day of the ledger."""
    if "source" in settings.model_fields_set:
        return settings.source
    newest = "SELECT source FROM ops.partitions WHERE source IS NOT NULL ORDER BY day DESC, stage LIMIT 1"
    return next((str(source) for (source,) in session.execute(newest)), settings.source)


def _span(session: Session, pipeline: Pipeline, first: str | None, last: str | None, now: datetime) -> Span | None:
    """Return the requested days; by default the last two weeks of the ledger, to its newest day."""
    over = yesterday(now.replace(tzinfo=UTC), pipeline.settings.time_zone)
    today = over + timedelta(days=1)
    if first is not None and last is not None:
        return _checked(parse_range(first, last, over))
    known = known_days(session)
    end = parse_span(last, today).last if last is not None else _newest(pipeline, known, now)
    if first is not None:
        requested = parse_range(first, first, over)
        return _checked(Span(requested.first, max(requested.last, end or requested.last)))
    if end is None:
        return None
    weeks_back = end - min(timedelta(days=_SHOWN_DAYS - 1), end - date.min)
    return Span(max(weeks_back, min(known.first, end)) if known else weeks_back, end)


def _checked(span: Span) -> Span:
    if (span.last - span.first).days >= _MOST_DAYS:
        raise UsageError(f"{span.first} to {span.last} are more than {_MOST_DAYS} days: give --from and --to nearer by")
    return span


def _newest(pipeline: Pipeline, known: Span | None, now: datetime) -> date | None:
    """Return the newest day of the ledger; if it is recent, the last whole day, which the ledger may lack."""
    if known is None:
        return None
    whole = newest_whole_day(pipeline.source, now, pipeline.settings.time_zone)
    return whole if timedelta() < whole - known.last <= timedelta(days=_SHOWN_DAYS) else known.last


def _as_json(partitions: Grid, fresh: Freshness, pipeline: Pipeline) -> dict[str, Any]:
    newest = {"day": fresh.day.isoformat() if fresh.day else None, "hours": fresh.hours, "fresh": fresh.is_fresh}
    days = {
        day.isoformat(): {stage: partition.as_json() for stage, partition in stages.items()}
        for day, stages in partitions.items()
    }
    return {"source": pipeline.spec, "stages": list(pipeline.stages), "freshness": newest, "days": days}


def _read_by_hour(hours: Mapping[date, Mapping[str, datetime]]) -> list[str]:
    return [f"{day} is read by the hour: {len(read)} so far, the last is {max(read)}" for day, read in hours.items()]


def _read_from_several(sources: Mapping[date, Sequence[str]], shown: str) -> list[str]:
    """Return a note for each day that was read from several sources, of which the grid shows one."""
    return [
        f"{day} was read from {', '.join(named)}: shown is {shown} (--source shows another)"
        for day, named in sources.items()
        if len(named) > 1
    ]


def _not_whole(listed: Mapping[date, Listed]) -> list[str]:
    return [
        f"listing of {day}: {listing.proof.in_words()}"
        for day, listing in listed.items()
        if listing.proof.kind != "whole"
    ]


def _show(
    partitions: Grid, listed: Mapping[date, Listed], notes: Sequence[str], fresh: Freshness, settings: Settings
) -> None:
    console = Console(soft_wrap=True)
    if not partitions:
        console.print("no day was run yet: python flows/main.py --source sample")
        return
    days = list(partitions)
    for start in range(0, len(days), _DAYS_A_TABLE):
        console.print(_table(partitions, listed, days[start : start + _DAYS_A_TABLE]))
    console.print(_LEGEND, highlight=False)
    console.print(_LISTING_LEGEND, highlight=False)
    for note in notes:
        console.print(note, markup=False, highlight=False)
    console.print(_freshness(fresh, settings))


def _table(partitions: Grid, listed: Mapping[date, Listed], days: Sequence[date]) -> Table:
    """Return a table of stages by days, with the letter of each status."""
    table = Table(
        Column("stage", no_wrap=True),
        *(f"{day:%m}\n{day:%d}" for day in days),
        title=f"{days[0]} to {days[-1]}",
        padding=0,
    )
    for stage in partitions[days[0]]:
        marks = [_MARKS[partitions[day][stage].status] for day in days]
        table.add_row(stage, *(f"[{colour}]{letter}[/]" for letter, colour in marks))
    proofs = [_PROOFS[listed[day].proof.kind] if day in listed else _MARKS["missing"] for day in days]
    table.add_row("listing", *(f"[{colour}]{letter}[/]" for letter, colour in proofs))
    return table


def _freshness(fresh: Freshness, settings: Settings) -> str:
    if fresh.day is None:
        return "freshness: no whole day has a page yet"
    word = "fresh" if fresh.is_fresh else "[red]not fresh[/]"
    return (
        f"freshness: {fresh.day}, over for {fresh.hours:.1f} h: {word} (HNINTEL_FRESH_HOURS={settings.fresh_hours:g})"
    )


def _due(partitions: Grid, pipeline: Pipeline, by_itself: Sequence[Due]) -> list[str]:
    """Return a line for each reason why stages are due, with the command that runs them."""
    reasons: dict[_Reason, list[str]] = {}
    for day, stages in partitions.items():
        for partition in stages.values():
            if partition.due:
                by = who_does(pipeline, by_itself, day, partition.stage)
                reasons.setdefault((day, partition.status, partition.why, by), []).append(partition.stage)
    lines = []
    for (status, why, by, of), days in _together(reasons).items():
        named = "all stages" if len(of) == len(partitions[days[0]]) else ", ".join(of)
        what = f"due: {in_words(days)} {named}: {why if status == 'missing' else f'{status}: {why}'}"
        lines.append(f"{what}; {by.replace('{days}', command_for(days, pipeline))}")
    days_shown = {day for day, *_ in reasons}
    does = RECONCILE.format(source=source_words(pipeline))
    lines += [f"due: {due.day}: {due.why}; {does}" for due in by_itself if due.day not in days_shown]
    more = len(lines) - _LINES
    return (lines[:_LINES] or ["nothing is due"]) + ([f"and {more} more: --json has them all"] if more > 0 else [])


def _together(reasons: Mapping[_Reason, list[str]]) -> dict[tuple[str, str, str, tuple[str, ...]], list[date]]:
    """Group the days with the same stages due for the same reason, by command."""
    days: dict[tuple[str, str, str, tuple[str, ...]], list[date]] = {}
    for (day, status, why, by), stages in reasons.items():
        days.setdefault((status, why, by, tuple(stages)), []).append(day)
    return days

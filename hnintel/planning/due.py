"""What is due again: gaps in the calendar, days that failed or settle, dead letters, and marts left behind."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from hnintel.briefing import published_pages
from hnintel.ledger import dead_letters, leases, listings
from hnintel.ledger.stage_names import INGEST, PUBLISH, TRANSFORM, as_read_from
from hnintel.ledger.statuses import FAILED, IS_DONE, RUNNING, STOPPED
from hnintel.partitions import settling
from hnintel.partitions.calendar import Span, days_between, known_days, newest_whole_day
from hnintel.partitions.pipeline import Pipeline
from hnintel.partitions.settling import Due
from hnintel.partitions.state import PAGE_GONE, Partition, grid
from hnintel.planning.cut_short import cut_short
from hnintel.planning.work import days_held
from hnintel.settings import Settings
from hnintel.sources import open_source
from hnintel.warehouse.base import Session
from hnintel.warehouse.statements import statement
from hnintel.window import Window, day_of, utc_now


def days_due(session: Session, pipeline: Pipeline, now: datetime) -> list[Due]:
    """All that is due at *now*, oldest first: :func:`days_to_run`, and of the others :func:`left_behind`."""
    whole = days_to_run(session, pipeline, now)
    named = {due.day for due in whole}
    return sorted(
        [*whole, *(due for due in left_behind(session, pipeline, now) if due.day not in named)], key=lambda due: due.day
    )


def days_to_run(session: Session, pipeline: Pipeline, now: datetime) -> list[Due]:
    """The days to be run again at *now* (UTC without a zone), oldest first, from the source that *pipeline* names.

    A day is due where it is missing or did not come to its end (:func:`gaps`), where its last run was cut short,
    however long ago (:func:`hnintel.planning.cut_short.cut_short`), when it settles
    (:func:`hnintel.partitions.settling.due_days`), and when a dead letter of it is due: an article whose site was down,
    an item that was not read, a bad answer. A letter that was tried often enough is not. Nothing is due
    for a changed question: asking it of old days is for a person to plan, and a backfill to do.
    """
    settings, source = pipeline.settings, pipeline.spec
    readings = settling.day_readings(session, source)
    why: dict[date, list[str]] = {due.day: [due.why] for due in gaps(session, settings, source, now)}
    for cut in cut_short(session, pipeline, now):
        if cut.day not in why and not cut.is_given_up:
            why[cut.day] = [cut.why]
    ended = [one for one in readings if one.finished]  # one that did not come to its end is a gap, of a bounded age
    for due in settling.due_days(ended, now, settings.settle_days, settings.time_zone):
        if due.day >= settings.first_day:
            why.setdefault(due.day, []).append(due.why)
    for day, listing_why in _not_whole(session, pipeline, ended, now):
        why.setdefault(day, []).append(listing_why)
    # Only days that are this source's: another's would be read from where they never were.
    own = {reading.day for reading in readings}
    letters = dead_letters.letters(session, settings, now, pipeline.asked)
    waiting = Counter(one.day for one in letters if one.due and one.day in own and one.day >= settings.first_day)
    for day, count in waiting.items():
        why.setdefault(day, []).append(f"{count} dead letter{'s are' if count > 1 else ' is'} due")
    at_work = _at_work(session)
    return [Due(day, "; ".join(reasons)) for day, reasons in sorted(why.items()) if day not in at_work]


def _not_whole(
    session: Session, pipeline: Pipeline, ended: Sequence[settling.DayRead], now: datetime
) -> list[tuple[date, str]]:
    """The days, at most ``catch_up_days`` back, whose listing is still not whole although it was due, and why."""
    settings = pipeline.settings
    oldest = day_of(now.replace(tzinfo=UTC), settings.time_zone) - timedelta(days=settings.catch_up_days)
    days = [reading.day for reading in ended if max(oldest, settings.first_day) <= reading.day]
    listed = listings.between(session, min(days), max(days), pipeline.spec) if days else {}
    return [
        (day, f"its listing is {one.proof.kind}, not whole")
        for day, one in listed.items()
        if settling.is_listing_due(one, settings, now)
    ]


def left_behind(session: Session, pipeline: Pipeline, now: datetime) -> list[Due]:
    """The days whose enrichments are done, and whose marts, briefing or page are not, or are made of other rows.

    So it is where a backfill was killed after its days and before their marts, and where an earlier day came in after a
    later one was briefed: with this, days come to the same rows in whatever order they were run. What was only made by
    other code or another question is left, as everywhere here.
    """
    at_work = _at_work(session)
    gone = _gone(session, pipeline, at_work)
    span = _calendar(session, pipeline.settings, pipeline.spec, now)
    if span is None:
        return gone
    found = grid(session, pipeline, span.first, span.last, now)
    named = [(day, _behind(stages, pipeline)) for day, stages in found.items() if day not in at_work]
    behind = [Due(day, why, (f"{TRANSFORM}+",)) for day, why in named if why]
    taken = {due.day for due in behind}
    return sorted([*behind, *(due for due in gone if due.day not in taken)], key=lambda due: due.day)


def _gone(session: Session, pipeline: Pipeline, at_work: set[date]) -> list[Due]:
    """The newest day whose page is gone, of whatever age: publishing one day writes every page that is gone."""
    rows = session.execute(
        statement("planning/days_with_a_page", is_done=IS_DONE),
        [INGEST, PUBLISH, pipeline.spec, pipeline.spec, pipeline.settings.first_day],
    )
    gone = sorted(published_pages.missing((day for (day,) in rows), pipeline.settings) - at_work)
    if not gone:
        return []
    more = f", as are those of {len(gone) - 1} more days" if len(gone) > 1 else ""
    return [Due(gone[-1], f"{PUBLISH}: {PAGE_GONE}{more}", (PUBLISH,))]


def left_to_people(session: Session, pipeline: Pipeline, due: Sequence[Due]) -> list[date]:
    """The days, oldest first, that failed or were stopped, and that nothing is *due* for by itself: too long ago."""
    rows = session.execute(
        "SELECT DISTINCT day, stage FROM ops.partitions WHERE status IN ('failed', 'stopped', 'running') "
        "AND coalesce(source, ?) = ? AND day >= ? ORDER BY day",
        [pipeline.spec, pipeline.spec, pipeline.settings.first_day],
    )
    taken = _at_work(session) | {one.day for one in due}
    return sorted({day for day, stage in rows if stage in pipeline.stages} - taken)


def _behind(stages: dict[str, Partition], pipeline: Pipeline) -> str | None:
    read = stages[INGEST].noted
    if read is None or read.source not in (None, pipeline.spec):
        return None
    if not all(stages[name].is_done for name in pipeline.stages[TRANSFORM]):
        return None
    late = [stages[name] for name in pipeline.after_asking if _is_behind(stages[name], pipeline)]
    if [(one.stage, one.why) for one in late] == [(PUBLISH, PAGE_GONE)]:
        return None  # of which only the page is written
    return f"{late[0].stage}: {late[0].why}" if late else None


def _is_behind(one: Partition, pipeline: Pipeline) -> bool:
    if one.status != "stale":
        return one.status == "missing"
    return one.noted is not None and one.noted.fingerprint == pipeline.fingerprint(one.stage)


def _at_work(session: Session) -> set[date]:
    """The days that a run is at now, whenever this one was to start: of a backfill all, also those it has yet to do."""
    held = leases.alive(session, utc_now())
    days = {day for day, _ in held}
    for one in held.values():
        days.update(days_held(one.stage))
        if one.day == leases.ALL_DAYS:
            sql = "SELECT day FROM ops.partitions WHERE stage = ? AND run_id = ? AND status = 'running'"
            days |= {day for (day,) in session.execute(sql, [one.stage, one.run_id])}
    return days


def gaps(session: Session, settings: Settings, source: str, now: datetime) -> list[Due]:
    """The days, at most ``catch_up_days`` back, that the ledger has nothing of, or whose run did not come to its end.

    So is a day that was read only while it was going on: the run of the whole of it was missed.

    The calendar begins with the first day that was ever run from *source*: where nothing was, nothing is made up for.
    """
    span = _calendar(session, settings, source, now)
    if span is None:
        return []
    held = open_source(source, settings).days(settings.time_zone)  # a dump has no other days, and never will
    found, runs = _stages(session, span, source), _last_runs(session, span)
    named = [
        (day, _why(found.get(day, {}), runs.get(day), source, Window.of(day, settings.time_zone)))
        for day in days_between(span.first, span.last)
        if not held or day in held
    ]
    return [Due(day, why) for day, why in named if why]


def _calendar(session: Session, settings: Settings, source: str, now: datetime) -> Span | None:
    """The days that are looked at: those that are over, from the first one ever run, at most ``catch_up_days`` back."""
    known = known_days(session, source)
    if known is None or not settings.catch_up_days:
        return None
    last = newest_whole_day(open_source(source, settings), now, settings.time_zone)
    oldest = day_of(now.replace(tzinfo=UTC), settings.time_zone) - timedelta(days=settings.catch_up_days)
    return Span(max(known.first, settings.first_day, oldest), last)


@dataclass(frozen=True, slots=True)
class _Stage:
    """What the ledger has of a stage, as far as it matters here."""

    status: str
    source: str | None
    started_at: datetime


def _why(stages: dict[str, _Stage], last_run: str | None, source: str, window: Window) -> str | None:
    if INGEST not in stages:
        return "it was never run"
    read = stages[INGEST]
    if read.source not in (None, source):
        return f"read from {read.source}, not {source}"
    for stage, one in stages.items():
        if one.status == RUNNING:
            return f"{stage}: its run died"
        if one.status in (FAILED, STOPPED):
            return f"{stage} {one.status}"
    if not window.is_over(read.started_at):
        return f"read {read.started_at:%Y-%m-%d %H:%M} UTC, while the day was going on"
    return "its run died between two stages" if last_run == RUNNING else None


def _stages(session: Session, span: Span, source: str) -> dict[date, dict[str, _Stage]]:
    """What the ledger has of each day: of what is read from sources, the reading from *source*, else the last one."""
    rows = session.execute(
        "SELECT day, stage, status, source, started_at FROM ops.partitions WHERE day BETWEEN ? AND ? "
        "ORDER BY day, started_at, stage",
        [span.first, span.last],
    )
    found: dict[date, dict[str, _Stage]] = {}
    for day, stage, *noted in rows:
        found.setdefault(day, {})[stage] = _Stage(*noted)
    return {
        day: {stage: one for stage in stages if "@" not in stage and (one := as_read_from(source, stage, stages))}
        for day, stages in found.items()
    }


def _last_runs(session: Session, span: Span) -> dict[date, str]:
    """How the last run of each day ended, or that it never did."""
    sql = "SELECT day, status FROM ops.runs WHERE day BETWEEN ? AND ? ORDER BY started_at"
    return dict(session.execute(sql, [span.first, span.last]))

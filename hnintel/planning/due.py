"""The days that are due again: gaps in the calendar, failed or settling days, dead letters, outdated marts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from hnintel.briefing import published_pages
from hnintel.errors import counted
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
    """Return all days due at *now*, oldest first: :func:`days_to_run`, then other days of :func:`left_behind`."""
    whole = days_to_run(session, pipeline, now)
    named = {due.day for due in whole}
    return sorted(
        [*whole, *(due for due in left_behind(session, pipeline, now) if due.day not in named)], key=lambda due: due.day
    )


def days_to_run(session: Session, pipeline: Pipeline, now: datetime) -> list[Due]:
    """Return the days to run again at *now* (UTC without a zone), oldest first, from the source of *pipeline*.

    A day is due if it is missing or unfinished (:func:`gaps`), if its last run was cut short, however long ago
    (:func:`hnintel.planning.cut_short.cut_short`), while it settles (:func:`hnintel.partitions.settling.due_days`), and
    if a dead letter of it is due: an article whose site was down, an item that was not read, a bad answer. A letter
    that has had all its retries is not due. A changed question makes no day due: a person plans a backfill for it.
    """
    settings, source = pipeline.settings, pipeline.spec
    readings = settling.day_readings(session, source)
    why: dict[date, list[str]] = {due.day: [due.why] for due in gaps(session, settings, source, now)}
    for cut in cut_short(session, pipeline, now):
        if cut.day not in why and not cut.is_given_up:
            why[cut.day] = [cut.why]
    ended = [row for row in readings if row.finished]  # an unfinished reading is a gap, whose age is bounded
    for due in settling.due_days(ended, now, settings.settle_days, settings.time_zone):
        if due.day >= settings.first_day:
            why.setdefault(due.day, []).append(due.why)
    for day, listing_why in _not_whole(session, pipeline, ended, now):
        why.setdefault(day, []).append(listing_why)
    # Only days of this source: days of another source cannot be read from it.
    own = {reading.day for reading in readings}
    letters = dead_letters.letters(session, settings, now, pipeline.asked)
    waiting = Counter(row.day for row in letters if row.due and row.day in own and row.day >= settings.first_day)
    for day, count in waiting.items():
        why.setdefault(day, []).append(f"{count} dead letter{'s are' if count > 1 else ' is'} due")
    busy = _at_work(session)
    return [Due(day, "; ".join(reasons)) for day, reasons in sorted(why.items()) if day not in busy]


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
    """Return the days whose enrichments are done, but whose marts, briefing or page are missing or of older rows.

    That happens if a backfill is killed after its days and before their marts, and if an earlier day is read after a
    later day's briefing: running these days makes the rows independent of the order of the runs. A stage that is stale
    only because code or a question changed is left alone, as in the whole module.
    """
    busy = _at_work(session)
    gone = _gone(session, pipeline, busy)
    span = _calendar(session, pipeline.settings, pipeline.spec, now)
    if span is None:
        return gone
    stages_by_day = grid(session, pipeline, span.first, span.last, now)
    named = [(day, _behind(stages, pipeline)) for day, stages in stages_by_day.items() if day not in busy]
    behind = [Due(day, why, (f"{TRANSFORM}+",)) for day, why in named if why]
    due_days = {due.day for due in behind}
    return sorted([*behind, *(due for due in gone if due.day not in due_days)], key=lambda due: due.day)


def _gone(session: Session, pipeline: Pipeline, busy: set[date]) -> list[Due]:
    """Return the newest day whose page is missing, of any age: publishing a day writes every missing page."""
    rows = session.execute(
        statement("planning/days_with_a_page", is_done=IS_DONE),
        [INGEST, PUBLISH, pipeline.spec, pipeline.spec, pipeline.settings.first_day],
    )
    gone = sorted(published_pages.missing((day for (day,) in rows), pipeline.settings) - busy)
    if not gone:
        return []
    more = f", as are those of {counted(len(gone) - 1, 'more day')}" if len(gone) > 1 else ""
    return [Due(gone[-1], f"{PUBLISH}: {PAGE_GONE}{more}", (PUBLISH,))]


def left_to_people(session: Session, pipeline: Pipeline, due: Sequence[Due]) -> list[date]:
    """Return the failed or stopped days, oldest first, that are not *due* because they are too old."""
    rows = session.execute(
        "SELECT DISTINCT day, stage FROM ops.partitions WHERE status IN ('failed', 'stopped', 'running') "
        "AND coalesce(source, ?) = ? AND day >= ? ORDER BY day",
        [pipeline.spec, pipeline.spec, pipeline.settings.first_day],
    )
    excluded = _at_work(session) | {due_day.day for due_day in due}
    return sorted({day for day, stage in rows if stage in pipeline.stages} - excluded)


def _behind(stages: dict[str, Partition], pipeline: Pipeline) -> str | None:
    read = stages[INGEST].noted
    if read is None or read.source not in (None, pipeline.spec):
        return None
    if not all(stages[name].is_done for name in pipeline.stages[TRANSFORM]):
        return None
    late = [stages[name] for name in pipeline.after_asking if _is_behind(stages[name], pipeline)]
    if [(stage.stage, stage.why) for stage in late] == [(PUBLISH, PAGE_GONE)]:
        return None  # _gone lists the day, for publishing alone
    return f"{late[0].stage}: {late[0].why}" if late else None


def _is_behind(partition: Partition, pipeline: Pipeline) -> bool:
    if partition.status != "stale":
        return partition.status == "missing"
    return partition.noted is not None and partition.noted.fingerprint == pipeline.fingerprint(partition.stage)


def _at_work(session: Session) -> set[date]:
    """Return the days of all runs under way; of a backfill all its days, also those that it has not begun."""
    alive_leases = leases.alive(session, utc_now())
    days = {day for day, _ in alive_leases}
    for lease in alive_leases.values():
        days.update(days_held(lease.stage))
        if lease.day == leases.ALL_DAYS:
            sql = "SELECT day FROM ops.partitions WHERE stage = ? AND run_id = ? AND status = 'running'"
            days |= {day for (day,) in session.execute(sql, [lease.stage, lease.run_id])}
    return days


def gaps(session: Session, settings: Settings, source: str, now: datetime) -> list[Due]:
    """Return the days, at most ``catch_up_days`` back, that the ledger does not have or whose run is unfinished.

    A day that was read only before it was over is a gap too, since the run over the whole day is missing.

    The calendar begins with the first day that was ever run from *source*; without such a day there are no gaps.
    """
    span = _calendar(session, settings, source, now)
    if span is None:
        return []
    days = open_source(source, settings).days(settings.time_zone)  # a dump has these days and will never have others
    by_day, runs = _stages(session, span, source), _last_runs(session, span)
    named = [
        (day, _why(by_day.get(day, {}), runs.get(day), source, Window.of(day, settings.time_zone)))
        for day in days_between(span.first, span.last)
        if not days or day in days
    ]
    return [Due(day, why) for day, why in named if why]


def _calendar(session: Session, settings: Settings, source: str, now: datetime) -> Span | None:
    """Return the span of days to check: past days from the first day ever run, at most ``catch_up_days`` back."""
    known = known_days(session, source)
    if known is None or not settings.catch_up_days:
        return None
    last = newest_whole_day(open_source(source, settings), now, settings.time_zone)
    oldest = day_of(now.replace(tzinfo=UTC), settings.time_zone) - timedelta(days=settings.catch_up_days)
    return Span(max(known.first, settings.first_day, oldest), last)


@dataclass(frozen=True, slots=True)
class _Stage:
    """The columns of a stage's row in the ledger that this module reads."""

    status: str
    source: str | None
    started_at: datetime


def _why(stages: dict[str, _Stage], last_run: str | None, source: str, window: Window) -> str | None:
    if INGEST not in stages:
        return "it was never run"
    read = stages[INGEST]
    if read.source not in (None, source):
        return f"read from {read.source}, not {source}"
    for stage, noted in stages.items():
        if noted.status == RUNNING:
            return f"{stage}: its run died"
        if noted.status in (FAILED, STOPPED):
            return f"{stage} {noted.status}"
    if not window.is_over(read.started_at):
        return f"read {read.started_at:%Y-%m-%d %H:%M} UTC, while the day was going on"
    return "its run died between two stages" if last_run == RUNNING else None


def _stages(session: Session, span: Span, source: str) -> dict[date, dict[str, _Stage]]:
    """Return the stages of each day in the ledger; the reading from *source* counts, else the last reading."""
    rows = session.execute(
        "SELECT day, stage, status, source, started_at FROM ops.partitions WHERE day BETWEEN ? AND ? "
        "ORDER BY day, started_at, stage",
        [span.first, span.last],
    )
    by_day: dict[date, dict[str, _Stage]] = {}
    for day, stage, *noted in rows:
        by_day.setdefault(day, {})[stage] = _Stage(*noted)
    return {
        day: {stage: row for stage in stages if "@" not in stage and (row := as_read_from(source, stage, stages))}
        for day, stages in by_day.items()
    }


def _last_runs(session: Session, span: Span) -> dict[date, str]:
    """Return the status of the last run of each day."""
    sql = "SELECT day, status FROM ops.runs WHERE day BETWEEN ? AND ? ORDER BY started_at"
    return dict(session.execute(sql, [span.first, span.last]))

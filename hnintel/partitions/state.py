"""The state of partitions: their status in the ledger, and whether their rows are still up to date."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any

from hnintel.briefing import published_pages
from hnintel.ledger import leases, listings
from hnintel.ledger.dead_letters import Letter, letters
from hnintel.ledger.leases import Lease
from hnintel.ledger.listings import Listed
from hnintel.ledger.stage_names import INGEST, PUBLISH, READ_LETTERS, TRANSFORM, as_read_from, beside
from hnintel.ledger.statuses import COMPLETE, DONE, FAILED, PARTIAL, RUNNING, STOPPED, Standing
from hnintel.partitions import settling
from hnintel.partitions.calendar import Span, days_between
from hnintel.partitions.pipeline import Pipeline
from hnintel.partitions.settling import DayRead
from hnintel.warehouse.base import Session
from hnintel.window import Window

PAGE_GONE = "its page, or the index of all pages, is gone"


@dataclass(frozen=True, slots=True)
class Noted:
    """A row of ``ops.partitions``; times are UTC without a zone."""

    day: date
    stage: str
    status: str
    row_count: int | None
    fingerprint: str | None
    inputs: str | None
    source: str | None
    run_id: str
    attempts: int
    started_at: datetime
    finished_at: datetime | None
    error: str | None


@dataclass(frozen=True, slots=True)
class Partition:
    """The current state of a stage of a day.

    ``why``: in one line, why the stage is not done or is stale. ``due``: whether a run would run the stage.
    """

    day: date
    stage: str
    status: Standing
    due: bool
    why: str = ""
    noted: Noted | None = None

    @property
    def is_done(self) -> bool:
        """Whether its rows are written, stale or not."""
        return self.status in (*DONE, "stale")

    def as_json(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        noted = asdict(self.noted) if self.noted else {}
        names = ("row_count", "fingerprint", "source", "run_id", "attempts", "started_at", "finished_at", "error")
        state = {"stage": self.stage, "status": self.status, "due": self.due, "why": self.why}
        return state | {name: _plain(noted.get(name)) for name in names}


def grid(
    session: Session, pipeline: Pipeline, first: date, last: date, now: datetime, stages: Sequence[str] | None = None
) -> dict[date, dict[str, Partition]]:
    """Return the state of every stage of the days from *first* to *last* at *now* (UTC without a zone), by day.

    Args:
        session: the transaction; nothing is written.
        pipeline: gives the current fingerprints and inputs.
        first: the first day.
        last: the last day, included.
        now: the time by which days settle, letters are due and leases end.
        stages: only these stages.
    """
    names = list(pipeline.stages) if stages is None else list(stages)
    noted = _noted(session, first, last)
    alive = leases.alive(session, now)
    waiting = Counter(_waiting(letters(session, pipeline.settings, now, pipeline.asked)))
    published = [day for day, rows in noted.items() if PUBLISH in rows and rows[PUBLISH].status in DONE]
    listed = listings.between(session, first, last, pipeline.spec) if INGEST in names else {}
    gone = published_pages.missing(published, pipeline.settings) if PUBLISH in names else set()
    states: dict[date, dict[str, Partition]] = {}
    for stage in names:
        days = [day for day, stages in noted.items() if stage in stages]
        inputs = pipeline.inputs(session, stage, min(days), max(days)) if days else {}
        fingerprint = pipeline.fingerprint(stage) if days else ""
        for day in days_between(first, last):
            row = as_read_from(pipeline.spec, stage, noted.get(day, {}))
            judge = _Judge(
                pipeline,
                day,
                stage,
                fingerprint,
                inputs.get(day, ""),
                now,
                stage == PUBLISH and day in gone,
                listed.get(day),
            )
            holds = alive.get((day, stage)) or alive.get((leases.ALL_DAYS, stage))
            states.setdefault(day, {})[stage] = judge.partition(row, holds, waiting)
    return states


def partition(session: Session, pipeline: Pipeline, day: date, stage: str, now: datetime) -> Partition:
    """Return the state of one stage of a day."""
    return grid(session, pipeline, day, day, now, [stage])[day][stage]


def sources_of(session: Session, first: date, last: date) -> dict[date, list[str]]:
    """Return by day the sources, as users gave them, that the days were read from, the last reading last."""
    rows = session.execute(
        "SELECT day, source, max(started_at) FROM ops.partitions WHERE day BETWEEN ? AND ? "
        "AND (stage = ? OR stage LIKE ?) AND source IS NOT NULL GROUP BY day, source ORDER BY day, 3, source",
        [first, last, INGEST, beside(INGEST, "%")],
    )
    sources: dict[date, list[str]] = {}
    for day, source, _ in rows:
        sources.setdefault(day, []).append(str(source))
    return sources


def spans_to_transform(
    session: Session, pipeline: Pipeline, span: Span, now: datetime, again: bool = False
) -> list[list[date]]:
    """Return the days whose marts are missing or out of date, in groups that can each be built at once.

    A day whose reading failed, or where an answer violated a constraint, is not built, and no group spans it.

    Args:
        session: the transaction.
        pipeline: gives the current fingerprints and inputs.
        span: days.
        now: UTC without a zone.
        again: whether to include days whose marts are up to date.
    """
    upstream = pipeline.stages[TRANSFORM]
    spans: list[list[date]] = [[]]
    for day, stages in grid(session, pipeline, span.first, span.last, now, [*upstream, TRANSFORM]).items():
        if all(stages[name].is_done for name in upstream):
            if again or stages[TRANSFORM].due or stages[TRANSFORM].status == RUNNING:
                spans[-1].append(day)
        elif stages[INGEST].status != "missing":
            spans.append([])
    return [days for days in spans if days]


@dataclass(frozen=True, slots=True)
class _Judge:
    """Compares the fingerprint and inputs of one stage of a day now with those in the ledger."""

    pipeline: Pipeline
    day: date
    stage: str
    fingerprint: str
    inputs: str
    now: datetime
    is_gone: bool
    listed: Listed | None

    def partition(
        self, noted: Noted | None, held: Lease | None, waiting: Mapping[tuple[date, str, bool], int]
    ) -> Partition:
        if noted is None:
            return Partition(self.day, self.stage, "missing", True, "never run")
        if noted.status == RUNNING:
            return self._under_way(noted, held)
        if noted.status not in DONE:
            status: Standing = STOPPED if noted.status == STOPPED else FAILED
            return Partition(self.day, self.stage, status, True, noted.error or "it failed", noted)
        if why := self._stale(noted):
            return Partition(self.day, self.stage, "stale", True, why, noted)
        due, later = waiting.get((self.day, self.stage, True), 0), waiting.get((self.day, self.stage, False), 0)
        if due or noted.status == PARTIAL:
            why_partial = f"{due + later} dead letters, {due} due"
            return Partition(self.day, self.stage, PARTIAL, due > 0, why_partial, noted)
        return Partition(self.day, self.stage, COMPLETE, False, "", noted)

    def _under_way(self, noted: Noted, held: Lease | None) -> Partition:
        since = f"since {noted.started_at:%Y-%m-%d %H:%M} UTC"
        if held is not None and held.run_id == noted.run_id:
            return Partition(self.day, self.stage, RUNNING, False, f"{held} {since}", noted)
        return Partition(self.day, self.stage, FAILED, True, f"run {noted.run_id}, {since}, died", noted)

    def _stale(self, noted: Noted) -> str | None:
        """Return why a done stage is stale, else None; a value that an old row does not have is not compared."""
        if self.is_gone:
            return PAGE_GONE
        if noted.fingerprint is not None and noted.fingerprint != self.fingerprint:
            if self.stage == INGEST and noted.source not in (None, self.pipeline.spec):
                return f"read from {noted.source}, not {self.pipeline.spec}"
            return "what makes it has changed: code, question, model or settings"
        if noted.inputs is not None and noted.inputs != self.inputs:
            return "what it is made of has changed"
        return self._moving(noted) if self.stage == INGEST else None

    def _moving(self, noted: Noted) -> str | None:
        """Return why a day read before it had settled is to be read again, else None."""
        zone, began_at = self.pipeline.settings.time_zone, noted.started_at
        if not Window.of(self.day, zone).is_over(began_at):
            return f"read {began_at:%Y-%m-%d %H:%M} UTC, while the day was going on"
        readings = [DayRead(self.day, began_at, True)]
        due = settling.due_days(readings, self.now, self.pipeline.settings.settle_days, zone)
        if due:
            return due[0].why
        if self.listed is not None and settling.is_listing_due(self.listed, self.pipeline.settings, self.now):
            return f"its listing is {self.listed.proof.kind}, not whole"
        return None


def _noted(session: Session, first: date, last: date) -> dict[date, dict[str, Noted]]:
    rows = session.rows(
        "SELECT day, stage, status, row_count, fingerprint, inputs, source, run_id, attempts, started_at, finished_at, "
        "error FROM ops.partitions WHERE day BETWEEN ? AND ? ORDER BY day, stage",
        [first, last],
    )
    by_day: dict[date, dict[str, Noted]] = {}
    for row in rows:
        by_day.setdefault(row["day"], {})[row["stage"]] = Noted(**row)
    return by_day


def _waiting(waiting: Sequence[Letter]) -> list[tuple[date, str, bool]]:
    """Return for each dead letter its day, the stage that would retry it, and whether it is due."""
    return [(letter.day, INGEST if letter.stage in READ_LETTERS else letter.stage, letter.due) for letter in waiting]


def _plain(value: object) -> object:
    return value.isoformat() if isinstance(value, datetime) else value

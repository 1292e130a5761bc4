"""How partitions stand: what the ledger says of each, and whether that still holds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any

from hnintel.briefing import published_pages
from hnintel.ledger import leases
from hnintel.ledger.dead_letters import Letter, letters
from hnintel.ledger.leases import Lease
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
    """A stage of a day as it stands.

    ``why`` is one line: of what is not done, or not any more. ``due`` says whether a run would do something about it.
    """

    day: date
    stage: str
    status: Standing
    due: bool
    why: str = ""
    noted: Noted | None = None

    @property
    def is_done(self) -> bool:
        """Whether its rows are there, old ones or new."""
        return self.status in (*DONE, "stale")

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        noted = asdict(self.noted) if self.noted else {}
        kept = ("row_count", "fingerprint", "source", "run_id", "attempts", "started_at", "finished_at", "error")
        told = {"stage": self.stage, "status": self.status, "due": self.due, "why": self.why}
        return told | {name: _plain(noted.get(name)) for name in kept}


def grid(
    session: Session, pipeline: Pipeline, first: date, last: date, now: datetime, stages: Sequence[str] | None = None
) -> dict[date, dict[str, Partition]]:
    """How every stage of the days from *first* to *last* stands at *now* (UTC without a zone), by day.

    Args:
        session: the transaction it is read in; nothing is written.
        pipeline: what partitions would be made of.
        first: day.
        last: day, included.
        now: a stamp, which settling days, due letters and leases depend on.
        stages: only these.
    """
    wanted = list(pipeline.stages) if stages is None else list(stages)
    noted = _noted(session, first, last)
    held = leases.alive(session, now)
    waiting = Counter(_waiting(letters(session, pipeline.settings, now, pipeline.asked)))
    published = [day for day, rows in noted.items() if PUBLISH in rows and rows[PUBLISH].status in DONE]
    gone = published_pages.missing(published, pipeline.settings) if PUBLISH in wanted else set()
    found: dict[date, dict[str, Partition]] = {}
    for stage in wanted:
        days = [day for day, stages in noted.items() if stage in stages]
        inputs = pipeline.inputs(session, stage, min(days), max(days)) if days else {}
        fingerprint = pipeline.fingerprint(stage) if days else ""
        for day in days_between(first, last):
            row = as_read_from(pipeline.spec, stage, noted.get(day, {}))
            judge = _Judge(
                pipeline, day, stage, fingerprint, inputs.get(day, ""), now, stage == PUBLISH and day in gone
            )
            holds = held.get((day, stage)) or held.get((leases.ALL_DAYS, stage))
            found.setdefault(day, {})[stage] = judge.partition(row, holds, waiting)
    return found


def partition(session: Session, pipeline: Pipeline, day: date, stage: str, now: datetime) -> Partition:
    """How one stage of a day stands."""
    return grid(session, pipeline, day, day, now, [stage])[day][stage]


def sources_of(session: Session, first: date, last: date) -> dict[date, list[str]]:
    """The sources that the days from *first* to *last* were read from, as users named them, the last reading last."""
    rows = session.execute(
        "SELECT day, source, max(started_at) FROM ops.partitions WHERE day BETWEEN ? AND ? "
        "AND (stage = ? OR stage LIKE ?) AND source IS NOT NULL GROUP BY day, source ORDER BY day, 3, source",
        [first, last, INGEST, beside(INGEST, "%")],
    )
    found: dict[date, list[str]] = {}
    for day, source, _ in rows:
        found.setdefault(day, []).append(str(source))
    return found


def spans_to_transform(
    session: Session, pipeline: Pipeline, span: Span, now: datetime, again: bool = False
) -> list[list[date]]:
    """The days whose rows the marts do not have as they are now, in groups that can be built at once.

    A day that is not ready, for its reading failed or an answer broke a promise, is not built, and no group goes
    across it.

    Args:
        session: the transaction it is read in.
        pipeline: what partitions would be made of.
        span: days.
        now: UTC without a zone.
        again: whether to take days too whose rows the marts have.
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
    """What one stage of a day would be made of now, to be held against what it was made of."""

    pipeline: Pipeline
    day: date
    stage: str
    fingerprint: str
    inputs: str
    now: datetime
    is_gone: bool

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
            told = f"{due + later} dead letters, {due} due"
            return Partition(self.day, self.stage, PARTIAL, due > 0, told, noted)
        return Partition(self.day, self.stage, COMPLETE, False, "", noted)

    def _under_way(self, noted: Noted, held: Lease | None) -> Partition:
        since = f"since {noted.started_at:%Y-%m-%d %H:%M} UTC"
        if held is not None and held.run_id == noted.run_id:
            return Partition(self.day, self.stage, RUNNING, False, f"{held} {since}", noted)
        return Partition(self.day, self.stage, FAILED, True, f"run {noted.run_id}, {since}, died", noted)

    def _stale(self, noted: Noted) -> str | None:
        """Why what was done does not hold any more; what was not kept of an old row cannot be told to have changed."""
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
        """Of a day that was read before it had settled: why it is to be read again."""
        zone, began_at = self.pipeline.settings.time_zone, noted.started_at
        if not Window.of(self.day, zone).is_over(began_at):
            return f"read {began_at:%Y-%m-%d %H:%M} UTC, while the day was going on"
        readings = [DayRead(self.day, began_at, True)]
        due = settling.due_days(readings, self.now, self.pipeline.settings.settle_days, zone)
        return due[0].why if due else None


def _noted(session: Session, first: date, last: date) -> dict[date, dict[str, Noted]]:
    rows = session.rows(
        "SELECT day, stage, status, row_count, fingerprint, inputs, source, run_id, attempts, started_at, finished_at, "
        "error FROM ops.partitions WHERE day BETWEEN ? AND ? ORDER BY day, stage",
        [first, last],
    )
    found: dict[date, dict[str, Noted]] = {}
    for row in rows:
        found.setdefault(row["day"], {})[row["stage"]] = Noted(**row)
    return found


def _waiting(found: Sequence[Letter]) -> list[tuple[date, str, bool]]:
    """Of each dead letter its day, the stage that would take it up, and whether it is due."""
    return [(letter.day, INGEST if letter.stage in READ_LETTERS else letter.stage, letter.due) for letter in found]


def _plain(value: object) -> object:
    return value.isoformat() if isinstance(value, datetime) else value

"""A range of days to be made up for: which of their stages are to be done, and what that would come to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, date, datetime
from typing import Any, Literal, get_args

from hnintel.articles import pending_articles
from hnintel.budget import Estimate
from hnintel.partitions.calendar import Span
from hnintel.partitions.graph import ARTICLES, ENRICH, INGEST, in_words
from hnintel.partitions.made_of import Making, days_between
from hnintel.partitions.state import Partition, grid
from hnintel.plan import plan
from hnintel.warehouse.base import Session, Warehouse

#: Which partitions are chosen: due in any way, never run, stale, failed; or all, done or not.
Only = Literal["due", "missing", "stale", "failed", "all"]
ONLY: tuple[Only, ...] = get_args(Only)
_STATUSES: Mapping[Only, tuple[str, ...]] = {
    "missing": ("missing",),
    "stale": ("stale",),
    "failed": ("failed", "stopped"),
}


#: Stands before the days and the run in the lease of a backfill.
_LEASE = "backfill"


def lease_of(span: Span, run_id: str) -> str:
    """What a backfill holds while it lasts, so that nobody begins what it has yet to do."""
    return f"{_LEASE} {span.first} {span.last} {run_id}"


def days_held(stage: str) -> list[date]:
    """The days of the backfill whose lease is so named; none where it is another's lease."""
    kind, *told = stage.split(" ")
    return days_between(*map(date.fromisoformat, told[:2])) if kind == _LEASE and len(told) == 3 else []


@dataclass(frozen=True, slots=True)
class Work:
    """What is to be done of one day: its stages in their order, and why each."""

    day: date
    stages: Mapping[str, str]
    #: How often the first of them was tried: another try is another request.
    attempts: int = 0

    @property
    def reads(self) -> bool:
        """Whether the day is read from its source."""
        return INGEST in self.stages


def choose_work(
    session: Session,
    making: Making,
    span: Span,
    stages: frozenset[str],
    only: Only,
    now: datetime,
    newest_first: bool = False,
) -> list[Work]:
    """The days of *span* that have something to be done, and what that is.

    A stage whose upstream is to be done is chosen with it: whether it is really to be done is known once that has run.

    Args:
        session: the transaction it is read in; nothing is written.
        making: what partitions would be made of.
        span: days.
        stages: no others.
        only: which partitions.
        now: UTC without a zone.
        newest_first: the order of the days.
    """
    found = grid(session, making, span.first, span.last, now)
    works = [_work(making, day, found[day], stages, only) for day in sorted(found, reverse=newest_first)]
    return [work for work in works if work.stages]


def _work(making: Making, day: date, partitions: Mapping[str, Partition], stages: frozenset[str], only: Only) -> Work:
    chosen: dict[str, str] = {}
    for stage, after in making.stages.items():
        if stage not in stages:
            continue
        one, upstream = partitions[stage], [name for name in after if name in chosen]
        if _is_chosen(one, only):
            chosen[stage] = f"{one.status}: {one.why}" if one.why else one.status
        elif upstream:
            chosen[stage] = f"after {upstream[0]}"
    first = next(iter(chosen), None)
    noted = partitions[first].noted if first else None
    return Work(day, chosen, noted.attempts if noted else 0)


def _is_chosen(one: Partition, only: Only) -> bool:
    if only == "all":
        return True
    return one.due if only == "due" else one.status in _STATUSES[only]


@dataclass
class BackfillPlan:
    """What a backfill would come to: by day what would be asked; ``fetches`` and ``asked`` of all days.

    Of a day that is not here yet nothing is known: it is taken for an average one of those that are
    (``guessed`` days). ``-1`` fetches: there is none to go by.
    """

    works: list[Work]
    stages: str
    fetches: dict[date, int] = field(default_factory=dict)
    asked: dict[date, Estimate] = field(default_factory=dict)
    guessed: set[date] = field(default_factory=set)
    unknown: set[date] = field(default_factory=set)

    @property
    def total(self) -> Estimate:
        """All questions of all days."""
        known = list(self.asked.values())
        return sum(known[1:], known[0]) if known else Estimate()

    def rows(self) -> list[dict[str, Any]]:
        """A row a day: what is to be done and why, how many items and articles are read, questions, tokens and cost."""
        return [
            {
                "day": work.day.isoformat(),
                "stages": ", ".join(work.stages),
                "why": "; ".join(dict.fromkeys(why for why in work.stages.values() if not why.startswith("after "))),
                "fetches": self.fetches.get(work.day, 0),
                "questions": self.asked[work.day].rows if work.day in self.asked else 0,
                "tokens": sum(_tokens(self.asked[work.day])) if work.day in self.asked else 0,
                "cost": round(self.asked[work.day].cost, 6) if work.day in self.asked else 0.0,
                "estimated_from": self._estimated_from(work.day),
            }
            for work in self.works
        ]

    def as_markdown(self) -> str:
        """The rows as a table, and what they come to."""
        names = ("day", "questions", "tokens", "cost", "estimated_from")
        lines = [names, ("---",) * len(names), *([row[name] for name in names] for row in self.rows())]
        table = "\n".join(f"| {' | '.join(str(cell) for cell in line)} |" for line in lines)
        return f"{table}\n\nTogether {self.total.rows} questions, {self.total.cost:.4g} {self.total.currency}."

    def _estimated_from(self, day: date) -> str:
        return "nothing" if day in self.unknown else "other days" if day in self.guessed else "its items"

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        total = asdict(self.total)
        return {"stages": self.stages, "days": self.rows(), "total": total | {"fetches": sum(self.fetches.values())}}


def plan_backfill(warehouse: Warehouse, making: Making, works: list[Work], stages: frozenset[str]) -> BackfillPlan:
    """What doing *works* would fetch, ask and cost, as the warehouse is now; asks nothing and keeps nothing.

    Raises:
        WarehouseError: a price is not known.
    """
    planned = BackfillPlan(works, in_words(making.stages, stages))
    with warehouse.transaction() as session:
        here = dict(session.execute("SELECT day, count(*) FROM raw.items GROUP BY day"))
        usual = _usual_day(session)
        due = {work.day: _articles_due(session, making, work) for work in works if work.day in here}
    for work in works:
        asks = any(stage.startswith(f"{ENRICH}:") or stage == "briefing" for stage in work.stages)
        if work.day in here:
            planned.fetches[work.day] = due[work.day] + (int(here[work.day]) if work.reads else 0)
            if asks:
                planned.asked[work.day] = _of_stages(plan(warehouse, work.day, making.settings).stages, work)
        elif usual is not None:
            planned.guessed.add(work.day)
            planned.fetches[work.day] = usual[0] if work.reads else 0
            if asks:
                planned.asked[work.day] = usual[1]
        else:
            planned.unknown.add(work.day)
    return planned


def _articles_due(session: Session, making: Making, work: Work) -> int:
    have_pages = making.source.pages() is not None
    if ARTICLES not in work.stages or not have_pages:
        return 0
    now = datetime.now(UTC).replace(tzinfo=None)
    return len(pending_articles(session, work.day, now, have_pages, making.settings.article_refresh_days))


def _of_stages(estimates: Mapping[str, Estimate], work: Work) -> Estimate:
    wanted = [one for name, one in estimates.items() if name in work.stages or f"{ENRICH}:{name}" in work.stages]
    return sum(wanted[1:], wanted[0]) if wanted else Estimate()


def _usual_day(session: Session) -> tuple[int, Estimate] | None:
    """How many items an average day has, and what asking about one came to."""
    items = session.execute("SELECT avg(n) FROM (SELECT count(*) AS n FROM raw.items GROUP BY day) AS days")[0][0]
    if items is None:
        return None
    rows = session.execute(
        "SELECT avg(calls), avg(read), avg(written), avg(credits), max(currency) FROM (SELECT sum(calls) AS calls, "
        "sum(input_tokens) AS read, sum(output_tokens) AS written, sum(credits) AS credits, "
        "max(coalesce(currency, 'credits')) AS currency FROM ops.ai_usage GROUP BY day) AS days"
    )[0]
    if rows[0] is None:
        return round(items), Estimate()
    calls, read, written = (round(number) for number in rows[:3])
    return round(items), Estimate(calls, read, written, float(rows[3]), rows[4])


def _tokens(one: Estimate) -> tuple[int, int]:
    return one.input_tokens, one.output_tokens

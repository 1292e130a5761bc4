"""What a backfill would fetch, ask and cost; of days that are not here yet, by those that are."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cache, partial
from typing import Any

from hnintel.briefing.write import is_free
from hnintel.cost.budget import Estimate
from hnintel.cost.money import in_words as in_words_of_money
from hnintel.enrich.functions import Functions
from hnintel.ingest.articles import pending_articles
from hnintel.ledger.stage_names import ARTICLES, BRIEFING, INGEST, of_enrichment
from hnintel.ledger.statuses import IS_DONE
from hnintel.partitions.graph import in_words
from hnintel.partitions.pipeline import Pipeline
from hnintel.planning.day import plan
from hnintel.planning.work import Work
from hnintel.warehouse.base import Session, Warehouse
from hnintel.warehouse.statements import statement
from hnintel.window import utc_now

#: So many days say what a usual one comes to.
_USUAL_DAYS = 3


@dataclass
class BackfillPlan:
    """What a backfill would come to: by day what would be asked; ``fetches`` and ``asked`` of all days.

    Of a day that was not read yet nothing is known: it is taken for an average one of those that were (``guessed``
    days), at today's prices. ``unknown``: there is none to go by; ``unpriced``: and it costs something. ``absent``: the
    source has nothing of it.
    """

    works: list[Work]
    stages: str
    every_stage: str = ""
    fetches: dict[date, int] = field(default_factory=dict)
    asked: dict[date, Estimate] = field(default_factory=dict)
    guessed: set[date] = field(default_factory=set)
    unknown: set[date] = field(default_factory=set)
    unpriced: set[date] = field(default_factory=set)
    absent: set[date] = field(default_factory=set)

    @property
    def total(self) -> Estimate:
        """All questions of all days of which something is known."""
        known = list(self.asked.values())
        return sum(known[1:], known[0]) if known else Estimate()

    def rows(self) -> list[dict[str, Any]]:
        """A row a day: what is to be done and why, how many items and articles are read, questions, tokens and cost.

        None stands for what is not known.
        """
        return [
            {
                "day": work.day.isoformat(),
                "stages": ", ".join(work.stages),
                "why": "; ".join(dict.fromkeys(why for why in work.stages.values() if not why.startswith("after "))),
                **self._figures(work.day),
                "estimated_from": self._estimated_from(work.day),
            }
            for work in self.works
        ]

    def _figures(self, day: date) -> dict[str, Any]:
        if day in self.unknown:
            return dict.fromkeys(("fetches", "questions", "tokens", "cost", "currency", "costs"))
        asked = self.asked.get(day, Estimate())
        tokens = asked.input_tokens + asked.output_tokens
        return {
            "fetches": self.fetches.get(day, 0),
            "questions": asked.rows,
            "tokens": tokens,
            "cost": round(asked.cost, 6),
            "currency": asked.currency,
            "costs": {currency: round(amount, 6) for currency, amount in asked.costs.items()},
        }

    def as_markdown(self) -> str:
        """The rows as a table, and what they come to."""
        names = ("day", "questions", "tokens", "cost", "estimated_from")
        rows = [row | {"cost": cost_of(row)} for row in self.rows()]
        lines = [names, ("---",) * len(names), *([row[name] for name in names] for row in rows)]
        table = "\n".join(f"| {' | '.join('?' if cell is None else str(cell) for cell in line)} |" for line in lines)
        unknown = f", and what {len(self.unknown)} days come to of which nothing is known" if self.unknown else ""
        return f"{table}\n\nTogether {self.total.rows} questions, {self.total.cost_in_words()}{unknown}."

    def _estimated_from(self, day: date) -> str:
        if day in self.absent:
            return "not in its source"
        return "nothing" if day in self.unknown else "other days" if day in self.guessed else "its items"

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        total = self.total.as_json()
        known = total | {"fetches": sum(self.fetches.values()), "unknown_days": len(self.unknown)}
        return {"stages": self.stages, "days": self.rows(), "total": known}


def plan_backfill(warehouse: Warehouse, pipeline: Pipeline, works: list[Work], stages: frozenset[str]) -> BackfillPlan:
    """What doing *works* would fetch, ask and cost, as the warehouse is now; asks nothing and keeps nothing.

    Raises:
        WarehouseError: a price is not known.
    """
    every_stage = ", ".join(stage for stage in pipeline.stages if stage in stages)
    planned = BackfillPlan(works, in_words(pipeline.stages, stages), every_stage)
    with warehouse.transaction(stage="enrich") as session:
        here = _items_of_days_read(session)
        due = {work.day: _articles_due(session, pipeline, work) for work in works if work.day in here}
    held = set(pipeline.source.days(pipeline.settings.time_zone))
    usual = cache(partial(_usual_day, warehouse, pipeline, here))  # worked out where a day wants it
    for work in works:
        if work.day in here:
            planned.fetches[work.day] = due[work.day] + (here[work.day] if work.reads else 0)
            if _asks(pipeline, work):
                planned.asked[work.day] = _of_stages(plan(warehouse, work.day, pipeline.settings).stages, work)
        elif held and work.day not in held:
            planned.absent.add(work.day)
        elif average := usual():
            planned.guessed.add(work.day)
            planned.fetches[work.day] = average.fetches(work, pipeline)
            if _asks(pipeline, work):
                planned.asked[work.day] = _of_stages(average.stages, work)
        else:
            planned.unknown.add(work.day)
            if not _is_free(pipeline, work):
                planned.unpriced.add(work.day)
    return planned


def _asks(pipeline: Pipeline, work: Work) -> bool:
    return any(pipeline.declared[stage].asks for stage in work.stages)


def _is_free(pipeline: Pipeline, work: Work) -> bool:
    """Whether nothing that is to be asked of the day costs anything."""
    asked = [one for one in pipeline.enrichments.values() if one.stage in work.stages]
    if BRIEFING in work.stages and not is_free(pipeline.warehouse, pipeline.settings):
        return False
    return all(Functions.of(pipeline.warehouse, one, pipeline.settings).is_free for one in asked)


def _items_of_days_read(session: Session) -> dict[date, int]:
    """How many items there are of each day that was read to its end; of another they say little."""
    rows = session.execute(statement("planning/items_of_days_read", is_done=IS_DONE), [INGEST])
    return {day: int(count) for day, count in rows}


def _articles_due(session: Session, pipeline: Pipeline, work: Work) -> int:
    have_pages = pipeline.source.pages() is not None
    if ARTICLES not in work.stages or not have_pages:
        return 0
    now = utc_now()
    return len(pending_articles(session, work.day, now, have_pages, pipeline.settings.article_refresh_days))


def _of_stages(estimates: Mapping[str, Estimate], work: Work) -> Estimate:
    wanted = [one for name, one in estimates.items() if name in work.stages or of_enrichment(name) in work.stages]
    return sum(wanted[1:], wanted[0]) if wanted else Estimate()


def cost_of(row: Mapping[str, Any]) -> str | None:
    """The cost of a row of :meth:`BackfillPlan.rows` with its currency; None where it is not known."""
    return None if row["cost"] is None else in_words_of_money(row["costs"] or {row["currency"]: 0.0})


@dataclass(frozen=True, slots=True)
class _UsualDay:
    """What a day has and may come to, by those that are here."""

    items: int
    articles: int
    stages: Mapping[str, Estimate]

    def fetches(self, work: Work, pipeline: Pipeline) -> int:
        """How many items and articles are read."""
        reads_pages = ARTICLES in work.stages and pipeline.source.pages() is not None
        return (self.items if work.reads else 0) + (self.articles if reads_pages else 0)


def _usual_day(warehouse: Warehouse, pipeline: Pipeline, here: Mapping[date, int]) -> _UsualDay | None:
    """An average of the newest days, had nothing of them been asked: by the questions, models and prices of today."""
    newest = sorted(here, reverse=True)[:_USUAL_DAYS]
    if not newest:
        return None
    with warehouse.transaction(stage="enrich") as session:
        articles = session.execute(statement("planning/count_articles"), [newest[-1], newest[0]])[0][0]
    plans = [plan(warehouse, day, pipeline.settings, anew=True).stages for day in newest]
    stages = {name: _mean([one[name] for one in plans]) for name in plans[0]}
    return _UsualDay(round(sum(here[day] for day in newest) / len(newest)), round(articles / len(newest)), stages)


def _mean(estimates: Sequence[Estimate]) -> Estimate:
    total, days = sum(estimates[1:], estimates[0]), len(estimates)
    return Estimate(
        math.ceil(total.rows / days),
        math.ceil(total.input_tokens / days),
        math.ceil(total.output_tokens / days),
        total.cost / days,
        total.currency,
        tuple((currency, amount / days) for currency, amount in total.others),
    )

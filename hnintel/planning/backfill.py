"""Plan a backfill: fetches, questions and cost; days that are not read yet are estimated from days that are."""

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
from hnintel.errors import counted
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

#: The number of days that the average of a usual day is computed from.
_USUAL_DAYS = 3


@dataclass
class BackfillPlan:
    """The plan of a backfill: its works, and by day the ``fetches`` and the estimate of its questions (``asked``).

    A day that was not read yet is assumed to be an average day (``guessed``), at today's prices. Days are ``unknown``
    if no read day gives an average, and ``unpriced`` if they also cost money. The source does not have ``absent`` days.
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
        """The sum of the estimates of all days that have an estimate."""
        known = list(self.asked.values())
        return sum(known[1:], known[0]) if known else Estimate()

    def rows(self) -> list[dict[str, Any]]:
        """Return a row for each day: stages and reasons, items and articles to read, questions, tokens and cost.

        Unknown values are None.
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
        estimate = self.asked.get(day, Estimate())
        tokens = estimate.input_tokens + estimate.output_tokens
        return {
            "fetches": self.fetches.get(day, 0),
            "questions": estimate.rows,
            "tokens": tokens,
            "cost": round(estimate.cost, 6),
            "currency": estimate.currency,
            "costs": {currency: round(amount, 6) for currency, amount in estimate.costs.items()},
        }

    def as_markdown(self) -> str:
        """Return the rows as a table, with their sum."""
        names = ("day", "questions", "tokens", "cost", "estimated_from")
        rows = [row | {"cost": cost_of(row)} for row in self.rows()]
        lines = [names, ("---",) * len(names), *([row[name] for name in names] for row in rows)]
        table = "\n".join(f"| {' | '.join('?' if cell is None else str(cell) for cell in line)} |" for line in lines)
        unknown = f", and the unknown cost of {counted(len(self.unknown), 'day')}" if self.unknown else ""
        return f"{table}\n\nIn total {counted(self.total.rows, 'question')}, {self.total.cost_in_words()}{unknown}."

    def _estimated_from(self, day: date) -> str:
        if day in self.absent:
            return "not in its source"
        return "nothing" if day in self.unknown else "other days" if day in self.guessed else "its items"

    def as_json(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        total = self.total.as_json()
        known = total | {"fetches": sum(self.fetches.values()), "unknown_days": len(self.unknown)}
        return {"stages": self.stages, "days": self.rows(), "total": known}


def plan_backfill(warehouse: Warehouse, pipeline: Pipeline, works: list[Work], stages: frozenset[str]) -> BackfillPlan:
    """Estimate the fetches, questions and cost of *works* with the warehouse as it is; asks and writes nothing.

    Raises:
        WarehouseError: a price is unknown.
    """
    every_stage = ", ".join(stage for stage in pipeline.stages if stage in stages)
    planned = BackfillPlan(works, in_words(pipeline.stages, stages), every_stage)
    with warehouse.transaction(stage="enrich") as session:
        items_by_day = _items_of_days_read(session)
        due = {work.day: _articles_due(session, pipeline, work) for work in works if work.day in items_by_day}
    source_days = set(pipeline.source.days(pipeline.settings.time_zone))
    usual = cache(partial(_usual_day, warehouse, pipeline, items_by_day))  # computed only if a day needs it
    for work in works:
        if work.day in items_by_day:
            planned.fetches[work.day] = due[work.day] + (items_by_day[work.day] if work.reads else 0)
            if _asks(pipeline, work):
                planned.asked[work.day] = _of_stages(plan(warehouse, work.day, pipeline.settings).stages, work)
        elif source_days and work.day not in source_days:
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
    """Return whether all questions of the day are free."""
    enrichments = [enrichment for enrichment in pipeline.enrichments.values() if enrichment.stage in work.stages]
    if BRIEFING in work.stages and not is_free(pipeline.warehouse, pipeline.settings):
        return False
    return all(Functions.of(pipeline.warehouse, enrichment, pipeline.settings).is_free for enrichment in enrichments)


def _items_of_days_read(session: Session) -> dict[date, int]:
    """Return the number of items of each day whose reading is complete; other days say little."""
    rows = session.execute(statement("planning/items_of_days_read", is_done=IS_DONE), [INGEST])
    return {day: int(count) for day, count in rows}


def _articles_due(session: Session, pipeline: Pipeline, work: Work) -> int:
    have_pages = pipeline.source.pages() is not None
    if ARTICLES not in work.stages or not have_pages:
        return 0
    now = utc_now()
    return len(pending_articles(session, work.day, now, have_pages, pipeline.settings.article_refresh_days))


def _of_stages(estimates: Mapping[str, Estimate], work: Work) -> Estimate:
    chosen = [
        estimate for name, estimate in estimates.items() if name in work.stages or of_enrichment(name) in work.stages
    ]
    return sum(chosen[1:], chosen[0]) if chosen else Estimate()


def cost_of(row: Mapping[str, Any]) -> str | None:
    """Return the cost of a row of :meth:`BackfillPlan.rows` with its currency; None where it is unknown."""
    return None if row["cost"] is None else in_words_of_money(row["costs"] or {row["currency"]: 0.0})


@dataclass(frozen=True, slots=True)
class _UsualDay:
    """The average items, articles and estimates of the days that are read."""

    items: int
    articles: int
    stages: Mapping[str, Estimate]

    def fetches(self, work: Work, pipeline: Pipeline) -> int:
        """Return how many items and articles *work* reads."""
        reads_pages = ARTICLES in work.stages and pipeline.source.pages() is not None
        return (self.items if work.reads else 0) + (self.articles if reads_pages else 0)


def _usual_day(warehouse: Warehouse, pipeline: Pipeline, items_by_day: Mapping[date, int]) -> _UsualDay | None:
    """Return the average of the newest days as if none had answers, by the questions, models and prices of today."""
    newest = sorted(items_by_day, reverse=True)[:_USUAL_DAYS]
    if not newest:
        return None
    with warehouse.transaction(stage="enrich") as session:
        articles = session.execute(statement("planning/count_articles"), [newest[-1], newest[0]])[0][0]
    plans = [plan(warehouse, day, pipeline.settings, anew=True).stages for day in newest]
    stages = {name: _mean([estimates[name] for estimates in plans]) for name in plans[0]}
    return _UsualDay(
        round(sum(items_by_day[day] for day in newest) / len(newest)), round(articles / len(newest)), stages
    )


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

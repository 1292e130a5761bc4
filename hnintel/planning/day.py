"""Plan a run: its questions and cost with the warehouse as it is now; sends no question and writes nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from hnintel.briefing.write import estimate_briefing, holds_still
from hnintel.cost.budget import Estimate
from hnintel.enrich.declaration import load_enrichments
from hnintel.enrich.run import EnrichmentRun
from hnintel.enrich.tables import prepare
from hnintel.errors import WarehouseError
from hnintel.ledger.stage_names import BRIEFING
from hnintel.settings import Settings
from hnintel.warehouse.base import Session, Warehouse
from hnintel.warehouse.catalog import columns_of

#: How many sections of a briefing read every story; the third section reads few.
_SECTIONS_OVER_ALL = 2
#: Approximate characters of a takeaway with its item's id.
_TAKEAWAY = 130


@dataclass
class Plan:
    """The plan of a day: its items in the warehouse, and by stage the estimate of its questions."""

    day: date
    items: int = 0
    stages: dict[str, Estimate] = field(default_factory=dict)

    @property
    def total(self) -> Estimate:
        """The sum of all stages."""
        stages = list(self.stages.values())
        return sum(stages[1:], stages[0]) if stages else Estimate()

    def as_json(self) -> dict[str, Any]:
        """Return plain values for JSON; costs are estimates, rather too high than too low."""
        return {
            "day": self.day.isoformat(),
            "items": self.items,
            "stages": {name: estimate.as_json() for name, estimate in self.stages.items()},
            "total": self.total.as_json(),
        }


class _RollBack(Exception):
    """Rolls back a transaction of a plan."""


def plan(warehouse: Warehouse, day: date, settings: Settings, anew: bool = False) -> Plan:
    """Estimate what running *day* would ask about its items and articles as the warehouse has them now.

    Items not read yet and text that changes when it is read again are not counted: read the day first.

    Args:
        warehouse: it is not changed.
        day: the partition.
        settings: for the engine and its prices.
        anew: ignore stored answers, as if nothing of the day had been asked.

    Raises:
        WarehouseError: a price is unknown, or a statement was refused; the message names the enrichment.
        DeclarationError: an enrichment's declaration is not valid.
    """
    planned, under_way = Plan(day), ""
    with _naming(lambda: under_way), suppress(_RollBack), warehouse.transaction(stage="enrich") as session:
        planned.items = session.execute("SELECT count(*) FROM raw.items WHERE day = ? AND status = 'ok'", [day])[0][0]
        for enrichment in load_enrichments(settings.enrichments_path).values():
            under_way = f"enrichment {enrichment.name} of {day}: "
            prepare(session, warehouse, enrichment, settings)  # the enrichment's table may not exist yet
            run = EnrichmentRun(warehouse, enrichment, day, settings, run_id="plan")
            planned.stages[enrichment.name] = run.estimate(session, anew)
        under_way = f"briefing of {day}: "
        planned.stages[BRIEFING] = _briefing(session, warehouse, planned, settings)
        raise _RollBack
    return planned


@contextmanager
def _naming(under_way: Callable[[], str]) -> Iterator[None]:
    try:
        yield
    except WarehouseError as error:
        raise type(error)(f"{under_way()}{error}") from error


def _briefing(session: Session, warehouse: Warehouse, planned: Plan, settings: Settings) -> Estimate:
    """Estimate zero where the stored briefing is still valid; else two sections over all stories, with line
    lengths estimated from titles."""
    holds = bool(columns_of(session, "marts.stories")) and holds_still(session, warehouse, planned.day)
    if not planned.items or (holds and not any(estimate.rows for estimate in planned.stages.values())):
        return Estimate(currency=planned.total.currency)
    titles = session.execute(
        "SELECT coalesce(sum(length(title)), 0) FROM raw.items WHERE day = ? AND status = 'ok'", [planned.day]
    )[0][0]
    return estimate_briefing(
        session, warehouse, settings, _SECTIONS_OVER_ALL * (int(titles) + planned.items * _TAKEAWAY)
    )

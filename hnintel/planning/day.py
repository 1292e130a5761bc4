"""What a run would ask and what that would cost, as the warehouse is now; asks nothing and keeps nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from hnintel.briefing.write import estimate_briefing, holds_still
from hnintel.cost.budget import Estimate
from hnintel.enrich.declaration import load_enrichments
from hnintel.enrich.run import EnrichmentRun, prepare
from hnintel.errors import WarehouseError
from hnintel.ledger.stage_names import BRIEFING
from hnintel.settings import Settings
from hnintel.warehouse.base import Session, Warehouse
from hnintel.warehouse.catalog import columns_of

#: Two sections of a briefing go over every story; the third is over few.
_SECTIONS_OVER_ALL = 2
#: Characters of a takeaway with its item's id, about.
_TAKEAWAY = 130


@dataclass
class Plan:
    """Of one day: how many items it has here, and by stage what would be asked about them."""

    day: date
    items: int = 0
    stages: dict[str, Estimate] = field(default_factory=dict)

    @property
    def total(self) -> Estimate:
        """All stages together."""
        stages = list(self.stages.values())
        return sum(stages[1:], stages[0]) if stages else Estimate()

    def as_json(self) -> dict[str, Any]:
        """Plain values; costs are estimates, rather too high than too low."""
        return {
            "day": self.day.isoformat(),
            "items": self.items,
            "stages": {name: one.as_json() for name, one in self.stages.items()},
            "total": self.total.as_json(),
        }


class _NothingKept(Exception):
    """Ends a transaction that only looked."""


def plan(warehouse: Warehouse, day: date, settings: Settings, anew: bool = False) -> Plan:
    """What running *day* would ask about the items that the warehouse has of it, article text and all, as they are.

    Items that are still to be read are not in it, nor is text that changes when it is read again: read the day first.

    Args:
        warehouse: of which nothing is changed.
        day: the partition.
        settings: of the engine and its prices.
        anew: what it would ask had nothing of the day been asked.

    Raises:
        WarehouseError: a price is not known, or a statement was refused; the enrichment that it is of is named.
        DeclarationError: an enrichment is declared wrong.
    """
    found, under_way = Plan(day), ""
    with _naming(lambda: under_way), suppress(_NothingKept), warehouse.transaction(stage="enrich") as session:
        found.items = session.execute("SELECT count(*) FROM raw.items WHERE day = ? AND status = 'ok'", [day])[0][0]
        for enrichment in load_enrichments(settings.enrichments_path).values():
            under_way = f"enrichment {enrichment.name} of {day}: "
            prepare(session, warehouse, enrichment, settings)  # its table may not be there yet
            run = EnrichmentRun(warehouse, enrichment, day, settings, run_id="plan")
            found.stages[enrichment.name] = run.estimate(session, anew)
        under_way = f"briefing of {day}: "
        found.stages[BRIEFING] = _briefing(session, warehouse, found, settings)
        raise _NothingKept
    return found


@contextmanager
def _naming(under_way: Callable[[], str]) -> Iterator[None]:
    try:
        yield
    except WarehouseError as error:
        raise type(error)(f"{under_way()}{error}") from error


def _briefing(session: Session, warehouse: Warehouse, found: Plan, settings: Settings) -> Estimate:
    """Nothing where the briefing that is there would hold; else two sections over all stories, as far as
    titles tell how long their lines will be."""
    holds = bool(columns_of(session, "marts.stories")) and holds_still(session, warehouse, found.day)
    if not found.items or (holds and not any(one.rows for one in found.stages.values())):
        return Estimate(currency=found.total.currency)
    titles = session.execute(
        "SELECT coalesce(sum(length(title)), 0) FROM raw.items WHERE day = ? AND status = 'ok'", [found.day]
    )[0][0]
    return estimate_briefing(session, warehouse, settings, _SECTIONS_OVER_ALL * (int(titles) + found.items * _TAKEAWAY))

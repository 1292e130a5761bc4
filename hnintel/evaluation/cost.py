"""The cost of an evaluation, booked in the warehouse of the runs: within the same budgets, in the same table."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime

from hnintel.cost.budget import Budget, Estimate, Stamp, book_stopped
from hnintel.cost.usage import EVALUATING
from hnintel.engines.base import AskingStopped
from hnintel.enrich.functions import Functions, Judged
from hnintel.errors import BudgetReached
from hnintel.settings import Settings
from hnintel.warehouse import open_warehouse
from hnintel.window import day_of, utc_now


class Books:
    """The bookings of an evaluation under its own run id. Free questions are not booked and open no warehouse."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.run_id = f"eval-{uuid.uuid4()}"

    @contextmanager
    def reserved(self, estimates: Sequence[Estimate]) -> Iterator[None]:
        """Reserve the estimated cost for the length of the block, by currency.

        Raises:
            BudgetReached: the cost may exceed a budget; nothing is reserved.
        """
        totals: dict[str, Estimate] = {}
        for estimate in estimates:
            totals[estimate.currency] = totals.get(estimate.currency, Estimate(currency=estimate.currency)) + estimate
        budgets = [(self._budget(currency), total) for currency, total in totals.items() if total.cost]
        if not budgets:
            yield
            return
        warehouse = open_warehouse(self._settings)
        with warehouse.transaction(stage="enrich") as session:
            for budget, total in budgets:
                exceeded = budget.would_exceed(session, total, utc_now())
                if exceeded:
                    raise BudgetReached(
                        f"eval would cost about {total.cost:.3g} {total.currency}, and {exceeded}: ask about fewer "
                        "texts with --limit, --set or --enrichment"
                    )
            for budget, total in budgets:
                budget.reserve(session, total, utc_now())
        try:
            yield
        finally:
            with warehouse.transaction(stage="enrich") as session:
                for budget, _ in budgets:
                    budget.release(session)

    def add(self, functions: Functions, enrichment: str, fingerprint: str, judged: Judged) -> None:
        """Book a chunk in ``ops.ai_usage``, under the enrichment's name with the prefix of evaluations."""
        if functions.is_free:
            return
        with open_warehouse(self._settings).transaction(stage="enrich") as session:
            functions.book(session, self.run_id, self._today, f"{EVALUATING}{enrichment}", fingerprint, judged)

    def add_stopped(self, functions: Functions, enrichment: str, fingerprint: str, stopped: AskingStopped) -> str:
        """Book the questions that were under way when asking was stopped; return a description of them."""
        stamp = Stamp(self.run_id, self._today, f"{EVALUATING}{enrichment}", fingerprint)
        if functions.is_free:
            return str(stopped)
        with open_warehouse(self._settings).transaction(stage="enrich") as session:
            return book_stopped(session, functions.all, stamp, stopped)

    @property
    def _today(self) -> date:
        return day_of(datetime.now(UTC), self._settings.time_zone)

    def _budget(self, currency: str) -> Budget:
        return Budget(self._settings, self.run_id, self._today, f"{EVALUATING}{currency}")

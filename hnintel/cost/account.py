"""The account of one stage: a request is sent only if its worst case fits every budget, and is booked at its real cost.

The reservation in ``ops.ai_reservations`` is always at least what the requests under way and the unbooked ones may
cost, so that a killed process leaves it behind, and other processes on the warehouse count it as spent.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date

from hnintel.cost import money
from hnintel.cost.budget import Budget, Grant, Stamp
from hnintel.cost.prices import Price, PriceList
from hnintel.cost.usage import AIFunction, Enriched
from hnintel.engines.base import Usage
from hnintel.engines.journal import Journal, Left
from hnintel.errors import BudgetReached, counted
from hnintel.warehouse.base import Session, Warehouse
from hnintel.window import utc_now

_log = logging.getLogger(__name__)
#: A reservation is enlarged for this many requests like the one that needs it, where the budgets allow, since each
#: enlargement is a transaction.
_AHEAD = 32


@dataclass(slots=True)
class Requests:
    """What the requests for one function came to. ``cost`` is in the price's currency."""

    calls: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cost: float = 0.0
    is_counted: bool = True


@dataclass(frozen=True, slots=True)
class Ticket:
    """One admitted request: its function, its worst case, and the price at which it was sent."""

    function: str
    worst: Usage
    price: Price
    cost: float


@dataclass(slots=True)
class _Purse:
    """Amounts of one currency: reserved in the warehouse, spent by finished requests, and held by those under way."""

    reserved: float = 0.0
    spent: float = 0.0
    held: float = 0.0

    def lacks(self, cost: float) -> float:
        """How much more must be reserved before a request of *cost* fits."""
        return self.spent + self.held + cost - self.reserved


@dataclass
class StageAccount:
    """The requests of one stage of one run, until their cost is booked. One event loop uses it; see ``Account``.

    Args:
        warehouse: where the reservation is kept.
        budget: the budgets, for this stage of this run.
        functions: the functions that are asked, with their models.
        prices: of the functions; a request costs what holds at the moment in which it is sent.
        journal: keeps the answers until they are stored.
    """

    warehouse: Warehouse
    budget: Budget
    functions: Sequence[AIFunction]
    prices: PriceList
    journal: Journal | None = None
    requests: dict[tuple[str, date], Requests] = field(default_factory=dict)
    under_way: int = 0
    given_up: int = 0
    _given_up_costs: dict[str, float] = field(default_factory=dict)
    _purses: dict[str, _Purse] = field(default_factory=dict)
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    _settled: asyncio.Event = field(default_factory=asyncio.Event)

    async def admit(self, function: str, worst: Usage) -> Ticket:
        """Wait until a request fits the budgets, beside those under way.

        Raises:
            BudgetReached: it does not fit although none is under way any more.
            WarehouseError: the reservation cannot be written.
        """
        price = self._price(function, utc_now().date())
        cost = price.cost(worst.input_tokens, worst.output_tokens)
        purse = self._purses.setdefault(price.currency, _Purse())
        async with self._turn:
            while cost and purse.lacks(cost) > 0:
                self._settled.clear()
                grant = await self._enlarge(purse, price.currency, cost)
                if purse.lacks(cost) <= 0:
                    break
                if self._settled.is_set():  # meanwhile a request ended, and cost less than its worst case
                    continue
                if not self.under_way:
                    raise BudgetReached(self.budget.reached(cost, price.currency, grant.exceeded))
                await self._settled.wait()
            purse.held += cost
            self.under_way += 1
        return Ticket(function, worst, price, cost)

    def settle(self, ticket: Ticket, usage: Usage | None, given_up: bool = False) -> None:
        """Replace a request's worst case by what it cost.

        Args:
            ticket: of the request.
            usage: its tokens, at most the worst case; None where it was not billed, since it was refused or not sent.
            given_up: whether it was cancelled before its answer came.
        """
        purse = self._purses[ticket.price.currency]
        purse.held -= ticket.cost
        self.under_way -= 1
        self.given_up += given_up
        if usage is not None:
            if given_up:
                costs = self._given_up_costs
                costs[ticket.price.currency] = costs.get(ticket.price.currency, 0.0) + ticket.cost
            purse.spent += self._count(ticket.function, ticket.price, usage)
        self._settled.set()

    def open(self, stamp: Stamp) -> None:
        """Begin: mark this asking as not booked, and take over the answers of killed askings about the same.

        Their requests are booked under their own runs, those under way when they were killed at their worst case. An
        asking without its mark was booked already, and was killed before it could delete its journal.
        """
        if self.journal is None:
            return
        with self.warehouse.transaction(stage="enrich") as session:
            for left in self.journal.take_over():
                self._book_left(session, left, stamp)
            self.budget.mark(session, utc_now())

    def close(self, stored: bool) -> None:
        """End the journal; its answers are deleted if they are *stored*."""
        if self.journal is not None:
            self.journal.end(stored)

    def _book_left(self, session: Session, left: Left, stamp: Stamp) -> None:
        budget = replace(self.budget, run_id=left.about.get("run_id", ""))
        if not budget.is_marked(session):
            return
        earlier = StageAccount(self.warehouse, budget, self.functions, self.prices)
        for answer in left.answers.values():
            earlier.add(answer.function, Usage(answer.input_tokens, answer.output_tokens, answer.is_counted))
        for sent in left.under_way.values():
            earlier.add(sent.function, Usage(sent.input_tokens, sent.output_tokens, is_counted=False))
        earlier.book(session, replace(stamp, run_id=budget.run_id))
        if left.under_way:
            _log.warning(
                "%s of %s: %s under way when run %s was killed, booked at the most they may cost",
                *(self.budget.stage, self.budget.day, counted(len(left.under_way), "question"), budget.run_id),
            )

    def book(self, session: Session, stamp: Stamp) -> Enriched:
        """Add the requests to ``ops.ai_usage`` and delete the reservation; none may be under way.

        Returns:
            their sum; requests that were booked before are not in it.
        """
        total = Enriched()
        for (name, since), requests in sorted(self.requests.items()):
            priced = AIFunction(name, self._model(name), self._price(name, since))
            came = Enriched(
                calls=requests.calls,
                input_tokens=requests.input_tokens,
                output_tokens=requests.output_tokens,
                credits=requests.cost,
            )
            key = (stamp.run_id, stamp.day, stamp.asker, stamp.fingerprint)
            priced.add_usage(session, *key, came, counted=requests.is_counted)
            total += came
        self.budget.release(session)
        self.requests.clear()
        self._purses.clear()
        return total

    def unstored_in_words(self) -> str:
        """The requests without a stored answer, after asking was stopped: how many, and at what cost they are booked.

        Where the other answers were stored, these are the ones that were given up under way; else all of them.
        """
        calls = sum(requests.calls for requests in self.requests.values()) or self.given_up
        if not calls:
            return "no question was under way"
        costs = {currency: purse.spent for currency, purse in self._purses.items()} or self._given_up_costs
        verb = "was" if self.given_up == 1 else "were"
        given_up = f"{counted(self.given_up, 'question')} under way {verb} given up"
        booked = money.in_words(costs, digits=3)
        return f"{given_up}; {counted(calls, 'call')} without a stored answer booked at about {booked}"

    def add(self, function: str, usage: Usage) -> None:
        """Count a request of an earlier asking, at the present price; one of an unknown function is left out."""
        if any(known.name == function for known in self.functions):
            self._count(function, self._price(function, utc_now().date()), usage)

    def _count(self, function: str, price: Price, usage: Usage) -> float:
        cost = price.cost(usage.input_tokens, usage.output_tokens)
        total = self.requests.setdefault((function, price.since), Requests())
        total.calls += 1
        total.input_tokens += usage.input_tokens
        total.output_tokens += usage.output_tokens
        total.cost += cost
        total.is_counted &= usage.is_counted
        return cost

    def _model(self, function: str) -> str:
        return next(known.model for known in self.functions if known.name == function)

    def _price(self, function: str, on: date) -> Price:
        return self.prices.price(function, self._model(function), on)

    async def _enlarge(self, purse: _Purse, currency: str, cost: float) -> Grant:
        """Reserve more, for a number of requests ahead or for this one alone."""
        least = purse.spent + purse.held + cost
        most = least + (_AHEAD - 1) * cost
        grant = await asyncio.to_thread(self._reserve, currency, least, most, purse.spent)
        purse.reserved = max(purse.reserved, grant.amount)
        return grant

    def _reserve(self, currency: str, least: float, most: float, unbooked: float) -> Grant:
        with self.warehouse.transaction(stage="enrich") as session:
            return self.budget.grow(session, currency, least, most, utc_now(), unbooked)

"""What may be spent: what the next question may cost, what is spent already, the stop before it is too much."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime
from itertools import accumulate
from typing import Any

from hnintel.cost import money
from hnintel.cost.usage import AIFunction
from hnintel.engines.base import AskingStopped, Spent
from hnintel.errors import BudgetReached, UsageError
from hnintel.settings import Settings
from hnintel.warehouse.base import Session
from hnintel.warehouse.statements import CHARS_PER_TOKEN
from hnintel.window import Window, day_of

#: Characters of a digest, about.
DIGEST_CHARS = 2_000
#: Tokens of an answer before there is any to go by.
_FIRST_OUTPUT = {"AI_CLASSIFY": 20}
_FIRST_OUTPUT_OTHERS = 150
#: Bookings that an estimate goes by, the latest first.
_RECENT = 30
#: Answers that a booking counts for at most, so that a large one does not speak for all others.
_MOST_WEIGHT = 200
#: Tokens that an answer is taken to have at most, whatever was booked.
MOST_OUTPUT = 131_072


@dataclass(frozen=True, slots=True)
class Estimate:
    """What asking about so many rows may come to; ``cost`` is in ``currency``, ``others`` are costs in other ones."""

    rows: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cost: float = 0.0
    currency: str = money.CREDITS
    others: tuple[tuple[str, float], ...] = ()

    @property
    def costs(self) -> dict[str, float]:
        """Amounts by currency, of those of which there is any."""
        return money.together([{self.currency: self.cost}, dict(self.others)])

    def __add__(self, other: Estimate) -> Estimate:
        """Both together; each currency is added up by itself."""
        read, written = self.input_tokens + other.input_tokens, self.output_tokens + other.output_tokens
        costs = money.together([self.costs, other.costs])
        currency = self.currency if self.currency in costs else next(iter(costs), self.currency)
        cost = costs.pop(currency, 0.0)
        return Estimate(self.rows + other.rows, read, written, cost, currency, tuple(costs.items()))

    def cost_in_words(self) -> str:
        """Amounts and their currencies: ``0.3 credits and 1.2 USD``."""
        return money.in_words(self.costs or {self.currency: 0.0})

    def as_json(self) -> dict[str, Any]:
        """Plain values; ``costs`` are amounts by currency, and ``cost`` is that of ``currency`` alone."""
        told = asdict(self)
        del told["others"]
        return told | {"costs": self.costs}


def wants_approval(total: Estimate, settings: Settings, unknown: int = 0) -> bool:
    """Whether *total* is more than may be spent without a person's word; what so many ``unknown`` days cost is, too.

    The amount of each currency is held against the limit by itself, as budgets do.
    """
    return settings.approve_above is not None and (
        max(total.costs.values(), default=0.0) > settings.approve_above or unknown > 0
    )


def refuse_unapproved(total: Estimate, settings: Settings, unknown: int = 0) -> None:
    """Raise UsageError where *total* is too much to be begun by a command that nobody has said ``--yes`` to."""
    if wants_approval(total, settings, unknown):
        raise UsageError(f"{too_much(total, settings, unknown)}: nothing was begun; look at the plan, then give --yes")


def too_much(total: Estimate, settings: Settings, unknown: int = 0) -> str:
    """What a person is asked about: the cost, and the setting that it is above."""
    limit = f"HNINTEL_APPROVE_ABOVE={settings.approve_above:g}"
    if not unknown:
        return f"it may cost {total.cost_in_words()}, more than {limit}"
    known = f"{total.cost_in_words()} and " if total.costs else ""
    days = f"{unknown} days" if unknown > 1 else "one day"
    return f"it may cost {known}what {days} cost of which nothing is known yet, and {limit} is set"


def estimate(session: Session, asker: str, function: AIFunction, rows: int, chars: int, overhead: int = 0) -> Estimate:
    """What a question over *rows* may cost.

    Args:
        session: to read what earlier answers came to; an answer is taken to be as long as those of late were.
        asker: the enrichment, as ``ops.ai_usage`` has it.
        function: that it asks.
        rows: how many are asked about.
        chars: of all their texts together.
        overhead: characters that go along with every row.
    """
    read = math.ceil((chars + rows * overhead) / CHARS_PER_TOKEN)
    each = answer_tokens(session, asker, function)
    written = math.ceil(rows * each)
    return Estimate(rows, read, written, function.price.cost(read, written), function.price.currency)


def answer_tokens(session: Session, asker: str, function: AIFunction) -> float:
    """Tokens of output that an answer of *function* to *asker* takes, by what its last runs were booked with.

    It is the median over runs, weighted by their answers, of those by the same model where there are any: one run with
    a wrong count does not change what all later ones are held to.
    """
    told = session.execute(
        "SELECT model, calls, output_tokens FROM ops.ai_usage WHERE enrichment = ? AND function = ? AND calls > 0 "
        "ORDER BY asked_at DESC, run_id, day LIMIT ?",
        [asker, function.name, _RECENT],
    )
    runs = [row for row in told if row[0] == function.model] or told
    if not runs:
        return _FIRST_OUTPUT.get(function.name, _FIRST_OUTPUT_OTHERS)
    lengths = sorted((min(wrote / calls, MOST_OUTPUT), min(int(calls), _MOST_WEIGHT)) for _, calls, wrote in runs)
    half = sum(weight for _, weight in lengths) / 2
    passed = accumulate(weight for _, weight in lengths)
    return float(next(length for (length, _), weight in zip(lengths, passed, strict=True) if weight > half))


@dataclass(frozen=True, slots=True)
class Stamp:
    """What a booking is known by in ``ops.ai_usage``."""

    run_id: str
    day: date
    asker: str
    fingerprint: str


def book_stopped(session: Session, functions: Iterable[AIFunction], stamp: Stamp, stopped: AskingStopped) -> str:
    """Book at an estimate what asking had sent when it was stopped, and has no row for.

    Args:
        session: the transaction.
        functions: that were asked.
        stamp: whose questions these were.
        stopped: how the asking ended.

    Returns:
        a sentence: how many questions, and what they are booked at.
    """
    cost, calls, currency = 0.0, 0, ""
    for function in functions:
        spent = stopped.unbooked.get(function.name, Spent())
        if not spent.calls:
            continue
        # Of an answer that never came nobody knows the length.
        written = spent.usage.output_tokens + math.ceil(spent.in_flight * answer_tokens(session, stamp.asker, function))
        came = function.came_to(spent.calls, 0, spent.usage.input_tokens, written)
        function.add_usage(session, stamp.run_id, stamp.day, stamp.asker, stamp.fingerprint, came, counted=False)
        cost, calls, currency = cost + came.credits, calls + spent.calls, function.price.currency
    if not calls:
        return "no question was under way"
    under_way = sum(spent.in_flight for spent in stopped.unbooked.values())
    told = f"{under_way} questions under way were given up"
    return f"{told}; {calls} without an answer to keep are booked at about {cost:.3g} {currency}"


@dataclass(frozen=True, slots=True)
class Budget:
    """The budgets of the settings, for one stage of one run over one day."""

    settings: Settings
    run_id: str
    day: date
    stage: str

    def reserve(self, session: Session, wanted: Estimate, now: datetime) -> None:
        """Put on the books what is about to be asked.

        What others are asking at the same moment counts, and so does what a killed run was asking: nobody knows whether
        that was paid.

        Raises:
            BudgetReached: it may exceed a budget; nothing is reserved.
        """
        exceeded = self.would_exceed(session, wanted, now)
        if exceeded:
            raise BudgetReached(
                f"{self.stage} of {self.day} stopped before {wanted.rows} more questions, which may cost "
                f"{wanted.cost:.3g} {wanted.currency}: {exceeded}; "
                "what was answered is kept, and a later run goes on from there"
            )
        session.execute(
            "INSERT INTO ops.ai_reservations VALUES (?, ?, ?, ?, ?, ?)",
            [self.run_id, self.day, self.stage, wanted.cost, wanted.currency, now],
        )

    def would_exceed(self, session: Session, wanted: Estimate, now: datetime) -> str | None:
        """Which budget asking may exceed, in words; None where it fits. What this stage had reserved is released."""
        self.release(session)
        for name, limit, spent in self._spent(session, wanted.currency, now):
            if spent + wanted.cost > limit:
                return f"{spent:.3g} are spent of HNINTEL_{name.upper()}={limit:g}"
        return None

    def release(self, session: Session) -> None:
        """Take the reservation off the books: it was asked and is in ``ops.ai_usage``, or was never answered."""
        session.execute(
            "DELETE FROM ops.ai_reservations WHERE run_id = ? AND day = ? AND stage = ?",
            [self.run_id, self.day, self.stage],
        )

    def _spent(self, session: Session, currency: str, now: datetime) -> list[tuple[str, float, float]]:
        """(setting, limit, spent so far) of every budget that is set; days and months are the business zone's."""
        settings = self.settings
        today = day_of(now.replace(tzinfo=UTC), settings.time_zone)
        limits = [
            ("budget_run", settings.budget_run, "run_id = ?", self.run_id),
            ("budget_day", settings.budget_day, "{at} >= ?", _begins(today, settings)),
            ("budget_month", settings.budget_month, "{at} >= ?", _begins(today.replace(day=1), settings)),
        ]
        return [
            (name, limit, _sum(session, condition, value, currency))
            for name, limit, condition, value in limits
            if limit is not None
        ]


def _begins(day: date, settings: Settings) -> datetime:
    start = Window.of(day, settings.time_zone).start_epoch
    return datetime.fromtimestamp(start, UTC).replace(tzinfo=None)


def _sum(session: Session, condition: str, value: object, currency: str) -> float:
    paid = session.execute(
        "SELECT coalesce(sum(credits), 0) FROM ops.ai_usage "
        f"WHERE coalesce(currency, 'credits') = ? AND {condition.format(at='asked_at')}",
        [currency, value],
    )[0][0]
    reserved = session.execute(
        "SELECT coalesce(sum(credits), 0) FROM ops.ai_reservations "
        f"WHERE currency = ? AND {condition.format(at='reserved_at')}",
        [currency, value],
    )[0][0]
    return float(paid) + float(reserved)

"""Budgets: estimate the next questions, add up the costs so far, and stop before a limit is exceeded."""

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
from hnintel.errors import BudgetReached, UsageError, counted
from hnintel.settings import Settings
from hnintel.warehouse.base import Session
from hnintel.warehouse.statements import CHARS_PER_TOKEN
from hnintel.window import Window, day_of

#: Approximate characters of a digest.
DIGEST_CHARS = 2_000
#: Estimated tokens of an answer before any usage is booked.
_FIRST_OUTPUT = {"AI_CLASSIFY": 20}
_FIRST_OUTPUT_OTHERS = 150
#: The number of latest bookings that an estimate uses.
_RECENT = 30
#: The largest weight of a booking, in answers, so that a large booking does not outweigh all others.
_MOST_WEIGHT = 200
#: The most tokens that an answer is assumed to have, whatever was booked.
MOST_OUTPUT = 131_072


@dataclass(frozen=True, slots=True)
class Estimate:
    """The estimated cost of asking about ``rows`` rows; ``cost`` is in ``currency``, ``others`` in other currencies."""

    rows: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cost: float = 0.0
    currency: str = money.CREDITS
    others: tuple[tuple[str, float], ...] = ()

    @property
    def costs(self) -> dict[str, float]:
        """Amounts by currency, without currencies of amount zero."""
        return money.together([{self.currency: self.cost}, dict(self.others)])

    def __add__(self, other: Estimate) -> Estimate:
        """The sum of both estimates; each currency is added up separately."""
        read, written = self.input_tokens + other.input_tokens, self.output_tokens + other.output_tokens
        costs = money.together([self.costs, other.costs])
        currency = self.currency if self.currency in costs else next(iter(costs), self.currency)
        cost = costs.pop(currency, 0.0)
        return Estimate(self.rows + other.rows, read, written, cost, currency, tuple(costs.items()))

    def cost_in_words(self) -> str:
        """Amounts and their currencies: ``0.3 credits and 1.2 USD``."""
        return money.in_words(self.costs or {self.currency: 0.0})

    def as_json(self) -> dict[str, Any]:
        """Plain values; ``costs`` are the amounts by currency, ``cost`` is the amount in ``currency`` alone."""
        values = asdict(self)
        del values["others"]
        return values | {"costs": self.costs}


def wants_approval(total: Estimate, settings: Settings, unknown: int = 0) -> bool:
    """Whether *total* exceeds the limit above which a person must approve, or *unknown* days have an unknown cost.

    The amount of each currency is compared with the limit separately, as budgets do.
    """
    return settings.approve_above is not None and (
        max(total.costs.values(), default=0.0) > settings.approve_above or unknown > 0
    )


def refuse_unapproved(total: Estimate, settings: Settings, unknown: int = 0) -> None:
    """Raise UsageError where *total* needs approval; for commands that were called without ``--yes``."""
    if wants_approval(total, settings, unknown):
        raise UsageError(f"{too_much(total, settings, unknown)}: nothing was begun; look at the plan, then give --yes")


def too_much(total: Estimate, settings: Settings, unknown: int = 0) -> str:
    """The sentence that asks a person to approve: the cost, and the setting that it exceeds."""
    limit = f"HNINTEL_APPROVE_ABOVE={settings.approve_above:g}"
    if not unknown:
        return f"it may cost {total.cost_in_words()}, more than {limit}"
    known = f"it may cost {total.cost_in_words()}, and " if total.costs else ""
    return f"{known}the cost of {counted(unknown, 'day')} is not known yet; {limit} is set"


def estimate(session: Session, asker: str, function: AIFunction, rows: int, chars: int, overhead: int = 0) -> Estimate:
    """Estimate the cost of a question over *rows*; answers are assumed to be as long as recent answers were.

    Args:
        session: reads the usage of recent answers.
        asker: the enrichment, as ``ops.ai_usage`` names it.
        function: the function that the enrichment calls.
        rows: the number of rows to ask about.
        chars: the characters of all their texts together.
        overhead: characters sent with every row besides its text.
    """
    read = math.ceil((chars + rows * overhead) / CHARS_PER_TOKEN)
    each = answer_tokens(session, asker, function)
    written = math.ceil(rows * each)
    return Estimate(rows, read, written, function.price.cost(read, written), function.price.currency)


def answer_tokens(session: Session, asker: str, function: AIFunction) -> float:
    """The expected output tokens of an answer of *function* to *asker*, from the usage of recent runs.

    It is the median over runs, weighted by their answers, so that one run with a wrong count does not distort later
    estimates. Only runs of the same model count, where there are any.
    """
    recent = session.execute(
        "SELECT model, calls, output_tokens FROM ops.ai_usage WHERE enrichment = ? AND function = ? AND calls > 0 "
        "ORDER BY asked_at DESC, run_id, day LIMIT ?",
        [asker, function.name, _RECENT],
    )
    runs = [row for row in recent if row[0] == function.model] or recent
    if not runs:
        return _FIRST_OUTPUT.get(function.name, _FIRST_OUTPUT_OTHERS)
    lengths = sorted((min(wrote / calls, MOST_OUTPUT), min(int(calls), _MOST_WEIGHT)) for _, calls, wrote in runs)
    half = sum(weight for _, weight in lengths) / 2
    passed = accumulate(weight for _, weight in lengths)
    return float(next(length for (length, _), weight in zip(lengths, passed, strict=True) if weight > half))


@dataclass(frozen=True, slots=True)
class Stamp:
    """The key of a booking in ``ops.ai_usage``."""

    run_id: str
    day: date
    asker: str
    fingerprint: str


def book_stopped(session: Session, functions: Iterable[AIFunction], stamp: Stamp, stopped: AskingStopped) -> str:
    """Book, at an estimate, the questions that were sent before asking was stopped and whose answers have no row.

    Args:
        session: the transaction to write in.
        functions: the functions that were called.
        stamp: the key of the booking.
        stopped: the error that ended the asking, with the unbooked questions.

    Returns:
        A sentence: the number of these questions, and the cost booked for them.
    """
    cost, calls, currency = 0.0, 0, ""
    for function in functions:
        spent = stopped.unbooked.get(function.name, Spent())
        if not spent.calls:
            continue
        # The length of an answer that never arrived is unknown: estimate it.
        written = spent.usage.output_tokens + math.ceil(spent.in_flight * answer_tokens(session, stamp.asker, function))
        came = function.came_to(spent.calls, 0, spent.usage.input_tokens, written)
        function.add_usage(session, stamp.run_id, stamp.day, stamp.asker, stamp.fingerprint, came, counted=False)
        cost, calls, currency = cost + came.credits, calls + spent.calls, function.price.currency
    if not calls:
        return "no question was under way"
    under_way = sum(spent.in_flight for spent in stopped.unbooked.values())
    given_up = f"{counted(under_way, 'question')} under way {'was' if under_way == 1 else 'were'} given up"
    return f"{given_up}; {counted(calls, 'call')} without a stored answer booked at about {cost:.3g} {currency}"


@dataclass(frozen=True, slots=True)
class Grant:
    """A reservation: its amount, and which budget kept it from the least that was asked for; None where none did."""

    amount: float
    exceeded: str | None = None


@dataclass(frozen=True, slots=True)
class Budget:
    """The budgets of the settings, for one stage of one run over one day."""

    settings: Settings
    run_id: str
    day: date
    stage: str

    def reserve(self, session: Session, expected: Estimate, now: datetime) -> None:
        """Reserve the estimated cost of questions before they are sent.

        Reservations of other runs count as spent, and so do those of a killed run, since its questions may have been
        paid for.

        Raises:
            BudgetReached: the cost may exceed a budget; nothing is reserved.
        """
        exceeded = self.would_exceed(session, expected, now)
        if exceeded:
            raise BudgetReached(
                f"{self.stage} of {self.day} stopped before {counted(expected.rows, 'more question')}, which may cost "
                f"{expected.cost:.3g} {expected.currency}: {exceeded}; "
                "the answers so far are stored, and a later run continues from there"
            )
        session.execute(
            "INSERT INTO ops.ai_reservations VALUES (?, ?, ?, ?, ?, ?)",
            [self.run_id, self.day, self.stage, expected.cost, expected.currency, now],
        )

    def grow(
        self, session: Session, currency: str, least: float, most: float, now: datetime, unbooked: float = 0.0
    ) -> Grant:
        """Enlarge this stage's reservation in *currency* to as much of *most* as fits, at least to *least*.

        Args:
            session: the transaction; processes on one warehouse take turns here.
            currency: of the amounts; a stage has one, since the same endpoint answers all its questions.
            least: the amount without which the next request does not fit.
            most: the amount that is worth reserving at once.
            now: UTC without a zone.
            unbooked: how much of *least* is spent already, for the message.

        Returns:
            the reservation, which is left as it was where *least* does not fit.
        """
        mine = "run_id = ? AND day = ? AND stage = ? AND currency = ?"
        key = [self.run_id, self.day, self.stage, currency]
        before = session.execute(f"SELECT coalesce(sum(credits), 0) FROM ops.ai_reservations WHERE {mine}", key)[0][0]
        amount = most
        for name, limit, spent in self._spent(session, currency, now):
            others = spent - float(before)
            if others + least > limit:
                spent_so_far = others + unbooked
                return Grant(float(before), f"{spent_so_far:.3g} are spent of HNINTEL_{name.upper()}={limit:g}")
            amount = min(amount, limit - others)
        self._replace(session, amount, currency, now)
        return Grant(amount)

    def mark(self, session: Session, now: datetime) -> None:
        """Reserve nothing yet: a row that stands for an asking that is not booked. :meth:`release` deletes it."""
        self._replace(session, 0.0, money.CREDITS, now)

    def _replace(self, session: Session, amount: float, currency: str, now: datetime) -> None:
        self.release(session)
        session.execute(
            "INSERT INTO ops.ai_reservations VALUES (?, ?, ?, ?, ?, ?)",
            [self.run_id, self.day, self.stage, amount, currency, now],
        )

    def is_marked(self, session: Session) -> bool:
        """Whether an asking of this stage of this run is not booked."""
        mine = "run_id = ? AND day = ? AND stage = ?"
        key = [self.run_id, self.day, self.stage]
        return bool(session.execute(f"SELECT count(*) FROM ops.ai_reservations WHERE {mine}", key)[0][0])

    def reached(self, cost: float, currency: str, exceeded: str | None) -> str:
        """The message where a budget ends the asking."""
        return (
            f"{self.stage} of {self.day} stopped before a question that may cost {cost:.3g} {currency}: {exceeded}; "
            "the answers so far are stored, and a later run continues from there"
        )

    def would_exceed(self, session: Session, expected: Estimate, now: datetime) -> str | None:
        """Name the budget that *expected* may exceed; None where it fits. Releases this stage's own reservation."""
        self.release(session)
        for name, limit, spent in self._spent(session, expected.currency, now):
            if spent + expected.cost > limit:
                return f"{spent:.3g} are spent of HNINTEL_{name.upper()}={limit:g}"
        return None

    def release(self, session: Session) -> None:
        """Delete the reservation: its questions are booked in ``ops.ai_usage``, or were never answered."""
        session.execute(
            "DELETE FROM ops.ai_reservations WHERE run_id = ? AND day = ? AND stage = ?",
            [self.run_id, self.day, self.stage],
        )

    def _spent(self, session: Session, currency: str, now: datetime) -> list[tuple[str, float, float]]:
        """(setting, limit, amount spent) of every budget that is set; days and months are in the business zone."""
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

"""The usage of AI functions in answers, tokens and money, and its bookings in ``ops.ai_usage``."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from hnintel.cost.prices import Price, load_prices
from hnintel.settings import Settings
from hnintel.warehouse.base import Session, Warehouse
from hnintel.warehouse.statements import statement
from hnintel.window import utc_now

#: The prefix of an enrichment's name in bookings of an evaluation, which asks about labelled texts and not about a day.
EVALUATING = "eval:"


@dataclass(frozen=True, slots=True)
class Enriched:
    """The outcome of asking. asked = answered + failed, in items; an item can need several calls.

    ``reused`` items were not asked about, since another item with the same text has an answer. For ``uncounted`` items
    the endpoint gave no plausible count of tokens, so their tokens are estimated.
    """

    asked: int = 0
    answered: int = 0
    failed: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    credits: float = 0.0
    calls: int = 0
    reused: int = 0
    uncounted: int = 0

    def __add__(self, other: Enriched) -> Enriched:
        return Enriched(*(getattr(self, name) + getattr(other, name) for name in self.__slots__))

    def in_words(self) -> str:
        """One line with the counts of items."""
        line = f"{self.asked} asked, {self.answered} answered, {self.failed} failed"
        line += f", {self.reused} of the same text as another" if self.reused else ""
        return line + (f", the tokens of {self.uncounted} estimated" if self.uncounted else "")


@dataclass(frozen=True, slots=True)
class AIFunction:
    """An ``AI_*`` function with the model that answers it, and its price today."""

    name: str
    model: str
    price: Price

    @classmethod
    def of(cls, name: str, warehouse: Warehouse, model: str, settings: Settings, asker: str = "") -> AIFunction:
        """The function with the model that *warehouse* uses when *asker* asks for *model*.

        Raises:
            WarehouseError: no price is known.
        """
        answering = warehouse.model(model, asker)
        return cls(name, answering, load_prices(settings).price(name, answering, utc_now().date()))

    def came_to(self, calls: int, failed: int, read: int, written: int) -> Enriched:
        """The outcome of *calls* calls, *failed* of them failures, with the cost of *read* and *written* tokens."""
        return Enriched(calls, calls - failed, failed, read, written, self.price.cost(read, written), calls)

    def add_usage(
        self, session: Session, run_id: str, day: date, asker: str, fingerprint: str, came: Enriched, counted: bool
    ) -> None:
        """Add calls, tokens and cost to ``ops.ai_usage``.

        Args:
            session: the transaction that stores the answers.
            run_id: the run that pays.
            day: the partition.
            asker: the enrichment, or the briefing.
            fingerprint: of the question.
            came: the calls, tokens and cost to add.
            counted: whether the provider counted the tokens; else they are estimated.
        """
        session.merge(
            statement("cost/add_usage"),
            [
                *(run_id, day, asker, fingerprint, self.name, self.model),
                *(came.calls, came.input_tokens, came.output_tokens, "counted" if counted else "estimated"),
                *(came.credits, self.price.currency, self.price.since, utc_now()),
            ],
        )

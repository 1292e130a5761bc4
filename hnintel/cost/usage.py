"""What asking came to, in answers, tokens and money, and how that is kept."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from hnintel.cost.prices import Price, load_prices
from hnintel.settings import Settings
from hnintel.warehouse.base import Session, Warehouse
from hnintel.warehouse.statements import statement
from hnintel.window import utc_now

#: Stands before an enrichment's name where texts were asked about to judge it, and not for a day's sake.
EVALUATING = "eval:"


@dataclass(frozen=True, slots=True)
class Enriched:
    """What asking came to. asked = answered + failed, in items; an item can take more calls than one.

    ``reused`` items were not asked about: another has an answer to the very same text. Of ``uncounted`` items an
    endpoint gave no count of tokens that can be right, so theirs are estimated.
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
        """A line, in items."""
        told = f"{self.asked} asked, {self.answered} answered, {self.failed} failed"
        told += f", {self.reused} of the same text as another" if self.reused else ""
        return told + (f", the tokens of {self.uncounted} estimated" if self.uncounted else "")


@dataclass(frozen=True, slots=True)
class AIFunction:
    """An ``AI_*`` function with the model that answers it, and what that costs today."""

    name: str
    model: str
    price: Price

    @classmethod
    def of(cls, name: str, warehouse: Warehouse, model: str, settings: Settings, asker: str = "") -> AIFunction:
        """The function as *warehouse* answers it when *asker* asks for *model*.

        Raises:
            WarehouseError: no price is known.
        """
        answering = warehouse.model(model, asker)
        return cls(name, answering, load_prices(settings).price(name, answering, utc_now().date()))

    def came_to(self, calls: int, failed: int, read: int, written: int) -> Enriched:
        """So many calls and tokens, with their price."""
        return Enriched(calls, calls - failed, failed, read, written, self.price.cost(read, written), calls)

    def add_usage(
        self, session: Session, run_id: str, day: date, asker: str, fingerprint: str, came: Enriched, counted: bool
    ) -> None:
        """Add what it came to to ``ops.ai_usage``.

        Args:
            session: the transaction that keeps the answers.
            run_id: whose bill it is on.
            day: the partition.
            asker: the enrichment, or the briefing.
            fingerprint: of the question.
            came: calls, tokens and cost.
            counted: whether who is paid counted the tokens; else they are estimated.
        """
        session.merge(
            statement("cost/add_usage"),
            [
                *(run_id, day, asker, fingerprint, self.name, self.model),
                *(came.calls, came.input_tokens, came.output_tokens, "counted" if counted else "estimated"),
                *(came.credits, self.price.currency, self.price.since, utc_now()),
            ],
        )

"""What asking came to, in answers, tokens and money, and how that is kept."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date

from hnintel.cost.prices import Price, load_prices
from hnintel.enrich.declaration import Enrichment
from hnintel.enrich.question import DIGESTING
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


@dataclass(frozen=True, slots=True)
class Judged:
    """What the answers of a chunk came to, as the table ``judged`` has it; ``last`` is the greatest item."""

    items: int
    failed: int
    undigested: int
    last: int
    uncounted: int
    read: int
    written: int
    digest_read: int
    digest_written: int

    @classmethod
    def of(cls, session: Session) -> Judged:
        """Counted where the chunk is handed over."""
        found = session.execute(
            "SELECT count(*), count(bad_because), count_if(is_undigested), max(item_id), "
            "count_if(NOT is_counted AND NOT is_undigested), "
            "sum(input_tokens), sum(output_tokens), sum(digest_read), sum(digest_written) FROM judged"
        )[0]
        items, failed, undigested, last, uncounted, *tokens = found
        return cls(items, failed, undigested, last, uncounted, *map(int, tokens))


@dataclass(frozen=True, slots=True)
class Functions:
    """What an enrichment asks: its own function, and before it that which makes one text of many, where there are."""

    asking: AIFunction
    digesting: AIFunction | None

    @classmethod
    def of(cls, warehouse: Warehouse, enrichment: Enrichment, settings: Settings) -> Functions:
        """As *warehouse* answers them.

        Raises:
            WarehouseError: no price is known.
        """
        asking = AIFunction.of(enrichment.function, warehouse, enrichment.model, settings, enrichment.name)
        return cls(asking, AIFunction.of(DIGESTING, warehouse, "", settings) if enrichment.input.many else None)

    @property
    def is_free(self) -> bool:
        """Whether neither costs anything."""
        return self.asking.price.is_free and (self.digesting is None or self.digesting.price.is_free)

    @property
    def all(self) -> list[AIFunction]:
        """Both, or the one there is."""
        return [self.asking, self.digesting] if self.digesting else [self.asking]

    def book(self, session: Session, run_id: str, day: date, asker: str, fingerprint: str, judged: Judged) -> Enriched:
        """Add a chunk to ``ops.ai_usage``, a row a function; all of it together, in items."""
        came = self.came_to(judged)
        stamp = (session, run_id, day, asker, fingerprint)
        self.asking.add_usage(*stamp, came[0], counted=judged.uncounted == 0)
        if self.digesting is not None:  # whose tokens nobody tells us
            self.digesting.add_usage(*stamp, came[1], counted=False)
        return replace(sum(came[1:], came[0]), asked=judged.items, answered=judged.items - judged.failed)

    def came_to(self, judged: Judged) -> list[Enriched]:
        """Calls, tokens and price of a chunk, by function; what has no digest was not asked about."""
        asked, failed = judged.items - judged.undigested, judged.failed - judged.undigested
        came = [self.asking.came_to(asked, failed, judged.read, judged.written)]
        if self.digesting is not None:
            read, written = judged.digest_read, judged.digest_written
            came.append(self.digesting.came_to(judged.items, judged.undigested, read, written))
        return came

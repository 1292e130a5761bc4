"""Which functions an enrichment asks, and by which of them an answer is judged."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date

from hnintel.cost.usage import AIFunction, Enriched
from hnintel.enrich.declaration import Enrichment
from hnintel.enrich.question import DIGESTING
from hnintel.settings import Settings
from hnintel.warehouse.base import Session, Warehouse


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

"""The AI functions that an enrichment calls, and the counts and usage of a chunk."""

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
    """Counts over the table ``judged`` of a chunk: items, failures and tokens; ``last`` is the greatest item id."""

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
        """Count the rows of ``judged`` in *session*."""
        counts = session.execute(
            "SELECT count(*), count(bad_because), count_if(is_undigested), max(item_id), "
            "count_if(NOT is_counted AND NOT is_undigested), "
            "sum(input_tokens), sum(output_tokens), sum(digest_read), sum(digest_written) FROM judged"
        )[0]
        items, failed, undigested, last, uncounted, *tokens = counts
        return cls(items, failed, undigested, last, uncounted, *map(int, tokens))


@dataclass(frozen=True, slots=True)
class Functions:
    """The enrichment's own AI function, and the function that digests many texts into one before it, if any."""

    asking: AIFunction
    digesting: AIFunction | None

    @classmethod
    def of(cls, warehouse: Warehouse, enrichment: Enrichment, settings: Settings) -> Functions:
        """The functions with the models and prices of *warehouse*.

        Raises:
            WarehouseError: a price is unknown.
        """
        asking = AIFunction.of(enrichment.function, warehouse, enrichment.model, settings, enrichment.name)
        return cls(asking, AIFunction.of(DIGESTING, warehouse, "", settings) if enrichment.input.many else None)

    @property
    def is_free(self) -> bool:
        """Whether the price of every function is zero."""
        return self.asking.price.is_free and (self.digesting is None or self.digesting.price.is_free)

    @property
    def all(self) -> list[AIFunction]:
        """The enrichment's own function, then the digesting function if there is one."""
        return [self.asking, self.digesting] if self.digesting else [self.asking]

    def book(self, session: Session, run_id: str, day: date, asker: str, fingerprint: str, judged: Judged) -> Enriched:
        """Add a chunk to ``ops.ai_usage``, a row for each function; returns the sum, counted in items."""
        usages = self.came_to(judged)
        stamp = (session, run_id, day, asker, fingerprint)
        self.asking.add_usage(*stamp, usages[0], counted=judged.uncounted == 0)
        if self.digesting is not None:  # its tokens are never reported
            self.digesting.add_usage(*stamp, usages[1], counted=False)
        return replace(sum(usages[1:], usages[0]), asked=judged.items, answered=judged.items - judged.failed)

    def came_to(self, judged: Judged) -> list[Enriched]:
        """Calls, tokens and price of a chunk, by function; an item without a digest was not asked about."""
        asked, failed = judged.items - judged.undigested, judged.failed - judged.undigested
        usages = [self.asking.came_to(asked, failed, judged.read, judged.written)]
        if self.digesting is not None:
            read, written = judged.digest_read, judged.digest_written
            usages.append(self.digesting.came_to(judged.items, judged.undigested, read, written))
        return usages

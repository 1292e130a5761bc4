"""The stages that ask a model about a day: one for each declared enrichment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

from hnintel.enrich.declaration import Enrichment
from hnintel.enrich.question import fingerprint_of, max_chars
from hnintel.ledger.stage_names import ARTICLES, INGEST, of_enrichment
from hnintel.partitions import hashes
from hnintel.partitions.stage import Context, Stage
from hnintel.warehouse.base import Session
from hnintel.warehouse.statements import statement


class Enrich(Stage):
    """The rows depend on the question as it is sent; the stage reads the texts that the question is about."""

    asks = True
    runner = "enrich"

    def __init__(self, enrichment: Enrichment) -> None:
        self.enrichment = enrichment
        self.name = enrichment.stage
        self.after = (INGEST, ARTICLES, *map(of_enrichment, enrichment.after))

    def fingerprint(self, context: Context) -> str:
        return fingerprint_of(context.warehouse, self.enrichment, context.settings)

    def inputs(self, context: Context, session: Session, days: Sequence[date]) -> dict[date, str]:
        enrichment = self.enrichment
        columns = ["item_id", "part", *(["place"] if enrichment.input.many else [])]
        texts = statement(
            "enrich/stage_texts",
            where=enrichment.where,
            input=enrichment.input,
            max_chars=max_chars(enrichment, context.settings),
            dialect=context.warehouse.dialect,
        )
        return hashes.of_rows(session, context.warehouse, f"({texts}) AS texts", columns, [days[0], days[-1]])


def stages_of(enrichments: Mapping[str, Enrichment]) -> list[Enrich]:
    """Return a stage for each of *enrichments*."""
    return [Enrich(enrichment) for enrichment in enrichments.values()]

"""Asking a model about a day: one stage for each enrichment that is declared."""

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
    """Its rows depend on the question as it is really asked; it reads the texts that the question is about."""

    asks = True
    runner = "enrich"

    def __init__(self, enrichment: Enrichment) -> None:
        self.enrichment = enrichment
        self.name = enrichment.stage
        self.after = (INGEST, ARTICLES, *map(of_enrichment, enrichment.after))

    def fingerprint(self, context: Context) -> str:
        return fingerprint_of(context.warehouse, self.enrichment, context.settings)

    def inputs(self, context: Context, session: Session, days: Sequence[date]) -> dict[date, str]:
        one = self.enrichment
        columns = ["item_id", "part", *(["place"] if one.input.many else [])]
        texts = statement(
            "enrich/stage_texts", where=one.where, input=one.input, max_chars=max_chars(one, context.settings)
        )
        return hashes.of_rows(session, context.warehouse, f"({texts}) AS texts", columns, [days[0], days[-1]])


def stages_of(enrichments: Mapping[str, Enrichment]) -> list[Enrich]:
    """A stage for each of them."""
    return [Enrich(one) for one in enrichments.values()]

"""Superseded answers: the same item has a later answer to the present question, so no view shows them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from hnintel.enrich.declaration import Enrichment
from hnintel.enrich.question import fingerprint_of
from hnintel.enrich.tables import prepare
from hnintel.settings import Settings
from hnintel.warehouse.base import Session, Warehouse


@dataclass(frozen=True, slots=True)
class Superseded:
    """The number of superseded answers of one enrichment by one model."""

    enrichment: str
    model: str
    answers: int


def superseded(
    session: Session, warehouse: Warehouse, enrichments: Mapping[str, Enrichment], settings: Settings
) -> list[Superseded]:
    """The answers that :func:`prune` would remove, counted."""
    counts: list[Superseded] = []
    for enrichment in enrichments.values():
        prepare(session, warehouse, enrichment, settings)
        rows = session.execute(
            f"SELECT model, count(*) FROM {enrichment.table} AS old "
            f"WHERE {_condition(enrichment)} GROUP BY model ORDER BY model",
            [fingerprint_of(warehouse, enrichment, settings)] * 2,
        )
        counts += [Superseded(enrichment.name, str(model), int(count)) for model, count in rows]
    return counts


def prune(
    session: Session, warehouse: Warehouse, enrichments: Mapping[str, Enrichment], settings: Settings
) -> list[Superseded]:
    """Remove superseded answers inside the caller's transaction, and return their counts.

    An answer to another question stays if the item has no answer to the present question, or an older one: then the
    view shows it, or another engine was paid for it later. Its cost stays in ``ops.ai_usage``.
    """
    removed = superseded(session, warehouse, enrichments, settings)
    for enrichment in enrichments.values():
        fingerprint = fingerprint_of(warehouse, enrichment, settings)
        session.execute(f"DELETE FROM {enrichment.table} AS old WHERE {_condition(enrichment)}", [fingerprint] * 2)
        session.execute(
            "DELETE FROM ops.dead_letters WHERE stage = ? AND fingerprint <> ?", [enrichment.stage, fingerprint]
        )
    return removed


def _condition(enrichment: Enrichment) -> str:
    """The SQL condition that row ``old`` is superseded. Parameters: the present fingerprint, twice."""
    return (
        f"old.fingerprint <> ? AND EXISTS (SELECT 1 FROM {enrichment.table} AS now WHERE now.item_id = old.item_id "
        "AND now.fingerprint = ? AND now.enriched_at >= old.enriched_at)"
    )

"""Answers that no view shows any more, because the same item has a later one to the question as it is now."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from hnintel.enrich.declaration import Enrichment
from hnintel.enrich.question import fingerprint_of
from hnintel.enrich.run import prepare
from hnintel.settings import Settings
from hnintel.warehouse.base import Session, Warehouse


@dataclass(frozen=True, slots=True)
class Superseded:
    """So many answers of one enrichment by one model."""

    enrichment: str
    model: str
    answers: int


def superseded(
    session: Session, warehouse: Warehouse, enrichments: Mapping[str, Enrichment], settings: Settings
) -> list[Superseded]:
    """What :func:`prune` would remove."""
    found: list[Superseded] = []
    for one in enrichments.values():
        prepare(session, warehouse, one, settings)
        rows = session.execute(
            f"SELECT model, count(*) FROM {one.table} AS old WHERE {_condition(one)} GROUP BY model ORDER BY model",
            [fingerprint_of(warehouse, one, settings)] * 2,
        )
        found += [Superseded(one.name, str(model), int(count)) for model, count in rows]
    return found


def prune(
    session: Session, warehouse: Warehouse, enrichments: Mapping[str, Enrichment], settings: Settings
) -> list[Superseded]:
    """Remove superseded answers, inside the caller's transaction; what was removed.

    An answer to an earlier question stays where the item has none to the present one, or an older one: then it is what
    the view shows, or what another engine was paid for since. What it cost stays in ``ops.ai_usage``.
    """
    found = superseded(session, warehouse, enrichments, settings)
    for one in enrichments.values():
        fingerprint = fingerprint_of(warehouse, one, settings)
        session.execute(f"DELETE FROM {one.table} AS old WHERE {_condition(one)}", [fingerprint] * 2)
        session.execute("DELETE FROM ops.dead_letters WHERE stage = ? AND fingerprint <> ?", [one.stage, fingerprint])
    return found


def _condition(enrichment: Enrichment) -> str:
    """Of a row of the table, named ``old``. Parameters: the present fingerprint, twice."""
    return (
        f"old.fingerprint <> ? AND EXISTS (SELECT 1 FROM {enrichment.table} AS now WHERE now.item_id = old.item_id "
        "AND now.fingerprint = ? AND now.enriched_at >= old.enriched_at)"
    )

"""The pipeline of one source: the stages of a day, their fingerprints and their inputs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import cached_property

from hnintel.enrich.declaration import Enrichment, load_enrichments
from hnintel.ledger.stage_names import TRANSFORM
from hnintel.partitions import hashes
from hnintel.partitions.calendar import days_between
from hnintel.partitions.graph import Stages, ordered, with_downstream
from hnintel.partitions.stage import Stage, load_stages
from hnintel.settings import Settings
from hnintel.sources import open_source
from hnintel.sources.base import Source
from hnintel.warehouse.base import Session, Warehouse


@dataclass(frozen=True)
class Pipeline:
    """The warehouse, the settings, and the source as the user gave it."""

    warehouse: Warehouse
    settings: Settings
    spec: str

    @cached_property
    def enrichments(self) -> dict[str, Enrichment]:
        """The declared enrichments, by name."""
        return load_enrichments(self.settings.enrichments_path)

    @cached_property
    def asked(self) -> frozenset[str]:
        """The stages that run an enrichment."""
        return frozenset(enrichment.stage for enrichment in self.enrichments.values())

    @cached_property
    def declared(self) -> dict[str, Stage]:
        """The declared stages, by name."""
        return load_stages(self.enrichments, self.settings.stages_path)

    @cached_property
    def stages(self) -> Stages:
        """The names of a day's stages in an order in which they can run, each with its direct upstream stages."""
        return ordered(self.declared)

    @cached_property
    def after_asking(self) -> tuple[str, ...]:
        """The stages that a backfill runs after all days are enriched: the marts, and the stages downstream of them."""
        late = with_downstream(self.stages, [TRANSFORM])
        return tuple(name for name in self.stages if name in late)

    @property
    def source(self) -> Source:
        """The source that days are read from."""
        return open_source(self.spec, self.settings)

    def fingerprint(self, stage: str) -> str:
        """Return the hash of the code, question, model and settings that determine the rows of *stage*."""
        return self.declared[stage].fingerprint(self)

    def inputs(self, session: Session, stage: str, first: date, last: date) -> dict[date, str]:
        """Return a hash of the rows that *stage* reads, for each day from *first* to *last*."""
        days = days_between(first, last)
        by_day = self.declared[stage].inputs(self, session, days)
        return {day: str(by_day.get(day, hashes.NO_ROWS)) for day in days}

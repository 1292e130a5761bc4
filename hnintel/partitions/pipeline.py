"""The pipeline of one source: the stages of a day, and what each makes its rows of."""

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
    """What days go through here and now: the warehouse, the settings, and the source as the user named it."""

    warehouse: Warehouse
    settings: Settings
    spec: str

    @cached_property
    def enrichments(self) -> dict[str, Enrichment]:
        """As they are declared, by name."""
        return load_enrichments(self.settings.enrichments_path)

    @cached_property
    def asked(self) -> frozenset[str]:
        """The stages that ask an enrichment."""
        return frozenset(one.stage for one in self.enrichments.values())

    @cached_property
    def declared(self) -> dict[str, Stage]:
        """The stages as they are declared, by name."""
        return load_stages(self.enrichments, self.settings.stages_path)

    @cached_property
    def stages(self) -> Stages:
        """The names of the stages of a day in an order in which they can run, each with those it comes right after."""
        return ordered(self.declared)

    @cached_property
    def after_asking(self) -> tuple[str, ...]:
        """The stages that are done once for all days of a backfill: the marts, and what is downstream of them."""
        late = with_downstream(self.stages, [TRANSFORM])
        return tuple(name for name in self.stages if name in late)

    @property
    def source(self) -> Source:
        """What days are read from."""
        return open_source(self.spec, self.settings)

    def fingerprint(self, stage: str) -> str:
        """Of what makes the rows of *stage*: the code, the question, the model, the settings that matter."""
        return self.declared[stage].fingerprint(self)

    def inputs(self, session: Session, stage: str, first: date, last: date) -> dict[date, str]:
        """A hash of the rows that *stage* reads, for each day from *first* to *last*."""
        days = days_between(first, last)
        found = self.declared[stage].inputs(self, session, days)
        return {day: str(found.get(day, hashes.NO_ROWS)) for day in days}

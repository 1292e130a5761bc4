"""The stage that reads a day: its stories, jobs, polls and comments."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from hnintel.hashes import hash_of_values
from hnintel.ledger.stage_names import INGEST
from hnintel.partitions.stage import Context, Stage
from hnintel.warehouse.base import Session

#: Increase it where reading a day gives other rows than before, so that every day counts as stale.
_VERSION = 1


class Ingest(Stage):
    """The rows depend on the source, on when a day begins, and on which comments are read."""

    name = INGEST
    by_source = True
    runner = "read items"

    def fingerprint(self, context: Context) -> str:
        settings = context.settings
        reach = [settings.comments_min_score, settings.comments_depth, settings.comments_per_story]
        return hash_of_values([_VERSION, context.spec, settings.time_zone, *reach])

    def inputs(self, context: Context, session: Session, days: Sequence[date]) -> dict[date, str]:
        return dict.fromkeys(days, hash_of_values([context.source.identity]))


stage = Ingest()

"""The stage that writes the briefing of a day."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from hnintel.briefing import sections
from hnintel.briefing.write import lines_hash
from hnintel.ledger.stage_names import BRIEFING, TRANSFORM
from hnintel.partitions import hashes
from hnintel.partitions.stage import Context, Stage
from hnintel.warehouse.base import Session


class Briefing(Stage):
    """The rows depend on the questions and the model; the stage reads the lines of the day in the marts."""

    name = BRIEFING
    after = (TRANSFORM,)
    asks = True
    runner = "brief"

    def fingerprint(self, context: Context) -> str:
        return sections.fingerprint(sections.answering(context.warehouse))

    def inputs(self, context: Context, session: Session, days: Sequence[date]) -> dict[date, str]:
        if not hashes.columns_of(session, "marts.stories"):
            return {}
        rows = session.execute("SELECT DISTINCT day FROM marts.stories WHERE day BETWEEN ? AND ?", [days[0], days[-1]])
        return {day: lines_hash(session, context.warehouse, day) for (day,) in rows}


stage = Briefing()

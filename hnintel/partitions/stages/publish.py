"""The stage that publishes the page of a day."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from hnintel.ledger.stage_names import BRIEFING, PUBLISH
from hnintel.partitions import hashes
from hnintel.partitions.stage import Context, Stage
from hnintel.warehouse.base import Session

#: Tables that a page shows for its day. Topics are left out: their table has a row for every topic of any day.
_SHOWN = ("marts.stories", "marts.daily_sentiment", "marts.domains", "marts.entity_trends", "enriched.briefings")
#: The code and templates of pages: where one of these files changes, every page counts as stale.
PAGE_FILES = (
    "hnintel/site",
    "hnintel/briefing/pages.py",
    "hnintel/sql/briefing/page_stories.sql",
    "hnintel/sql/briefing/posted_before.sql",
)
#: The column that publishing itself writes.
_WRITTEN = "text"


class Publish(Stage):
    """A page depends on its template and the code that fills it; it shows the marts and the briefing of a day."""

    name = PUBLISH
    after = (BRIEFING,)
    runner = "publish"

    def fingerprint(self, context: Context) -> str:
        return hashes.of_files(*PAGE_FILES)

    def inputs(self, context: Context, session: Session, days: Sequence[date]) -> dict[date, str]:
        shown = []
        for table in _SHOWN:
            columns = [name for name in hashes.columns_of(session, table) if name != _WRITTEN]
            if columns:
                rows = f"(SELECT * FROM {table} WHERE day BETWEEN ? AND ?) AS shown"
                shown.append(hashes.of_rows(session, context.warehouse, rows, columns, [days[0], days[-1]]))
        proofs = ("day", "source", "proof", "looked_for", "reason")
        rows = "(SELECT * FROM ops.listings WHERE day BETWEEN ? AND ?) AS shown"
        shown.append(hashes.of_rows(session, context.warehouse, rows, proofs, [days[0], days[-1]]))
        rows = "(SELECT * FROM raw.listed_again WHERE day BETWEEN ? AND ?) AS shown"
        shown.append(hashes.of_rows(session, context.warehouse, rows, ("id", "day", "first_day"), [days[0], days[-1]]))
        return hashes.together(shown)


stage = Publish()

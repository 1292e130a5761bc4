"""The stage that reads the articles linked by a day's stories."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from hnintel.hashes import hash_of_values
from hnintel.ledger.stage_names import ARTICLES, INGEST
from hnintel.partitions import hashes
from hnintel.partitions.stage import Context, Stage
from hnintel.warehouse.base import Session

#: Increase it where reading an article gives another text than before, so that every day counts as stale.
_VERSION = 1
_URLS = """
    (
        SELECT DISTINCT day, url FROM raw.items
        WHERE day BETWEEN ? AND ? AND status = 'ok' AND canonical_url IS NOT NULL
    ) AS urls
"""


class Articles(Stage):
    """The rows depend on the source and the length at which a text is cut; the stage reads the URLs of the day.

    They are hashed as posted: an article's key may change when it, or another, is read.
    """

    name = ARTICLES
    after = (INGEST,)
    by_source = True
    runner = "read articles"

    def fingerprint(self, context: Context) -> str:
        return hash_of_values([_VERSION, context.spec, context.settings.article_max_chars])

    def inputs(self, context: Context, session: Session, days: Sequence[date]) -> dict[date, str]:
        return hashes.of_rows(session, context.warehouse, _URLS, ["url"], [days[0], days[-1]])


stage = Articles()

"""The stage that builds the marts of days with dbt."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from hnintel.enrich.dbt_models import render_models
from hnintel.hashes import hash_of_values
from hnintel.ledger.stage_names import ARTICLES, ENRICH, INGEST, TRANSFORM
from hnintel.partitions import hashes
from hnintel.partitions.stage import Context, Stage
from hnintel.warehouse.base import Session

_ITEMS = "(SELECT * FROM raw.items WHERE day BETWEEN ? AND ?) AS items"
#: The rows and columns that are hashed of what was read, whichever run read it: FROM clause, columns.
_READ = (
    (_ITEMS, ["id", "content_hash"]),
    (
        f"{_ITEMS} INNER JOIN raw.articles AS a ON a.canonical_url = items.canonical_url",
        ["items.id", "a.status", "a.text_hash"],
    ),
    (f"{_ITEMS} INNER JOIN raw.comments AS c ON c.story_id = items.id", ["c.id", "c.content_hash"]),
)


class Transform(Stage):
    """The rows depend on the dbt project; the stage reads the items, articles, comments and answers of a day."""

    name = TRANSFORM
    after = (INGEST, ARTICLES, ENRICH)
    runner = "build marts"

    def fingerprint(self, context: Context) -> str:
        declared = [[str(path), text] for path, text in render_models(context.enrichments).items()]
        written = hashes.of_files("dbt/models", "dbt/macros", "dbt/tests", "dbt/dbt_project.yml")
        return hash_of_values([written, declared])

    def inputs(self, context: Context, session: Session, days: Sequence[date]) -> dict[date, str]:
        span = [days[0], days[-1]]
        row_hashes = [hashes.of_rows(session, context.warehouse, rows, columns, span) for rows, columns in _READ]
        for enrichment in context.enrichments.values():
            columns = [f"a.{name}" for name in hashes.columns_of(session, f"{enrichment.table}_current")]
            if columns:
                answers = f"{_ITEMS} INNER JOIN {enrichment.table}_current AS a ON a.item_id = items.id"
                row_hashes.append(hashes.of_rows(session, context.warehouse, answers, columns, span))
        return hashes.together(row_hashes)


stage = Transform()

"""Building the marts of days with dbt."""

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
#: What is hashed of the rows that were read, whatever run read them: the source of the rows, and their columns.
_READ = (
    (_ITEMS, ["id", "content_hash"]),
    (
        f"{_ITEMS} INNER JOIN raw.articles AS a ON a.canonical_url = items.canonical_url",
        ["items.id", "a.status", "a.text_hash"],
    ),
    (f"{_ITEMS} INNER JOIN raw.comments AS c ON c.story_id = items.id", ["c.id", "c.content_hash"]),
)


class Transform(Stage):
    """Its rows depend on the dbt project; it reads all that was read and answered of a day."""

    name = TRANSFORM
    after = (INGEST, ARTICLES, ENRICH)
    runner = "build marts"

    def fingerprint(self, context: Context) -> str:
        declared = [[str(path), text] for path, text in render_models(context.enrichments).items()]
        written = hashes.of_files("dbt/models", "dbt/macros", "dbt/tests", "dbt/dbt_project.yml")
        return hash_of_values([written, declared])

    def inputs(self, context: Context, session: Session, days: Sequence[date]) -> dict[date, str]:
        span = [days[0], days[-1]]
        found = [hashes.of_rows(session, context.warehouse, rows, columns, span) for rows, columns in _READ]
        for one in context.enrichments.values():
            columns = [f"a.{name}" for name in hashes.columns_of(session, f"{one.table}_current")]
            if columns:
                answers = f"{_ITEMS} INNER JOIN {one.table}_current AS a ON a.item_id = items.id"
                found.append(hashes.of_rows(session, context.warehouse, answers, columns, span))
        return hashes.together(found)


stage = Transform()

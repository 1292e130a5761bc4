"""Every statement that the Snowflake adapter can send, for ``golden/snowflake.sql``.

Most are taken down on the stand-in while a day is loaded, asked about and checked; the rest are rendered from their
files. ``python -m tests.warehouse.statements_sent`` writes the golden file anew.
"""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hnintel.briefing.sections import SECTIONS
from hnintel.checks.run import run_checks
from hnintel.cost.billing import AI_VIEW, COMPUTE_VIEW
from hnintel.engines.base import Answer
from hnintel.enrich.declaration import load_enrichments
from hnintel.enrich.inputs import INPUTS
from hnintel.ingest.articles import load_articles, pending_articles
from hnintel.ledger import leases
from hnintel.ledger.statuses import IS_DONE
from hnintel.models import Article
from hnintel.warehouse.base import Warehouse
from hnintel.warehouse.query_tags import tagged
from hnintel.warehouse.snowflake.dialect import SnowflakeDialect
from hnintel.warehouse.snowflake.session import SnowflakeSession
from hnintel.warehouse.statements import FOLDER, _environment, statement
from hnintel.warehouse.table_hashes import SCHEMAS
from tests.enrichments.subjects import load_worthy
from tests.snowflake_stand_in.mends import SENT
from tests.warehouse.world import DAY, NOW, Answering, Asking, bury, load_article, open_snowflake

GOLDEN = Path(__file__).parent / "golden" / "snowflake.sql"
#: Files that no part of the story below comes to, and what fills them in.
_RENDERED: dict[str, dict[str, Any]] = {
    "cost/bill": {},
    "cost/billed_ai": {"view": AI_VIEW},
    "cost/billed_compute": {"view": COMPUTE_VIEW},
    "briefing/claims": {"call": SnowflakeDialect().with_error_details("AI_COMPLETE('a-model', digest)")},
    "briefing/counted": {"model": "a-model"},
    "briefing/digests": {"sections": SECTIONS},
    "briefing/lines": {},
    "ledger/dead_letters": {},
    "ledger/put_event": {},
    "enrich/stage_texts": {"where": "type = 'story'", "input": INPUTS["comments"], "max_chars": 8_000},
    "warehouse/past_retention_articles": {},
    "warehouse/past_retention_comments": {},
    "warehouse/past_retention_items": {},
    "ledger/park_reading": {},
    "cost/settle_bill": {},
    "ledger/restore_reading": {},
    "cost/known_runs": {},
    "partitions/day_readings": {"is_done": IS_DONE},
    "partitions/published_days": {"is_done": IS_DONE},
    "planning/count_articles": {},
    "ledger/set_listing": {},
    "ingest/weekday_counts": {"is_done": IS_DONE},
    "briefing/posted_before": {},
    "planning/days_with_a_page": {"is_done": IS_DONE},
    "planning/items_of_days_read": {"is_done": IS_DONE},
    "warehouse/table_columns": {"schemas": len(SCHEMAS)},
    "briefing/page_stories": {},
}
#: What Snowflake is never sent as a file of its own: migrations are read as they are, and what DuckDB alone has.
_NOT_SENT = ("migrations/", "warehouse/duckdb/", "enrich/inputs/")
#: What is another name each time: the stages of write_pandas, ids of processes, hashes of what is asked.
_VOLATILE = (
    (re.compile(r"SNOWPARK_TEMP_(STAGE|FILE_FORMAT)_[A-Z0-9]+"), r"SNOWPARK_TEMP_\1"),
    (re.compile(r"file://\S+?/file0\.txt"), "file:///tmp/file0.txt"),
    (re.compile(r'"fingerprint":"[0-9a-f]+"'), '"fingerprint":"f"'),
)
_Q = """
-- Written by python -m tests.warehouse.statements_sent: every statement that the Snowflake adapter can send, as it is
-- sent. A question mark is a bound value. What is written to the stage in between, the connector sends as a file.
"""


def statements_sent() -> list[str]:
    """Each once, in the order in which they are first sent."""
    _environment.cache.clear()  # type: ignore[union-attr]
    SENT.clear()
    with tempfile.TemporaryDirectory() as folder:
        _story(Path(folder))
    found = dict.fromkeys(_plain(sql) for sql in SENT)
    found |= dict.fromkeys(_plain(statement(name, **structure)) for name, structure in _RENDERED.items())
    return list(found)


def unseen() -> set[str]:
    """Files of statements that were not rendered since :func:`statements_sent` began."""
    seen = {str(name) for _, name in _environment.cache}  # type: ignore[union-attr]
    files = {path.relative_to(FOLDER).as_posix() for path in FOLDER.rglob("*.sql")}
    return {name for name in files - seen if not name.startswith(_NOT_SENT)}


def _story(folder: Path) -> None:
    def bad_once(text: str, good: Answer) -> Answer:
        return Answer(error="no answer") if "number 1 " in text else good

    before = Asking.opens
    Asking.opens = staticmethod(open_snowflake)
    try:
        asking = Asking(folder, Answering(bad_once))
        with tagged(run="a-run", day=DAY):
            with leases.lease(asking.warehouse, DAY, "items", "a-run", asking.settings):
                bury(asking.warehouse, "items", ["1"])
                load_article(asking.warehouse, "https://site.example/a", "An article.")
                _other_address(asking.warehouse)
            for enrichment in load_enrichments().values():
                load_worthy(asking, enrichment, most=4)
                asking.run(enrichment, "a-run")
            run_checks(asking.warehouse, DAY, asking.settings, "a-run")
            _lists(asking)
            with asking.warehouse.transaction(stage="ingest") as session:
                pending_articles(session, DAY, NOW, have_pages=True, refresh_days=30)
    finally:
        Asking.opens = staticmethod(before)


def _other_address(warehouse: Warehouse) -> None:
    key = "https://site.example/b"
    article = Article(canonical_url=f"{key}?ref=a", url=key, status="ok", text="An article.", declared_url=key)
    with warehouse.transaction(stage="ingest") as session:
        load_articles(session, [article], DAY, "loading", NOW)


def _lists(asking: Asking) -> None:
    with asking.warehouse.transaction(stage="enrich") as session:
        assert isinstance(session, SnowflakeSession)
        session.stage("enriched.entities", [{"item_id": 1, "companies": ["a"]}])


def _plain(sql: str) -> str:
    for volatile, name in _VOLATILE:
        sql = volatile.sub(name, sql)
    return "\n".join(line.rstrip() for line in sql.strip().splitlines() if line.strip())


def golden(sent: list[str]) -> str:
    """The text of the golden file."""
    return _Q.lstrip() + "".join(f"\n{sql};\n" for sql in sent)


def read_golden() -> Iterator[str]:
    """The statements of the golden file."""
    for part in re.split(r";\n(?:\n|$)", GOLDEN.read_text(encoding="utf-8").partition("\n\n")[2]):
        if part.strip():
            yield part.strip()


if __name__ == "__main__":
    GOLDEN.write_text(golden(statements_sent()), encoding="utf-8")
    print(json.dumps({"statements": len(list(read_golden())), "unseen": sorted(unseen())}))

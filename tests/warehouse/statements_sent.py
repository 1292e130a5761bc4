"""Every statement that the Snowflake adapter can send, for the files of ``golden/``.

Most are recorded on the stand-in while a day is loaded, asked about and checked; the rest are rendered from their
templates. ``python -m tests.warehouse.statements_sent`` rewrites the golden files.
"""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Mapping
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
from tests.warehouse.statement_names import named
from tests.warehouse.world import DAY, NOW, Answering, Asking, bury, load_article, open_snowflake

GOLDEN = Path(__file__).parent / "golden"
#: The names of the statements, in the order in which they are first sent.
_ORDER = "order.txt"
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
_QUERY_TAG = re.compile(r'SET QUERY_TAG = .*?"enrichment":"(\w+)"')


def statements_sent() -> dict[str, str]:
    """Return each statement once, by name, in the order of first use."""
    _environment.cache.clear()  # type: ignore[union-attr]
    SENT.clear()
    with tempfile.TemporaryDirectory() as folder:
        _story(Path(folder))
    enrichment = ""
    subjects: dict[str, str] = {}
    for sql in SENT:
        if "SET QUERY_TAG" in sql:
            tag = _QUERY_TAG.search(sql)
            enrichment = tag[1] if tag else ""
        subjects.setdefault(_plain(sql), enrichment)
    for name, structure in _RENDERED.items():
        subjects.setdefault(_plain(statement(name, **structure)), "")
    return named(subjects)


def unseen() -> set[str]:
    """Return the SQL files that were not rendered since :func:`statements_sent` began."""
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


def rewrite(sent: Mapping[str, str], folder: Path = GOLDEN) -> None:
    """Write a file for each statement, and their order, to *folder*; delete files of statements no longer sent."""
    folder.mkdir(exist_ok=True)
    for path in folder.glob("*.sql"):
        if path.stem not in sent:
            path.unlink()
    for name, sql in sent.items():
        (folder / f"{name}.sql").write_text(f"{sql}\n", encoding="utf-8")
    (folder / _ORDER).write_text("".join(f"{name}\n" for name in sent), encoding="utf-8")


def differences(sent: Mapping[str, str], folder: Path = GOLDEN) -> list[str]:
    """Return a line for each golden file that is missing, differs, or has a statement no longer sent."""
    committed = read_golden(folder)
    lines = [f"missing: {name}.sql" for name in sent if name not in committed]
    lines += [f"left over: {name}.sql" for name in committed if name not in sent]
    lines += [f"differs: {name}.sql" for name, sql in sent.items() if committed.get(name, sql) != sql]
    order = (folder / _ORDER).read_text(encoding="utf-8").splitlines()
    return lines if lines or order == list(sent) else [f"differs: {_ORDER}"]


def read_golden(folder: Path = GOLDEN) -> dict[str, str]:
    """Return the committed statements by name."""
    return {path.stem: path.read_text(encoding="utf-8").removesuffix("\n") for path in sorted(folder.glob("*.sql"))}


if __name__ == "__main__":
    rewrite(statements_sent())
    print(json.dumps({"statements": len(read_golden()), "unseen": sorted(unseen())}))

"""The tables that a run updates: their source tables, and counts, ids and cost of their rows; no text."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from hnintel.enrich.declaration import Enrichment
from hnintel.ledger.stage_names import BRIEFING
from hnintel.settings import Settings
from hnintel.warehouse.base import Session, Warehouse
from hnintel.warehouse.statements import identifier

#: The external source of all tables.
HACKER_NEWS = "https://news.ycombinator.com"
_INPUTS = {"story": ("raw.items", "raw.articles", "raw.comments"), "comments": ("raw.items", "raw.comments")}


#: By table: facts about a day's rows in it, as plain JSON.
Facts = dict[str, dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Table:
    """A table that a run updates.

    Args:
        name: with its schema.
        doc: one sentence.
        made_of: names of tables, or ``HACKER_NEWS``.
    """

    name: str
    doc: str
    made_of: tuple[str, ...]


ITEMS = (
    Table("raw.items", "Stories, jobs, polls and poll options of Hacker News, one row each.", (HACKER_NEWS,)),
    Table("raw.comments", "The comments below the stories that are worth reading, one row each.", (HACKER_NEWS,)),
    Table("raw.item_snapshots", "Score, comments and rank over time.", (HACKER_NEWS,)),
)
ARTICLES = Table("raw.articles", "The pages that stories link to, one row a canonical URL.", ("raw.items",))
BRIEFINGS = Table(
    "enriched.briefings",
    "The briefing of a day; each claim cites stories of it.",
    ("marts.stories", "staging.int_entities__mentions"),  # the tables of sql/briefing/lines.sql
)


def answers_of(enrichment: Enrichment) -> Table:
    """Return the view of an enrichment's answers that dbt reads."""
    return Table(f"{enrichment.table}_current", enrichment.doc, _INPUTS[enrichment.of])


def database(settings: Settings) -> str:
    """Return the database that dbt names in a relation: on DuckDB the file's name without its suffix."""
    return settings.snowflake_database_name if settings.warehouse == "snowflake" else Path(settings.warehouse_file).stem


def items_facts(session: Session, warehouse: Warehouse, day: date, run_id: str) -> Facts:
    """Return the facts of the items of a day after a run."""
    of_the_day = "IN (SELECT id FROM raw.items WHERE day = ?)"
    counted = {
        "raw.items": "SELECT count(*), count_if(run_id = ?) FROM raw.items WHERE day = ?",
        "raw.comments": f"SELECT count(*), count_if(run_id = ?) FROM raw.comments WHERE story_id {of_the_day}",
        "raw.item_snapshots": f"SELECT count(*), count_if(run_id = ?) FROM raw.item_snapshots WHERE id {of_the_day}",
    }
    return {
        table: _counts(session, sql, [run_id, day]) | _where(table, warehouse, day, run_id)
        for table, sql in counted.items()
    }


def articles_facts(session: Session, warehouse: Warehouse, day: date, run_id: str) -> Facts:
    """Return the facts of the articles of a day after a run."""
    sql = (
        "SELECT count(*), count_if(run_id = ?) FROM raw.articles "
        "WHERE canonical_url IN (SELECT canonical_url FROM raw.items WHERE day = ?)"
    )
    facts = _counts(session, sql, [run_id, day]) | _where(ARTICLES.name, warehouse, day, run_id)
    return {ARTICLES.name: facts}


def answers_facts(session: Session, warehouse: Warehouse, enrichment: Enrichment, day: date, run_id: str) -> Facts:
    """Return the facts of an enrichment's answers about a day after a run."""
    table = answers_of(enrichment).name
    of_the_day = f"FROM {table} AS a JOIN raw.items AS i ON i.id = a.item_id WHERE i.day = ?"
    facts = _counts(session, f"SELECT count(*), count_if(a.run_id = ?) {of_the_day}", [run_id, day])
    facts["labels"] = {
        column.name: dict(
            session.execute(f"SELECT a.{column.name}, count(*) {of_the_day} GROUP BY 1 ORDER BY 2 DESC, 1", [day])
        )
        for column in enrichment.columns
        if column.one_of
    }
    facts |= _cost(session, day, enrichment.name, run_id) | _where(table, warehouse, day, run_id)
    return {table: facts}


def briefing_facts(session: Session, warehouse: Warehouse, day: date, run_id: str) -> Facts:
    """Return the facts of the briefing of a day after a run."""
    sql = "SELECT count(*), count_if(run_id = ?) FROM enriched.briefings WHERE day = ?"
    facts = _counts(session, sql, [run_id, day]) | _cost(session, day, BRIEFING, run_id)
    return {BRIEFINGS.name: facts | _where(BRIEFINGS.name, warehouse, day, run_id)}


def table_facts(session: Session, warehouse: Warehouse, table: str, day: date, run_id: str) -> Facts:
    """Return the facts of the table of a stage with its own ``run``; it has the columns ``day`` and ``run_id``."""
    sql = f"SELECT count(*), count_if(run_id = ?) FROM {identifier(table)} WHERE day = ?"
    return {table: _counts(session, sql, [run_id, day]) | _where(table, warehouse, day, run_id)}


def _counts(session: Session, sql: str, params: list[Any]) -> dict[str, Any]:
    rows, written = session.execute(sql, params)[0]
    return {"rows": int(rows), "rows written": int(written or 0)}


def _cost(session: Session, day: date, asker: str, run_id: str) -> dict[str, Any]:
    usage = session.rows(
        "SELECT function, model, calls, input_tokens, output_tokens, credits, coalesce(currency, 'credits') AS currency"
        " FROM ops.ai_usage WHERE run_id = ? AND day = ? AND enrichment = ? ORDER BY function, model",
        [run_id, day, asker],
    )
    return {
        "asked": [
            {**row, **{name: int(row[name]) for name in ("calls", "input_tokens", "output_tokens")}} for row in usage
        ]
    }


def _where(table: str, warehouse: Warehouse, day: date, run_id: str) -> dict[str, Any]:
    group = table.partition(".")[0]
    return {"group": group, "warehouse": warehouse.name, "day": day.isoformat(), "run_id": run_id}

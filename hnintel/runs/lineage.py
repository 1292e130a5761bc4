"""What a run has brought up to date, what that was made of, and what is known of it: counts, ids and cost, no text."""

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

#: Where all of it begins: not ours, and never made by us.
HACKER_NEWS = "https://news.ycombinator.com"
_SAYS = {
    "raw.items": "Stories, jobs, polls and poll options of Hacker News, one row each.",
    "raw.comments": "The comments below the stories that are worth reading, one row each.",
    "raw.item_snapshots": "Score, comments and rank over time.",
    "raw.articles": "The pages that stories link to, one row a canonical URL.",
    "enriched.briefings": "The briefing of a day; each claim cites stories of it.",
}
#: What the lines that the briefing is drawn up from are selected from (sql/briefing/lines.sql).
_BRIEFED_FROM = ("marts.stories", "staging.int_entities__mentions")
_INPUTS = {"story": ("raw.items", "raw.articles"), "comments": ("raw.items", "raw.comments")}


@dataclass(frozen=True, slots=True)
class Made:
    """A table that was brought up to date for a day.

    Args:
        table: with its schema.
        doc: one sentence.
        made_of: tables, or ``HACKER_NEWS``.
        facts: what is known of the day's rows in it, as plain JSON.
    """

    table: str
    doc: str
    made_of: tuple[str, ...]
    facts: dict[str, Any]

    @property
    def group(self) -> str:
        """Its schema: raw, enriched or marts."""
        return self.table.partition(".")[0]


def database(settings: Settings) -> str:
    """The database that dbt names in a relation: on DuckDB that is the file's name without its ending."""
    return settings.snowflake_database_name if settings.warehouse == "snowflake" else Path(settings.warehouse_file).stem


def items_made(session: Session, warehouse: Warehouse, day: date, run_id: str) -> list[Made]:
    """What reading a day has brought up to date."""
    of_the_day = "IN (SELECT id FROM raw.items WHERE day = ?)"
    counted = {
        "raw.items": "SELECT count(*), count_if(run_id = ?) FROM raw.items WHERE day = ?",
        "raw.comments": f"SELECT count(*), count_if(run_id = ?) FROM raw.comments WHERE story_id {of_the_day}",
        "raw.item_snapshots": f"SELECT count(*), count_if(run_id = ?) FROM raw.item_snapshots WHERE id {of_the_day}",
    }
    return [
        Made(table, _SAYS[table], (HACKER_NEWS,), _counts(session, sql, [run_id, day]) | _where(warehouse, day, run_id))
        for table, sql in counted.items()
    ]


def articles_made(session: Session, warehouse: Warehouse, day: date, run_id: str) -> Made:
    """What reading the articles of a day has brought up to date."""
    sql = (
        "SELECT count(*), count_if(run_id = ?) FROM raw.articles "
        "WHERE canonical_url IN (SELECT canonical_url FROM raw.items WHERE day = ?)"
    )
    facts = _counts(session, sql, [run_id, day]) | _where(warehouse, day, run_id)
    return Made("raw.articles", _SAYS["raw.articles"], ("raw.items",), facts)


def enrichment_made(session: Session, warehouse: Warehouse, enrichment: Enrichment, day: date, run_id: str) -> Made:
    """What asking an enrichment about a day has brought up to date: the view that dbt reads."""
    table = f"{enrichment.table}_current"
    of_the_day = f"FROM {table} AS a JOIN raw.items AS i ON i.id = a.item_id WHERE i.day = ?"
    facts = _counts(session, f"SELECT count(*), count_if(a.run_id = ?) {of_the_day}", [run_id, day])
    facts["labels"] = {
        column.name: dict(
            session.execute(f"SELECT a.{column.name}, count(*) {of_the_day} GROUP BY 1 ORDER BY 2 DESC, 1", [day])
        )
        for column in enrichment.columns
        if column.one_of
    }
    facts |= _cost(session, day, enrichment.name, run_id) | _where(warehouse, day, run_id)
    return Made(table, enrichment.doc, _INPUTS[enrichment.of], facts)


def briefing_made(session: Session, warehouse: Warehouse, day: date, run_id: str) -> Made:
    """What writing the briefing of a day has brought up to date."""
    sql = "SELECT count(*), count_if(run_id = ?) FROM enriched.briefings WHERE day = ?"
    facts = _counts(session, sql, [run_id, day]) | _cost(session, day, BRIEFING, run_id)
    return Made(
        "enriched.briefings", _SAYS["enriched.briefings"], _BRIEFED_FROM, facts | _where(warehouse, day, run_id)
    )


def table_made(
    session: Session, warehouse: Warehouse, table: str, doc: str, made_of: tuple[str, ...], day: date, run_id: str
) -> Made:
    """What a stage of its own has brought up to date: a table that has the columns ``day`` and ``run_id``."""
    sql = f"SELECT count(*), count_if(run_id = ?) FROM {identifier(table)} WHERE day = ?"
    return Made(table, doc, made_of, _counts(session, sql, [run_id, day]) | _where(warehouse, day, run_id))


def _counts(session: Session, sql: str, params: list[Any]) -> dict[str, Any]:
    rows, written = session.execute(sql, params)[0]
    return {"rows": int(rows), "rows written": int(written or 0)}


def _cost(session: Session, day: date, asker: str, run_id: str) -> dict[str, Any]:
    asked = session.rows(
        "SELECT function, model, calls, input_tokens, output_tokens, credits, coalesce(currency, 'credits') AS currency"
        " FROM ops.ai_usage WHERE run_id = ? AND day = ? AND enrichment = ? ORDER BY function, model",
        [run_id, day, asker],
    )
    return {
        "asked": [
            {**one, **{name: int(one[name]) for name in ("calls", "input_tokens", "output_tokens")}} for one in asked
        ]
    }


def _where(warehouse: Warehouse, day: date, run_id: str) -> dict[str, Any]:
    return {"warehouse": warehouse.name, "day": day.isoformat(), "run_id": run_id}

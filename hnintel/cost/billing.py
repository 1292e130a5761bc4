"""What Snowflake billed, beside what was estimated: read from the account's usage views and kept with the ledger.

Statements are told apart by their query tags. The views lag, by an hour or by a day, and correct themselves; so the
last days are read again each time, and what was read before is replaced.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from typing import Any

from hnintel.cost.bill import Bill, bills
from hnintel.warehouse import query_tags
from hnintel.warehouse.base import Session, Warehouse
from hnintel.warehouse.statements import merge_rows, statement

AI_VIEW = "SNOWFLAKE.ACCOUNT_USAGE.CORTEX_AI_FUNCTIONS_USAGE_HISTORY"
COMPUTE_VIEW = "SNOWFLAKE.ACCOUNT_USAGE.QUERY_ATTRIBUTION_HISTORY"
#: How often one day is read again: an AI view says within a day, that of warehouses within eight hours.
DAYS = 8
_OURS = '{"app":"hn-intelligence"%'
_AI_KEY = ("query_id", "function", "model", "started_at")
_COMPUTE_KEY = ("run_id", "stage", "enrichment", "warehouse", "used_on")


def reconcile(warehouse: Warehouse, run_id: str, since: date | None = None) -> list[Bill]:
    """Read what was billed since a day (UTC), keep it, and give the bill of each partition from then on.

    Args:
        warehouse: Snowflake; no other sends a bill.
        run_id: that the statements are tagged with.
        since: the day from which the views are read; by default ``DAYS`` days ago.

    Raises:
        WarehouseError: the role may not read the views; ``python -m hnintel doctor`` prints the grant.
    """
    since = since or (datetime.now(UTC) - timedelta(days=DAYS)).date()
    with query_tags.tagged(run=run_id), warehouse.transaction(stage="enrich") as session:
        known = _runs(session)
        asked = [since.isoformat(), _OURS]
        ai = _newest_of(_ai_row(row, known) for row in session.rows(statement("cost/billed_ai", view=AI_VIEW), asked))
        compute = [
            _compute_row(row, known) for row in session.rows(statement("cost/billed_compute", view=COMPUTE_VIEW), asked)
        ]
        staged = session.stage("ops.ai_billed", ai), session.stage("ops.compute_billed", _together(compute))
        merge_rows(session, staged[0], keys=_AI_KEY)
        merge_rows(session, staged[1], keys=_COMPUTE_KEY)
        session.merge(statement("cost/settle_bill"))
        return bills(session, since)


def _runs(session: Session) -> frozenset[str]:
    """The runs of this database: other environments of the account have the same tags but for these."""
    rows = session.execute(statement("cost/known_runs"))
    return frozenset(str(row[0]) for row in rows)


def _told(query_tag: str, known: frozenset[str]) -> dict[str, Any] | None:
    """What a tag says, as columns; None where it is of no run of this database."""
    try:
        told = json.loads(query_tag)
    except ValueError:
        return None
    if not isinstance(told, dict) or told.get("run") not in known:
        return None
    day = date.fromisoformat(told["day"]) if told.get("day") else None
    return {"run_id": told["run"], "day": day, "enrichment": told.get("enrichment") or "", "tag": told}


def _ai_row(row: dict[str, Any], known: frozenset[str]) -> dict[str, Any] | None:
    told = _told(row["query_tag"], known)
    if told is None:
        return None
    return {
        "query_id": row["query_id"],
        "function": row["function_name"].upper(),
        "model": row["model_name"].lower(),
        "started_at": _utc(row["start_time"]),
        "run_id": told["run_id"],
        "day": told["day"],
        "enrichment": told["enrichment"],
        "fingerprint": told["tag"].get("fingerprint") or "",
        "tokens": tokens(row["metrics"]),
        "credits": float(row["credits"]),
        "complete": bool(row["is_completed"]),
    }


def _newest_of(rows: Iterable[dict[str, Any] | None]) -> list[dict[str, Any]]:
    """One row a key."""
    return list({tuple(row[name] for name in _AI_KEY): row for row in rows if row}.values())


def _compute_row(row: dict[str, Any], known: frozenset[str]) -> dict[str, Any] | None:
    told = _told(row["query_tag"], known)
    if told is None:
        return None
    return {
        "run_id": told["run_id"],
        "stage": told["tag"].get("stage") or "",
        "enrichment": told["enrichment"],
        "warehouse": row["warehouse_name"],
        "used_on": row["used_on"],
        "day": told["day"],
        "queries": int(row["queries"]),
        "credits": float(row["credits"]),
    }


def _together(rows: Iterable[dict[str, Any] | None]) -> list[dict[str, Any]]:
    """One row a key: tags that differ in their question alone are one enrichment's."""
    found: dict[tuple[Any, ...], dict[str, Any]] = {}
    for row in filter(None, rows):
        key = tuple(row[name] for name in _COMPUTE_KEY)
        had = found.get(key, {"queries": 0, "credits": 0.0})
        found[key] = {**row, "queries": had["queries"] + row["queries"], "credits": had["credits"] + row["credits"]}
    return list(found.values())


def tokens(metrics: Any) -> int:
    """The tokens of a ``METRICS`` array: its total where it has one, else all its parts; 0 where pages are counted."""
    found = {
        one["key"]["metric"]: int(one["value"])
        for one in (json.loads(metrics) if isinstance(metrics, str) else metrics or [])
        if one["key"]["unit"] == "tokens"
    }
    return found.get("total", sum(found.values()))


def _utc(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(tzinfo=None) if moment.tzinfo else moment

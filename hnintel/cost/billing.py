"""Read Snowflake's bill from the account's usage views, and store it in the ledger beside the estimates.

The query tag of a statement assigns it to its run. The views lag by an hour or by a day, and are corrected later; so
each call reads the last days again and replaces the rows of earlier calls.
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
#: Days read again by each call; the AI view lags by up to a day, the view of warehouses by up to eight hours.
DAYS = 8
_TAG_PATTERN = '{"app":"hn-intelligence"%'
_AI_KEY = ("query_id", "function", "model", "started_at")
_COMPUTE_KEY = ("run_id", "stage", "enrichment", "warehouse", "used_on")


def reconcile(warehouse: Warehouse, run_id: str, since: date | None = None) -> list[Bill]:
    """Read and store the bill since a day (UTC); return the bill of each day and currency from then on.

    Args:
        warehouse: Snowflake; no other warehouse has a bill.
        run_id: tags the statements of this call.
        since: the first day to read from the views; by default ``DAYS`` days ago.

    Raises:
        WarehouseError: the role may not read the views; ``python -m hnintel doctor`` prints the grant.
    """
    since = since or (datetime.now(UTC) - timedelta(days=DAYS)).date()
    with query_tags.tagged(run=run_id), warehouse.transaction(stage="enrich") as session:
        known = _runs(session)
        params = [since.isoformat(), _TAG_PATTERN]
        billed = session.rows(statement("cost/billed_ai", view=AI_VIEW), params)
        ai = _one_per_key(_ai_row(row, known) for row in billed)
        used = session.rows(statement("cost/billed_compute", view=COMPUTE_VIEW), params)
        compute = _sum_per_key(_compute_row(row, known) for row in used)
        staged = session.stage("ops.ai_billed", ai), session.stage("ops.compute_billed", compute)
        merge_rows(session, staged[0], keys=_AI_KEY)
        merge_rows(session, staged[1], keys=_COMPUTE_KEY)
        session.merge(statement("cost/settle_bill"))
        return bills(session, since)


def _runs(session: Session) -> frozenset[str]:
    """The ids of this database's runs: other environments of the account tag their statements alike."""
    rows = session.execute(statement("cost/known_runs"))
    return frozenset(str(row[0]) for row in rows)


def _parse_tag(query_tag: str, known: frozenset[str]) -> dict[str, Any] | None:
    """The columns that a query tag gives; None where its run is not of this database."""
    try:
        tag = json.loads(query_tag)
    except ValueError:
        return None
    if not isinstance(tag, dict) or tag.get("run") not in known:
        return None
    day = date.fromisoformat(tag["day"]) if tag.get("day") else None
    return {"run_id": tag["run"], "day": day, "enrichment": tag.get("enrichment") or "", "tag": tag}


def _ai_row(row: dict[str, Any], known: frozenset[str]) -> dict[str, Any] | None:
    columns = _parse_tag(row["query_tag"], known)
    if columns is None:
        return None
    return {
        "query_id": row["query_id"],
        "function": row["function_name"].upper(),
        "model": row["model_name"].lower(),
        "started_at": _utc(row["start_time"]),
        "run_id": columns["run_id"],
        "day": columns["day"],
        "enrichment": columns["enrichment"],
        "fingerprint": columns["tag"].get("fingerprint") or "",
        "tokens": tokens(row["metrics"]),
        "credits": float(row["credits"]),
        "complete": bool(row["is_completed"]),
    }


def _one_per_key(rows: Iterable[dict[str, Any] | None]) -> list[dict[str, Any]]:
    """The last row of each key."""
    return list({tuple(row[name] for name in _AI_KEY): row for row in rows if row}.values())


def _compute_row(row: dict[str, Any], known: frozenset[str]) -> dict[str, Any] | None:
    columns = _parse_tag(row["query_tag"], known)
    if columns is None:
        return None
    return {
        "run_id": columns["run_id"],
        "stage": columns["tag"].get("stage") or "",
        "enrichment": columns["enrichment"],
        "warehouse": row["warehouse_name"],
        "used_on": row["used_on"],
        "day": columns["day"],
        "queries": int(row["queries"]),
        "credits": float(row["credits"]),
    }


def _sum_per_key(rows: Iterable[dict[str, Any] | None]) -> list[dict[str, Any]]:
    """One row for each key, queries and credits added up: tags of one enrichment may differ in their fingerprint."""
    sums: dict[tuple[Any, ...], dict[str, Any]] = {}
    for row in filter(None, rows):
        key = tuple(row[name] for name in _COMPUTE_KEY)
        so_far = sums.get(key, {"queries": 0, "credits": 0.0})
        queries, credits = so_far["queries"] + row["queries"], so_far["credits"] + row["credits"]
        sums[key] = {**row, "queries": queries, "credits": credits}
    return list(sums.values())


def tokens(metrics: Any) -> int:
    """The tokens of a ``METRICS`` array: its total if present, else the sum of its parts; 0 where it counts pages."""
    counts = {
        metric["key"]["metric"]: int(metric["value"])
        for metric in (json.loads(metrics) if isinstance(metrics, str) else metrics or [])
        if metric["key"]["unit"] == "tokens"
    }
    return counts.get("total", sum(counts.values()))


def _utc(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(tzinfo=None) if moment.tzinfo else moment

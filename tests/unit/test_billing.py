"""The bill: usage views as Snowflake documents them, with rows as it gives them, read beside what was estimated."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from hnintel.checks.run import bill_checked as reconcile
from hnintel.cli.app import main
from hnintel.cost import billing
from hnintel.cost.bill import Bill, bills
from hnintel.cost.billing import tokens
from hnintel.ledger import runs
from hnintel.ledger.check_results import results_of
from hnintel.settings import Settings
from hnintel.warehouse.base import Session, Warehouse
from tests.warehouse.world import Opens, Recording, fresh_duckdb, fresh_snowflake

DAY = date(2026, 10, 22)
SINCE = date(2026, 10, 23)
RUN, OTHER = "11111111-aaaa", "99999999-zzzz"
NOON = datetime(2026, 10, 23, 12)
#: Columns of the two views by Snowflake's documentation, as far as they are read, and one that is not.
AI = (
    "query_id VARCHAR, function_name VARCHAR, model_name VARCHAR, start_time TIMESTAMP, end_time TIMESTAMP, "
    "query_tag VARCHAR, metrics {json}, credits DOUBLE, is_completed BOOLEAN"
)
COMPUTE = (
    "query_id VARCHAR, warehouse_name VARCHAR, query_tag VARCHAR, start_time TIMESTAMP, "
    "credits_attributed_compute DOUBLE, credits_used_query_acceleration DOUBLE"
)


class Account:
    """What the account's views say, in tables of the same shape."""

    def __init__(self, warehouse: Warehouse) -> None:
        self.warehouse = warehouse
        is_duckdb = warehouse.name == "duckdb"
        self._parse = "CAST(? AS JSON)" if is_duckdb else "CAST(PARSE_JSON(?) AS ARRAY)"
        with warehouse.transaction(stage="enrich") as session:
            session.execute("CREATE SCHEMA IF NOT EXISTS usage_views")
            session.execute(f"CREATE TABLE usage_views.ai ({AI.format(json='JSON' if is_duckdb else 'ARRAY')})")
            session.execute(f"CREATE TABLE usage_views.compute ({COMPUTE})")

    def asks(self, query: str, credits: float, tag: dict[str, Any], **told: Any) -> None:
        """A query of an AI function, as Cortex' view has it."""
        row: dict[str, Any] = {
            "function": "AI_COMPLETE",
            "model": "claude-haiku-4-5",
            "start": NOON,
            "complete": True,
            "metrics": [metric("input", 900), metric("output", 100)],
            **told,
        }
        with self.warehouse.transaction(stage="enrich") as session:
            session.execute(
                f"INSERT INTO usage_views.ai SELECT ?, ?, ?, ?, ?, ?, {self._parse}, ?, ?",
                [
                    *(query, row["function"], row["model"], row["start"], row["start"] + timedelta(hours=1)),
                    *(tag_of(tag), json.dumps(row["metrics"]), credits, row["complete"]),
                ],
            )

    def runs(self, query: str, credits: float, warehouse: str, tag: dict[str, Any], start: datetime = NOON) -> None:
        """A query that a warehouse ran, as the view of its costs has it."""
        with self.warehouse.transaction(stage="enrich") as session:
            session.execute(
                "INSERT INTO usage_views.compute VALUES (?, ?, ?, ?, ?, NULL)",
                [query, warehouse, tag_of(tag), start, credits],
            )


def metric(name: str, value: int, unit: str = "tokens") -> dict[str, Any]:
    """One of a METRICS array."""
    return {"key": {"metric": name, "unit": unit}, "value": value}


def tag_of(told: dict[str, Any]) -> str:
    """A query tag as sessions set it."""
    return json.dumps({"app": "hn-intelligence", "stage": "enrich", **told}, separators=(",", ":"))


TAKEAWAY = {"run": RUN, "day": str(DAY), "enrichment": "takeaway", "fingerprint": "f1"}


OPENS: dict[str, Opens] = {"duckdb": fresh_duckdb, "snowflake": fresh_snowflake}
#: Of a test that shows nothing of the warehouse's own SQL.
on_duckdb = pytest.mark.parametrize("warehouse", ["duckdb"], indirect=True)


@pytest.fixture(params=OPENS)
def warehouse(request: pytest.FixtureRequest, tmp_path: Path) -> Warehouse:
    """A warehouse with one run of one day in its ledger."""
    one = OPENS[request.param](tmp_path, Recording())
    with one.transaction(stage="enrich") as session:
        runs.begin_run(session, RUN, DAY, "sample", NOON)
    return one


@pytest.fixture
def account(warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch) -> Account:
    """Its account, that is billed."""
    monkeypatch.setattr(billing, "AI_VIEW", "usage_views.ai")
    monkeypatch.setattr(billing, "COMPUTE_VIEW", "usage_views.compute")
    return Account(warehouse)


def estimate(session: Session, credits: float, function: str = "AI_COMPLETE", model: str = "claude-haiku-4-5") -> None:
    """A row of ``ops.ai_usage``, as a run books it."""
    session.execute(
        "INSERT INTO ops.ai_usage (run_id, day, enrichment, fingerprint, function, model, calls, input_tokens, "
        "output_tokens, counting, credits, asked_at, currency) "
        "VALUES (?, ?, 'takeaway', 'f1', ?, ?, 10, 900, 100, 'estimated', ?, ?, 'credits')",
        [RUN, DAY, function, model, credits, NOON],
    )


def reconciled(warehouse: Warehouse, **settings: Any) -> Bill:
    """The bill of the day."""
    (one,) = [bill for bill in reconcile(warehouse, Settings(**settings), "check", SINCE) if bill.day == DAY] or [None]
    if one is None:  # the view is read by when it was asked, and the bill is of the partition
        with warehouse.transaction(stage="enrich") as session:
            (one,) = bills(session, DAY)
    return one


def usage(warehouse: Warehouse) -> list[tuple[Any, ...]]:
    """What the ledger has of each function: estimated, billed, tokens billed."""
    with warehouse.transaction(stage="enrich") as session:
        return session.execute(
            "SELECT function, model, credits, billed_credits, billed_tokens FROM ops.ai_usage ORDER BY function, model"
        )


def test_queries_of_one_question_are_added_up_beside_its_estimate(warehouse: Warehouse, account: Account) -> None:
    with warehouse.transaction(stage="enrich") as session:
        estimate(session, 0.005)
    account.asks("q1", 0.003, TAKEAWAY)
    account.asks("q2", 0.0025, TAKEAWAY)
    bill = reconciled(warehouse)
    assert usage(warehouse) == [("AI_COMPLETE", "claude-haiku-4-5", 0.005, 0.0055, 2000)]
    assert (bill.billed, bill.estimated_of_billed) == pytest.approx((0.0055, 0.005))
    assert bill.ratio == pytest.approx(1.1)
    assert bill.without_answers == pytest.approx(0)


def test_reading_the_views_again_changes_nothing_and_takes_corrections(warehouse: Warehouse, account: Account) -> None:
    with warehouse.transaction(stage="enrich") as session:
        estimate(session, 0.005)
    account.asks("q1", 0.001, TAKEAWAY, complete=False)
    assert reconciled(warehouse) == reconciled(warehouse)
    with warehouse.transaction(stage="enrich") as session:
        session.execute("UPDATE usage_views.ai SET credits = 0.004, is_completed = TRUE")
    assert reconciled(warehouse).billed == pytest.approx(0.004)
    with warehouse.transaction(stage="enrich") as session:
        assert session.execute("SELECT count(*), min(query_id) FROM ops.ai_billed WHERE complete") == [(1, "q1")]


@on_duckdb
def test_without_a_day_the_views_are_read_from_eight_days_ago(warehouse: Warehouse, account: Account) -> None:
    now = datetime.now(UTC).replace(tzinfo=None)
    account.asks("within", 0.003, TAKEAWAY, start=now - timedelta(days=billing.DAYS - 1))
    account.asks("before", 0.002, TAKEAWAY, start=now - timedelta(days=billing.DAYS + 1))
    billing.reconcile(warehouse, "check")
    with warehouse.transaction(stage="enrich") as session:
        assert session.execute("SELECT query_id FROM ops.ai_billed") == [("within",)]


@on_duckdb
def test_a_query_that_runs_over_the_hour_has_rows_that_all_count(warehouse: Warehouse, account: Account) -> None:
    with warehouse.transaction(stage="enrich") as session:
        estimate(session, 0.005)
    account.asks("q1", 0.003, TAKEAWAY)
    account.asks("q1", 0.002, TAKEAWAY, start=NOON + timedelta(hours=1))
    assert reconciled(warehouse).billed == pytest.approx(0.005)


def test_functions_of_one_question_are_billed_each_by_itself(warehouse: Warehouse, account: Account) -> None:
    with warehouse.transaction(stage="enrich") as session:
        estimate(session, 0.005)
        estimate(session, 0.001, "AI_AGG", "cortex")
    account.asks("q1", 0.005, TAKEAWAY)
    account.asks("q1", 0.002, TAKEAWAY, function="AI_AGG", model=None, metrics=[metric("total", 527)])
    reconciled(warehouse)
    assert usage(warehouse) == [
        ("AI_AGG", "cortex", 0.001, 0.002, 527),
        ("AI_COMPLETE", "claude-haiku-4-5", 0.005, 0.005, 1000),
    ]


@on_duckdb
def test_what_was_billed_and_never_kept_is_seen(warehouse: Warehouse, account: Account) -> None:
    with warehouse.transaction(stage="enrich") as session:
        estimate(session, 0.005)
    account.asks("q1", 0.005, TAKEAWAY)
    account.asks("q2", 0.003, {**TAKEAWAY, "enrichment": "topic", "fingerprint": "f2"})
    bill = reconciled(warehouse)
    assert (bill.billed, bill.without_answers) == pytest.approx((0.005, 0.003))


@on_duckdb
def test_statements_of_others_and_of_other_environments_are_left_out(warehouse: Warehouse, account: Account) -> None:
    with warehouse.transaction(stage="enrich") as session:
        estimate(session, 0.005)
    account.asks("q1", 0.005, {**TAKEAWAY, "run": OTHER})
    account.asks("q2", 0.005, TAKEAWAY, start=NOON - timedelta(days=30))
    with warehouse.transaction(stage="enrich") as session:
        for tag in ("nightly", '{"app":"hn-intelligence", broken', None):
            session.execute("INSERT INTO usage_views.compute VALUES ('q', 'WH', ?, ?, 1.0, NULL)", [tag, NOON])
    bill = reconciled(warehouse)
    assert (bill.billed, bill.ratio, bill.without_answers, bill.compute) == (0, None, 0, 0)
    assert bill.estimated == 0.005


def test_warehouse_credits_are_added_up_by_what_they_ran_for(warehouse: Warehouse, account: Account) -> None:
    with warehouse.transaction(stage="enrich") as session:
        estimate(session, 0.005)
    account.runs("q1", 0.010, "ENRICH_WH", TAKEAWAY)
    account.runs("q2", 0.020, "ENRICH_WH", {**TAKEAWAY, "fingerprint": "f2"})
    account.runs("q3", 0.040, "TRANSFORM_WH", {"run": RUN, "day": str(DAY), "stage": "transform"})
    assert reconciled(warehouse).compute == reconciled(warehouse).compute == pytest.approx(0.070)
    with warehouse.transaction(stage="enrich") as session:
        kept = session.execute("SELECT warehouse, stage, enrichment, queries FROM ops.compute_billed ORDER BY 1")
    assert kept == [("ENRICH_WH", "enrich", "takeaway", 2), ("TRANSFORM_WH", "transform", "", 1)]


@on_duckdb
@pytest.mark.parametrize(("billed", "passed"), [(0.0055, True), (0.009, False), (0.002, False)])
def test_a_ratio_far_from_one_is_a_warning(warehouse: Warehouse, account: Account, billed: float, passed: bool) -> None:
    with warehouse.transaction(stage="enrich") as session:
        estimate(session, 0.005)
    account.asks("q1", billed, TAKEAWAY)
    reconcile(warehouse, Settings(), "check", DAY)
    with warehouse.transaction(stage="enrich") as session:
        (result,) = results_of(session, "check", DAY)
    assert (result.name, result.blocking, result.passed) == ("billing: billed beside estimated", False, passed)
    assert f"{billed:.4f} credits billed where 0.0050 were estimated" in result.detail


@pytest.mark.parametrize(
    ("metrics", "total"),
    [
        ([metric("input", 17), metric("output", 65)], 82),
        ([metric("total", 527)], 527),
        ([metric("total", 3, "pages")], 0),
        (json.dumps([metric("total", 5)]), 5),
        (None, 0),
    ],
)
def test_tokens_of_each_recorded_shape_of_metrics(metrics: Any, total: int) -> None:
    assert tokens(metrics) == total


def test_the_embedded_warehouse_shows_its_estimates_and_says_that_nobody_bills(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["bill", "--json", "--since", "2026-10-01"]) == 0
    out, err = capsys.readouterr()
    assert json.loads(out) == {"since": "2026-10-01", "days": {}}
    assert "sends no bill" in err

"""Money: amounts are added up by currency, and each is printed with its own."""

from __future__ import annotations

import json
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hnintel.briefing.pages import publish
from hnintel.checks.run import run_checks
from hnintel.cli.app import main
from hnintel.cost import money
from hnintel.cost.bill import bills
from hnintel.cost.budget import Estimate, too_much, wants_approval
from hnintel.planning.backfill import BackfillPlan, cost_of
from hnintel.planning.day import Plan
from hnintel.runs.summary import Summary, as_rows
from hnintel.settings import Settings, load_settings
from hnintel.warehouse import open_warehouse
from hnintel.warehouse.base import Warehouse
from tests.briefing.desk import make_marts

DAY = date(2026, 10, 22)
COSTS = st.dictionaries(st.sampled_from(["credits", "EUR", "USD"]), st.integers(0, 1_000).map(float))


def book(
    warehouse: Warehouse, enrichment: str, credits: float, currency: str | None, billed: float | None = None
) -> None:
    """A row of ``ops.ai_usage``."""
    with warehouse.transaction(stage="enrich") as session:
        session.execute(
            "INSERT INTO ops.ai_usage (run_id, day, enrichment, fingerprint, function, model, calls, input_tokens, "
            "output_tokens, counting, credits, asked_at, currency, billed_credits) "
            "VALUES ('run', ?, ?, 'f', 'AI_COMPLETE', 'm', 1, 900, 100, 'counted', ?, ?, ?, ?)",
            [DAY, enrichment, credits, datetime(2026, 10, 23, 6), currency, billed],
        )


def brief(warehouse: Warehouse) -> None:
    """A briefing without claims, and the marts that its page reads, as views of nothing."""
    with warehouse.transaction(stage="enrich") as session:
        make_marts(session)
        session.execute(
            "INSERT INTO enriched.briefings VALUES (?, 'f', 'h', '[]', 0, '', 'm', 'run', ?)",
            [DAY, datetime(2026, 10, 23, 6)],
        )


def test_rows_and_tokens_of_two_estimates_are_added_up() -> None:
    total = Estimate(3, 100, 20, 0.5) + Estimate(4, 1_000, 200, 0.25)
    assert (total.rows, total.input_tokens, total.output_tokens, total.costs) == (7, 1_100, 220, {"credits": 0.75})


def test_a_plan_of_nothing_is_an_estimate_of_no_rows_tokens_and_money() -> None:
    total = Plan(DAY, 0, {}).total
    assert (total.rows, total.input_tokens, total.output_tokens, total.costs) == (0, 0, 0, {})


@given(st.lists(COSTS))
def test_what_is_added_up_is_of_one_currency(costs: list[dict[str, float]]) -> None:
    total = money.together(costs)
    assert total == {
        currency: amount
        for currency in ("credits", "EUR", "USD")
        if (amount := sum(one.get(currency, 0.0) for one in costs))
    }


@given(
    st.lists(st.tuples(st.integers(0, 9), st.integers(0, 99), st.sampled_from(["credits", "EUR", "USD"])), min_size=1)
)
def test_estimates_of_several_currencies_are_no_sum(told: list[tuple[int, int, str]]) -> None:
    each = [Estimate(rows, 1, 1, float(cost), currency) for rows, cost, currency in told]
    total = sum(each[1:], each[0])
    assert total.rows == sum(rows for rows, _, _ in told)
    assert total.costs == money.together({currency: float(cost)} for _, cost, currency in told)
    assert total.cost == total.costs.get(total.currency, 0.0)


@pytest.mark.parametrize(
    ("costs", "words"),
    [
        ({}, "0 credits"),
        ({"USD": 0.0}, "0 USD"),
        ({"USD": 1.25, "credits": 0.5}, "0.5 credits and 1.25 USD"),
        ({"USD": 1.25, "credits": 0.0}, "1.25 USD"),
    ],
)
def test_an_amount_is_told_with_its_currency(costs: dict[str, float], words: str) -> None:
    assert money.in_words(costs) == words


def test_what_is_asked_about_names_every_currency_and_holds_each_against_the_limit() -> None:
    total = Estimate(1, cost=4.0) + Estimate(1, cost=6.0, currency="USD")
    assert not wants_approval(total, Settings(approve_above=6.0))
    assert wants_approval(total, Settings(approve_above=5.0))
    assert too_much(total, Settings(approve_above=5.0)).startswith("it may cost 4 credits and 6 USD, more than")


def test_a_plan_names_every_currency() -> None:
    planned = Plan(DAY, 1, {"topic": Estimate(1, cost=4.0), "briefing": Estimate(1, cost=6.0, currency="USD")})
    total = planned.as_json()["total"]
    assert (total["cost"], total["currency"], total["costs"]) == (4.0, "credits", {"credits": 4.0, "USD": 6.0})
    several = BackfillPlan([], "all stages", asked={DAY: planned.total})
    assert several.as_markdown().endswith("In total 2 questions, 4 credits and 6 USD.")
    assert cost_of({"cost": 4.0, "currency": "credits", "costs": {"credits": 4.0, "USD": 6.0}}) == "4 credits and 6 USD"
    assert cost_of({"cost": None, "currency": None, "costs": None}) is None


@pytest.mark.parametrize(
    ("booked", "words"),
    [
        ([("topic", 0.5, "USD")], "0.5 USD"),
        ([("topic", 0.5, "USD"), ("tone", 0.25, None)], "0.25 credits and 0.5 USD"),
        ([("topic", 0.0, "USD")], "0 USD"),
        ([("topic", 1.0, "credits")], "1 credit"),
        ([], "0 credits"),
    ],
)
def test_a_page_says_in_which_currency_its_day_was_paid(home: Path, booked: list[Any], words: str) -> None:
    warehouse = open_warehouse(load_settings())
    for one in booked:
        book(warehouse, *one)
    brief(warehouse)
    path, markdown = publish(warehouse, DAY, load_settings())
    assert f"cost: {words}\n" in markdown.replace("\\", "")
    assert f"<dt>Cost</dt><dd>{words}</dd>" in path.read_text(encoding="utf-8")


def test_a_run_says_what_it_has_booked_by_currency(home: Path) -> None:
    warehouse = open_warehouse(load_settings())
    book(warehouse, "topic", 0.5, "USD")
    one = Summary(DAY, "run", "sample")
    with warehouse.transaction(stage="enrich") as session:
        one.count_costs(session)
    cost = one.as_json()["cost"]
    assert cost == {"credits": 0.5, "currency": "USD", "by_currency": {"USD": 0.5}, "tokens_are": "counted"}
    book(warehouse, "tone", 0.25, None)
    with warehouse.transaction(stage="enrich") as session:
        one.count_costs(session)
    assert dict(as_rows(one.as_json()))["AI"].endswith("0.25 credits and 0.5 USD (counted)")


def test_the_bill_has_a_line_for_each_currency(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    warehouse = open_warehouse(load_settings())
    book(warehouse, "topic", 0.5, "USD")
    book(warehouse, "tone", 0.25, None, billed=0.25)
    with warehouse.transaction(stage="enrich") as session:
        found = bills(session, DAY)
    assert [(one.currency, one.estimated, one.billed) for one in found] == [("credits", 0.25, 0.25), ("USD", 0.5, 0)]
    assert main(["bill", "--json", "--since", str(DAY)]) == 0
    told = json.loads(capsys.readouterr().out)["days"][str(DAY)]
    assert (told["currency"], told["estimated"]) == ("credits", 0.25)
    assert told["other_currencies"]["USD"]["estimated"] == 0.5
    assert main(["bill", "--since", str(DAY)]) == 0
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert [line[:3] for line in lines if line[:1] == [str(DAY)]] == [
        [str(DAY), "credits", "0.2500"],
        [str(DAY), "USD", "0.5000"],
    ]


def test_what_was_billed_is_held_against_credits_alone(home: Path) -> None:
    warehouse = open_warehouse(load_settings())
    book(warehouse, "topic", 9.0, "USD")
    book(warehouse, "tone", 0.25, None, billed=0.25)
    (result,) = run_checks(warehouse, DAY, load_settings(), "check", ["billing"])
    assert result.passed
    assert "0.2500 credits billed where 0.2500 were estimated" in result.detail

"""What only a real account can show: that its role may ask Cortex, and that Cortex answers in the recorded shapes.

Each question is about three words, so that a run costs less than a hundredth of a credit.
"""

from __future__ import annotations

import json

import pytest

from hnintel.cost import billing
from hnintel.doctor.finding import Finding
from hnintel.doctor.questions import questions
from hnintel.doctor.snowflake.account import connected, quoted
from hnintel.doctor.snowflake.examine import examine
from hnintel.settings import Settings
from hnintel.warehouse.statements import statement

pytestmark = pytest.mark.live


def test_every_function_and_model_of_a_run_answers(live: Settings) -> None:
    found = {one.name: one for one in examine(live, questions(live), ask=True)}
    asked = [one for name, one in found.items() if "AI_" in name or "model " in name]
    assert asked, found.get("connection", Finding.missing("connection", "nothing was examined")).detail
    assert [one for one in asked if one.outcome == "missing"] == []


def test_the_usage_views_have_the_columns_that_are_read(live: Settings) -> None:
    with connected(live, "enrich") as account:
        if role := live.snowflake_role_of("enrich"):
            account.execute(f"USE ROLE {quoted(role)}")
        if name := live.snowflake_warehouse_of("enrich"):
            account.execute(f"USE WAREHOUSE {quoted(name)}")
        ours = ("2000-01-01", '{"app":"hn-intelligence"%')
        rows = account.execute(statement("cost/billed_ai", view=billing.AI_VIEW) + "LIMIT 20", ours)
        account.execute(statement("cost/billed_compute", view=billing.COMPUTE_VIEW) + "LIMIT 20", ours)
    for row in rows:
        assert json.loads(row["query_tag"])["app"] == "hn-intelligence"
        assert billing.tokens(row["metrics"]) >= 0

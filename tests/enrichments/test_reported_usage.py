"""A budget and its estimates, whatever the endpoint that is paid reports of its tokens."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from hnintel.cost import budget
from hnintel.cost.usage import AIFunction
from hnintel.engines.openai import OpenAIEngine
from hnintel.enrich.declaration import load_enrichments
from hnintel.errors import BudgetReached
from hnintel.warehouse.statements import statement
from tests.enrichments.subjects import load_worthy
from tests.servers.chat import ChatServer
from tests.warehouse.world import DAY, Asking

TAKEAWAY = load_enrichments()["takeaway"]
PRICES = '[[price]]\nmodel = "small-rules"\nfrom = 2026-01-01\ninput = 1000\noutput = 1000\ncurrency = "USD"\n'
REPORTS = {
    "honest": None,
    "zero": {"prompt_tokens": 0, "completion_tokens": 0},
    "one": {"prompt_tokens": 1, "completion_tokens": 1},
    "negative": {"prompt_tokens": -500, "completion_tokens": -500},
    "huge": {"prompt_tokens": 10**9, "completion_tokens": 10**9},
    "floats": {"prompt_tokens": 0.5, "completion_tokens": 1e9},
    "texts": {"prompt_tokens": "0", "completion_tokens": "0"},
    "booleans": {"prompt_tokens": True, "completion_tokens": True},
    "nothing": {},
}


@pytest.fixture
def server() -> Iterator[ChatServer]:
    with ChatServer() as server:
        yield server


@pytest.fixture
def asking(tmp_path: Path, server: ChatServer) -> Asking:
    """A warehouse asked of an endpoint that is paid, a row at a time."""
    (tmp_path / "prices.toml").write_text(PRICES, encoding="utf-8")
    told: dict[str, Any] = {"openai_base_url": server.base_url, "openai_model": "small-rules", "openai_attempts": 1}
    asking = Asking(tmp_path, prices_path=tmp_path / "prices.toml", enrich_chunk=1, **told)
    asking.settings = asking.settings.model_copy(update={"engine": "openai"})
    asking.engine.engine = OpenAIEngine(asking.settings)
    return asking


def cost_of_a_row(asking: Asking) -> float:
    ((cost,),) = [tuple(row.values()) for row in asking.rows("SELECT sum(credits) / sum(calls) FROM ops.ai_usage")]
    return float(cost)


@pytest.mark.parametrize(
    "report",
    [one if one in ("honest", "zero", "huge") else pytest.param(one, marks=pytest.mark.long) for one in REPORTS],
)
def test_a_budget_of_about_two_rows_stops_after_a_few_whatever_is_reported(
    asking: Asking, server: ChatServer, report: str
) -> None:
    load_worthy(asking, TAKEAWAY, 13)
    server.mood.usage = REPORTS[report]
    with pytest.raises(BudgetReached):
        asking.run(TAKEAWAY, budget_run=1.2)
    assert 1 <= len(server.asked) <= 4
    assert 0.2 < cost_of_a_row(asking) < 2


def test_a_count_that_is_not_believed_is_said_once_and_in_the_line_of_the_enrichment(
    asking: Asking, server: ChatServer, caplog: pytest.LogCaptureFixture
) -> None:
    load_worthy(asking, TAKEAWAY, 4)
    server.mood.usage = REPORTS["zero"]
    with caplog.at_level(logging.WARNING, "hnintel"):
        done = asking.run(TAKEAWAY)
    assert done.uncounted == done.asked > 1
    assert f"the tokens of {done.asked} estimated" in done.in_words()
    assert [record.getMessage().partition(":")[0] for record in caplog.records] == ["takeaway"]
    assert {row["counting"] for row in asking.rows("SELECT counting FROM ops.ai_usage")} == {"estimated"}


def test_an_honest_count_is_not_spoken_of(asking: Asking, caplog: pytest.LogCaptureFixture) -> None:
    load_worthy(asking, TAKEAWAY, 2)
    with caplog.at_level(logging.WARNING, "hnintel"):
        assert asking.run(TAKEAWAY).uncounted == 0
    assert caplog.records == []


def booked(asking: Asking, run_id: str, calls: int, written: int, age: int, model: str = "small-rules") -> None:
    """Put a booking into the ledger that is *age* days old."""
    with asking.warehouse.transaction(stage="enrich") as session:
        row = [run_id, DAY, TAKEAWAY.name, "f", TAKEAWAY.function, model, calls, 100 * calls, written, "counted"]
        row += [0.1, "USD", date(2026, 1, 1), datetime(2026, 10, 22) - timedelta(days=age)]
        session.merge(statement("cost/add_usage"), row)


def expected(asking: Asking) -> float:
    function = AIFunction.of(TAKEAWAY.function, asking.warehouse, TAKEAWAY.model, asking.settings)
    with asking.warehouse.transaction(stage="enrich") as session:
        return budget.answer_tokens(session, TAKEAWAY.name, function)


def test_one_run_with_a_wrong_count_does_not_change_what_later_ones_are_held_to(asking: Asking) -> None:
    for age in range(1, 6):
        booked(asking, f"run {age}", 100, 4_000 + age, age)
    before = expected(asking)
    booked(asking, "poisoned", 1_000_000, 10**15, 0)
    assert before == pytest.approx(40, rel=0.01)
    assert expected(asking) == pytest.approx(40, rel=0.01)


def test_the_longest_answer_that_is_reckoned_with_is_one_that_a_model_can_write(asking: Asking) -> None:
    booked(asking, "poisoned", 1, 10**15, 0)
    assert expected(asking) == budget.MOST_OUTPUT


def test_an_estimate_follows_the_answers_of_late_and_those_of_the_model_that_answers(asking: Asking) -> None:
    for age in range(200, 260):
        booked(asking, f"old {age}", 100, 100_000, age)
    for age in range(40):
        booked(asking, f"new {age}", 100, 4_000, age)
    assert expected(asking) == pytest.approx(40)
    booked(asking, "other", 200, 200 * 900, 0, model="another")
    assert expected(asking) == pytest.approx(40)

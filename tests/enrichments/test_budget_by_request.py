"""An endpoint is asked one request at a time, each only if its worst case fits the budgets."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from hnintel.enrich.declaration import load_enrichments
from hnintel.errors import BudgetReached, HnIntelError, WarehouseError
from hnintel.warehouse import open_warehouse
from tests.enrichments.subjects import load_worthy
from tests.servers.chat import ChatServer
from tests.warehouse.world import Asking

ALL = load_enrichments()
TAKEAWAY, DISCUSSION = ALL["takeaway"], ALL["discussion"]
#: In USD per million tokens; answers are dearer than questions, as they are everywhere.
INPUT, OUTPUT = 1.0, 10.0
PRICES = f"""
[[price]]
model = "small-rules"
from = 2026-01-01
input = {INPUT}
output = {OUTPUT}
currency = "USD"
"""


@pytest.fixture
def server() -> Iterator[ChatServer]:
    with ChatServer() as server:
        yield server


@pytest.fixture
def asking(tmp_path: Path, server: ChatServer) -> Asking:
    """A warehouse that asks an endpoint which is paid."""
    (tmp_path / "prices.toml").write_text(PRICES, encoding="utf-8")
    told: dict[str, Any] = {"openai_base_url": server.base_url, "openai_model": "small-rules", "openai_attempts": 2}
    asking = Asking(tmp_path, prices_path=tmp_path / "prices.toml", openai_timeout=30.0, **told)
    asking.settings = asking.settings.model_copy(update={"engine": "openai"})
    asking.warehouse = open_warehouse(asking.settings)
    return asking


def bill(server: ChatServer) -> float:
    """What the endpoint asks for, by its own count."""
    return sum(read * INPUT + wrote * OUTPUT for read, wrote in server.billed) / 1e6


def booked(asking: Asking) -> tuple[int, float]:
    """The requests and the cost in the ledger."""
    (row,) = asking.rows("SELECT coalesce(sum(calls), 0) AS calls, coalesce(sum(credits), 0) AS cost FROM ops.ai_usage")
    return int(row["calls"]), float(row["cost"])


def reserved(asking: Asking) -> list[dict[str, Any]]:
    return asking.rows("SELECT * FROM ops.ai_reservations")


def run(asking: Asking, run_id: str = "run", enrichment: Any = TAKEAWAY, **settings: Any) -> BaseException | None:
    """Run *enrichment*; the error that ended it."""
    try:
        asking.run(enrichment, run_id, **settings)
    except HnIntelError as error:
        return error
    return None


def test_the_ledger_has_what_the_endpoint_counted(asking: Asking, server: ChatServer) -> None:
    load_worthy(asking, TAKEAWAY, 13)
    assert run(asking) is None
    assert booked(asking) == (len(server.billed), pytest.approx(bill(server)))
    assert reserved(asking) == []


def test_digests_are_booked_as_the_endpoint_counted_them(asking: Asking, server: ChatServer) -> None:
    load_worthy(asking, DISCUSSION, 3)
    assert run(asking, enrichment=DISCUSSION) is None
    assert {row["function"] for row in asking.rows("SELECT function FROM ops.ai_usage")} == {"AI_AGG", "AI_COMPLETE"}
    assert booked(asking) == (len(server.billed), pytest.approx(bill(server)))


@pytest.mark.parametrize("budget", [0.02, 0.05, 0.1])
def test_a_model_that_thinks_to_the_last_token_passes_no_budget_and_buys_what_fits(
    asking: Asking, server: ChatServer, budget: float
) -> None:
    load_worthy(asking, TAKEAWAY, 40)
    server.mood.fills = True
    error = run(asking, budget_run=budget)
    assert isinstance(error, BudgetReached)
    dearest = max(read * INPUT + wrote * OUTPUT for read, wrote in server.billed) / 1e6
    assert budget - 1.5 * dearest < bill(server) <= budget, "less than another question is left"
    assert booked(asking) == (len(server.billed), pytest.approx(bill(server)))
    assert f"{bill(server):.3g} are spent of HNINTEL_BUDGET_RUN={budget:g}" in str(error)
    assert len(asking.answers(TAKEAWAY)) == len(server.billed), "what was paid for is stored"
    assert reserved(asking) == []


def test_a_budget_smaller_than_a_question_buys_nothing_and_says_so(asking: Asking, server: ChatServer) -> None:
    load_worthy(asking, TAKEAWAY, 3)
    error = run(asking, budget_day=0.0001)
    assert isinstance(error, BudgetReached)
    assert "before a question that may cost" in str(error)
    assert "are spent of HNINTEL_BUDGET_DAY=0.0001" in str(error)
    assert server.asked == []
    (stage,) = asking.rows("SELECT status, error FROM ops.partitions WHERE stage = 'enrich:takeaway'")
    assert stage == {"status": "stopped", "error": str(error)}


@pytest.mark.parametrize("fault", ["drop", "hang", "no_json", "drip"])
def test_an_endpoint_that_bills_and_answers_nothing_usable_passes_no_budget(
    asking: Asking, server: ChatServer, fault: str
) -> None:
    load_worthy(asking, TAKEAWAY, 13)
    server.mood.always = {"": fault}
    asking.settings = asking.settings.model_copy(update={"openai_timeout": 1.0})
    asking.warehouse = open_warehouse(asking.settings)
    for number in range(4):
        assert isinstance(run(asking, f"run {number}", budget_day=0.03), BudgetReached | WarehouseError)
    calls, cost = booked(asking)
    assert bill(server) <= cost <= 0.03
    assert calls == len(server.billed)
    assert reserved(asking) == []


@pytest.mark.parametrize("status", ["400", "429", "503"])
def test_what_an_endpoint_refuses_is_not_booked(asking: Asking, server: ChatServer, status: str) -> None:
    load_worthy(asking, TAKEAWAY, 3)
    server.mood.always = {"": status}
    asking.settings = asking.settings.model_copy(update={"openai_concurrency": 1})  # none is cancelled under way
    asking.warehouse = open_warehouse(asking.settings)
    run(asking, budget_day=1.0)
    assert booked(asking) == (0, 0)
    assert reserved(asking) == []


def test_an_endpoint_that_is_not_there_costs_nothing(asking: Asking, server: ChatServer) -> None:
    load_worthy(asking, TAKEAWAY, 3)
    asking.settings = asking.settings.model_copy(update={"openai_base_url": "http://127.0.0.1:9/v1"})
    asking.warehouse = open_warehouse(asking.settings)
    assert isinstance(run(asking, budget_day=1.0), WarehouseError)
    assert booked(asking) == (0, 0)


def test_runs_side_by_side_share_a_budget(asking: Asking, server: ChatServer) -> None:
    for name in ("takeaway", "topic", "entities"):
        load_worthy(asking, ALL[name], 20)
    server.mood.fills, server.mood.latency = True, 0.01
    with ThreadPoolExecutor(3) as pool:
        errors = list(
            pool.map(
                lambda name: run(asking, f"run of {name}", ALL[name], budget_day=0.2), ("takeaway", "topic", "entities")
            )
        )
    assert any(isinstance(error, BudgetReached) for error in errors)
    assert bill(server) <= 0.2
    assert booked(asking) == (len(server.billed), pytest.approx(bill(server)))


def test_a_reservation_is_there_before_the_first_request(asking: Asking, server: ChatServer) -> None:
    load_worthy(asking, TAKEAWAY, 2)
    server.mood.latency = 1.0
    thread = threading.Thread(target=run, args=(asking,), kwargs={"budget_day": 1.0})
    thread.start()
    while not server.asked:
        pass
    (row,) = reserved(asking)
    assert row["credits"] > 0
    thread.join()
    assert reserved(asking) == []

"""A day whose answers are paid for: the run stops at its budget, and a later one goes on from what it kept."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pytest

from hnintel.errors import BudgetReached
from tests.servers.chat import ChatServer

pytestmark = pytest.mark.slow

DAY = date(2026, 10, 22)
PRICES = '[[price]]\nmodel = "small-rules"\nfrom = 2026-01-01\ninput = 1000\noutput = 1000\ncurrency = "USD"\n'


def test_a_run_stops_at_its_budget_and_the_next_asks_only_what_is_left(
    run: Callable[..., dict[str, Any]], home: Path, small_dump: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    prices = tmp_path / "prices.toml"
    prices.write_text(PRICES)
    with ChatServer() as endpoint:
        told = {
            "ENGINE": "openai",
            "OPENAI_BASE_URL": endpoint.base_url,
            "OPENAI_MODEL": "small-rules",
            "PRICES_PATH": str(prices),
            "ENRICH_CHUNK": "2",
            "ENRICH_CONCURRENCY": "1",
            "BUDGET_RUN": "4",
        }
        for name, value in told.items():
            monkeypatch.setenv(f"HNINTEL_{name}", value)
        with pytest.raises(BudgetReached, match=r"USD are spent|spent of HNINTEL_BUDGET_RUN=4"):
            run(DAY, f"replay:{small_dump}")
        first = len(endpoint.asked)
        spent = usage(home)
        assert 0 < spent["credits"] <= 4
        assert spent["currency"] == "USD"
        with duckdb.connect(str(home / "hnintel.duckdb"), read_only=True) as connection:
            assert connection.execute("SELECT status FROM ops.runs").fetchall() == [("stopped",)]
            assert connection.execute("SELECT count(*) FROM ops.ai_reservations").fetchall() == [(0,)]

        monkeypatch.setenv("HNINTEL_BUDGET_RUN", "1000")
        done = run(DAY, f"replay:{small_dump}")
        assert done["status"] == "complete"
        asked = usage(home)["calls"]
        assert len(endpoint.asked) == asked > first
        assert done["ai_calls"] == asked - spent["calls"]


def usage(home: Path) -> dict[str, Any]:
    with duckdb.connect(str(home / "hnintel.duckdb"), read_only=True) as connection:
        row = connection.execute("SELECT sum(credits), sum(calls), any_value(currency) FROM ops.ai_usage").fetchone()
    assert row is not None
    return {"credits": row[0], "calls": int(row[1]), "currency": row[2]}

"""The warehouses under the conformance suite of the protocol; a further adapter is a further line here."""

from __future__ import annotations

from pathlib import Path

import pytest

from hnintel.warehouse.base import Warehouse
from tests.warehouse.world import Opens, Recording, fresh_duckdb, fresh_snowflake, open_duckdb, open_snowflake

#: Each opens a copy of an empty warehouse: to bring one up takes longer than most tests do.
ADAPTERS: dict[str, Opens] = {
    "duckdb": fresh_duckdb,
    "snowflake": fresh_snowflake,
}
#: Each opens a warehouse whose tables are made by its first transaction.
NEW: dict[str, Opens] = {
    "duckdb": open_duckdb,
    "snowflake": open_snowflake,
}

#: The quick tests hold the embedded warehouse to the whole protocol; what they hold the other to is in
#: test_snowflake_session.py and in the tests of answers.
TIERED_ADAPTERS = ["duckdb", pytest.param("snowflake", marks=[pytest.mark.slow, pytest.mark.server])]


@pytest.fixture(params=TIERED_ADAPTERS)
def opens(request: pytest.FixtureRequest) -> Opens:
    """Return a function that opens a warehouse of the adapter under test."""
    return ADAPTERS[request.param]


@pytest.fixture(params=TIERED_ADAPTERS)
def opens_new(request: pytest.FixtureRequest) -> Opens:
    """Return a function that opens a warehouse of the adapter under test without tables."""
    return NEW[request.param]


@pytest.fixture
def engine() -> Recording:
    """The engine behind the AI functions, which records its questions."""
    return Recording()


@pytest.fixture
def warehouse(opens: Opens, engine: Recording, tmp_path: Path) -> Warehouse:
    """An empty warehouse of the adapter under test."""
    return opens(tmp_path, engine)

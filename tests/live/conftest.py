"""A real Snowflake account, where one is configured: databases made for a test, and dropped behind it."""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from hnintel.doctor.snowflake.account import connected, quoted
from hnintel.settings import Settings, load_settings
from hnintel.warehouse import open_warehouse
from hnintel.warehouse.base import Warehouse

#: Of every database that is made here: what was left by a run that was killed is told by it.
PREFIX = "HN_LIVE_"


@pytest.fixture
def live() -> Settings:
    """The settings of the account; the test is skipped where there is none."""
    if not os.environ.get("SNOWFLAKE_ACCOUNT"):
        pytest.skip("no Snowflake account: set SNOWFLAKE_ACCOUNT, SNOWFLAKE_USER and what logs in (docs/snowflake.md)")
    return load_settings(warehouse="snowflake")


def administer(settings: Settings, statement: str) -> None:
    """Run one statement with the role of a run, outside of any database."""
    with connected(settings, "ingest") as account:
        if role := settings.snowflake_role_of("ingest"):
            account.execute(f"USE ROLE {quoted(role)}")
        account.execute(statement)


@pytest.fixture
def database(live: Settings) -> Iterator[Callable[[str], Settings]]:
    """Settings of a new database for each name that is asked for; all are dropped when the test ends."""
    made: dict[str, Settings] = {}

    def make(name: str) -> Settings:
        if name not in made:
            own = f"{PREFIX}{uuid.uuid4().hex[:12].upper()}"
            administer(live, f"CREATE DATABASE {own} DATA_RETENTION_TIME_IN_DAYS = 0 COMMENT = 'hn-intelligence tests'")
            made[name] = live.model_copy(update={"snowflake_database": own, "environment": None})
        return made[name]

    try:
        yield make
    finally:
        for one in made.values():
            administer(live, f"DROP DATABASE IF EXISTS {one.snowflake_database}")


@pytest.fixture
def opens(database: Callable[[str], Settings]) -> Callable[..., Warehouse]:
    """How the conformance suite opens a warehouse; the engine is Cortex, whatever it is given."""

    def open_live(folder: Path, engine: Any = None, lock_wait: float = 5.0) -> Warehouse:
        settings = database(str(folder))
        return open_warehouse(settings.model_copy(update={"home": folder, "lock_wait": lock_wait}))

    return open_live


@pytest.fixture
def opens_new(opens: Callable[..., Warehouse]) -> Callable[..., Warehouse]:
    """The same: each database is new."""
    return opens


@pytest.fixture
def warehouse(opens: Callable[..., Warehouse], tmp_path: Path) -> Warehouse:
    """An empty warehouse of the account."""
    return opens(tmp_path)

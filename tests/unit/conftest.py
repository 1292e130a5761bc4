"""Settings of a home of the test's own, and its embedded warehouse."""

from __future__ import annotations

from pathlib import Path

import pytest

from hnintel.settings import Settings
from hnintel.warehouse import open_warehouse
from hnintel.warehouse.base import Warehouse


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings that write below a folder of the test's own."""
    return Settings(home=tmp_path)


@pytest.fixture
def warehouse(settings: Settings) -> Warehouse:
    """An embedded warehouse of the test's own."""
    return open_warehouse(settings)

"""Days to look at."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.partitions.days import Days


@pytest.fixture
def days(tmp_path: Path) -> Days:
    """An empty warehouse, and the sample as the source."""
    return Days(tmp_path)

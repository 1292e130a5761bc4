"""Days to look at."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.partitions.days import Days
from tests.warehouse.world import held


@pytest.fixture
def days(tmp_path: Path) -> Iterator[Days]:
    """An empty warehouse, which is held open, and the sample as the source."""
    found = Days(tmp_path)
    with held(tmp_path):
        yield found

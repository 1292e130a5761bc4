"""What an answer costs."""

from __future__ import annotations

import pytest

from hnintel.errors import WarehouseError
from hnintel.prices import credits


def test_what_runs_here_costs_nothing() -> None:
    assert credits("offline-1", 1_000_000, 1_000_000) == 0.0


def test_an_unknown_price_is_not_taken_for_none() -> None:
    with pytest.raises(WarehouseError, match="no price is known for the model 'mystery'"):
        credits("mystery", 0, 0)

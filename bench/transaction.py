"""What it costs to open the embedded file for a transaction: attached to an instance that stays, or by itself."""

from __future__ import annotations

import argparse
import platform
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from hnintel.settings import Settings
from hnintel.warehouse import open_warehouse
from hnintel.warehouse.duckdb.adapter import DuckDBWarehouse
from hnintel.warehouse.duckdb.turns import only_here

GOAL = 2.0


def main() -> int:
    """Print both, in milliseconds, and their ratio; 1 where the goal is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--transactions", type=int, default=200, help="of each kind, in turns of twenty (200)")
    arguments = parser.parse_args()
    print(
        f"{arguments.transactions} transactions of each kind; {platform.machine()}, Python {platform.python_version()}"
    )
    print(f"{'':>12}  {'by itself ms':>12}  {'attached ms':>12}  {'ratio':>6}")
    ratios = []
    with tempfile.TemporaryDirectory() as folder:
        warehouse = open_warehouse(Settings(home=Path(folder)))
        assert isinstance(warehouse, DuckDBWarehouse)
        _read(warehouse)  # makes the tables
        for name, transaction in (("that reads", _read), ("that writes", _write)):
            alone, attached = _measured(warehouse, transaction, arguments.transactions)
            ratios.append(alone / attached)
            print(f"{name:>12}  {alone:>12.1f}  {attached:>12.1f}  {ratios[-1]:>6.1f}")
    met = min(ratios) >= GOAL
    print(f"goal: attached, {GOAL:g} times as quick: {'met' if met else 'missed'}")
    return 0 if met else 1


def _measured(
    warehouse: DuckDBWarehouse, transaction: Callable[[DuckDBWarehouse], None], count: int
) -> tuple[float, float]:
    """Medians, in turns, since the machine may be slower now than then."""
    alone: list[float] = []
    attached: list[float] = []
    for _ in range(max(1, count // 20)):
        with only_here(warehouse.path, 0):  # as beside dbt: each transaction opens the file by itself
            alone += [_took(warehouse, transaction) for _ in range(20)]
        attached += [_took(warehouse, transaction) for _ in range(20)]
    return statistics.median(alone), statistics.median(attached)


def _took(warehouse: DuckDBWarehouse, transaction: Callable[[DuckDBWarehouse], None]) -> float:
    began = time.perf_counter()
    transaction(warehouse)
    return (time.perf_counter() - began) * 1000


def _read(warehouse: DuckDBWarehouse) -> None:
    with warehouse.transaction(stage="enrich") as session:
        session.execute("SELECT count(*) FROM raw.items")


def _write(warehouse: DuckDBWarehouse) -> None:
    with warehouse.transaction(stage="enrich") as session:
        session.execute("UPDATE ops.schema_versions SET version = version")


if __name__ == "__main__":
    sys.exit(main())

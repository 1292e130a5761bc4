"""What answers the embedded AI functions; ``open_engine`` turns its name into an Engine."""

from __future__ import annotations

from hnintel.warehouse.engines.base import Engine


def open_engine(name: str) -> Engine:
    """The engine of that name; settings hold the name to those there are."""
    from hnintel.warehouse.engines.offline import OfflineEngine

    return OfflineEngine()

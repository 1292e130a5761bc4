"""What answers the embedded AI functions; ``open_engine`` turns settings into an Engine."""

from __future__ import annotations

from hnintel.settings import Settings
from hnintel.warehouse.engines.base import Engine


def open_engine(settings: Settings) -> Engine:
    """The engine that the settings name.

    Raises:
        UsageError: it needs a setting that is not there.
    """
    if settings.engine == "openai":
        from hnintel.warehouse.engines.openai import OpenAIEngine

        return OpenAIEngine(settings)
    from hnintel.warehouse.engines.offline import OfflineEngine

    return OfflineEngine()

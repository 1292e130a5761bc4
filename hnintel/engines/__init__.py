"""The engines that answer the embedded AI functions; ``open_engine`` opens the engine of the settings."""

from __future__ import annotations

from hnintel.engines.base import Engine
from hnintel.settings import Settings


def open_engine(settings: Settings) -> Engine:
    """Open the engine that the settings name.

    Raises:
        UsageError: a setting that the engine needs is missing.
    """
    if settings.engine == "openai":
        from hnintel.engines.openai import OpenAIEngine

        return OpenAIEngine(settings)
    from hnintel.engines.offline import OfflineEngine

    return OfflineEngine()

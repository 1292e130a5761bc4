"""What answers the embedded AI functions; ``open_engine`` turns settings into an Engine."""

from __future__ import annotations

from hnintel.engines.base import Engine
from hnintel.settings import Settings


def open_engine(settings: Settings) -> Engine:
    """The engine that the settings name.

    Raises:
        UsageError: it needs a setting that is not there.
    """
    if settings.engine == "openai":
        from hnintel.engines.openai import OpenAIEngine

        return OpenAIEngine(settings)
    from hnintel.engines.offline import OfflineEngine

    return OfflineEngine()

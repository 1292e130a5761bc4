"""The deterministic engine that needs no key and no network: lexicons, TF-IDF and rules; its lists are in ``data``."""

from hnintel.engines.offline.engine import MODEL, OfflineEngine

__all__ = ["MODEL", "OfflineEngine"]

"""The deterministic engine that needs no key and no network: lexicons, TF-IDF and rules, kept in files beside it."""

from hnintel.engines.offline.engine import MODEL, OfflineEngine

__all__ = ["MODEL", "OfflineEngine"]

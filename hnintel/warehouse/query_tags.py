"""What is under way, told to whoever sends statements for it: by these tags a bill is led back to its run."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from datetime import date

from hnintel.snowflake_settings import Stage


@dataclass(frozen=True, slots=True)
class Tags:
    """Of a statement: what it is for. ``stage`` also says which Snowflake role and warehouse run it.

    The enricher is the one that may read every schema and write the ledger; who writes to ``raw`` says ``ingest``.
    """

    stage: Stage = "enrich"
    run: str | None = None
    day: date | None = None
    enrichment: str | None = None
    fingerprint: str | None = None


_current: ContextVar[Tags | None] = ContextVar("tags", default=None)
_UNTOLD = Tags()


def current() -> Tags:
    """The tags of what this thread is at."""
    return _current.get() or _UNTOLD


@contextmanager
def tagged(
    stage: Stage | None = None,
    run: str | None = None,
    day: date | None = None,
    enrichment: str | None = None,
    fingerprint: str | None = None,
) -> Iterator[None]:
    """Add to the tags for the length of the block; what is None stays as it was outside."""
    told = {"stage": stage, "run": run, "day": day, "enrichment": enrichment, "fingerprint": fingerprint}
    changed = replace(current(), **{name: value for name, value in told.items() if value is not None})  # type: ignore[arg-type]
    token = _current.set(changed)
    try:
        yield
    finally:
        _current.reset(token)

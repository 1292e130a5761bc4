"""What statements are sent for: the run, day and enrichment in their query tags, by which a bill is led to its run."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from datetime import date


@dataclass(frozen=True, slots=True)
class Tags:
    """What a statement is for. The stage is no part of it: each transaction names its own, for it decides the role."""

    run: str | None = None
    day: date | None = None
    enrichment: str | None = None
    fingerprint: str | None = None


_current: ContextVar[Tags] = ContextVar("tags", default=Tags())  # noqa: B039 - Tags are frozen


def current() -> Tags:
    """The tags of the statements that this thread sends now."""
    return _current.get()


@contextmanager
def tagged(
    *,
    run: str | None = None,
    day: date | None = None,
    enrichment: str | None = None,
    fingerprint: str | None = None,
) -> Iterator[None]:
    """Add to the tags for the length of the block; what is None stays as it was outside."""
    given = {"run": run, "day": day, "enrichment": enrichment, "fingerprint": fingerprint}
    # One dictionary holds a date and strings; mypy cannot match a name with the type of its value.
    changed = replace(current(), **{name: value for name, value in given.items() if value is not None})  # type: ignore[arg-type]
    token = _current.set(changed)
    try:
        yield
    finally:
        _current.reset(token)

"""Query tags: the run, day and enrichment that statements are sent for, which assign the bill to its run."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from datetime import date


@dataclass(frozen=True, slots=True)
class Tags:
    """The purpose of a statement, without its stage: each transaction names the stage, which decides the role."""

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
    """Add to the tags within the block; a tag given as None keeps its outer value."""
    given = {"run": run, "day": day, "enrichment": enrichment, "fingerprint": fingerprint}
    # One dictionary holds a date and strings; mypy cannot match a name with the type of its value.
    changed = replace(current(), **{name: value for name, value in given.items() if value is not None})  # type: ignore[arg-type]
    token = _current.set(changed)
    try:
        yield
    finally:
        _current.reset(token)

"""Where Hacker News is read from; ``open_source`` turns the words of a user into a Source."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from hnintel.errors import UsageError, first_line
from hnintel.settings import Settings
from hnintel.sources.base import Source

NAMES = ("sample", "replay:PATH", "live")


@lru_cache(maxsize=4)
def open_source(spec: str, settings: Settings) -> Source:
    """The source that *spec* names: ``sample``, ``live`` or ``replay:PATH[,PAGES]``; opened once in a process.

    Raises:
        UsageError: there is none of that name, or its path does not exist.
        SourceError: a file of it cannot be read.
    """
    name, _, rest = spec.partition(":")  # the first colon only: a Windows path has one of its own
    if name == "sample" and not rest:
        from hnintel.sources.sample import SampleSource

        return SampleSource()
    if name == "live" and not rest:
        from hnintel.sources.hacker_news import HackerNews

        return HackerNews(settings)
    if name == "replay" and rest:
        from hnintel.sources.replay import ReplaySource

        try:
            return ReplaySource(*_split(rest))
        except (OSError, RuntimeError, ValueError) as error:  # a name too long, a home that is nobody's
            raise UsageError(f"'{spec[:80]}' cannot be looked at: {first_line(error, 120)}") from None
    raise UsageError(f"'{spec}' is not a source: give one of {', '.join(NAMES)}")


def refuse_without_days(source: Source, spec: str, zone: str) -> None:
    """Raise UsageError where *source*, which *spec* names, is a dump that holds no day to run."""
    if source.newest_day(zone) is not None or source.name == "live":
        return
    from hnintel.sources.replay import ReplaySource

    notes = source.notes if isinstance(source, ReplaySource) else {}
    wrong = ", ".join(f"{what}: {count}" for what, count in sorted(notes.items()) if count)
    raise UsageError(
        f"{spec} holds no story with a time{f' ({wrong})' if wrong else ''}: there is no day to run, give another dump"
    )


def _split(rest: str) -> tuple[Path, Path | None]:
    """``PATH`` or ``PATH,PAGES``. A comma may be part of either: the longest PATH that exists is meant."""
    parts = rest.split(",")
    splits = [(",".join(parts[:end]), ",".join(parts[end:])) for end in range(len(parts), 0, -1)]
    # Where none exists, what is missing is told of the plain reading: up to the first comma.
    path, pages = next((split for split in splits if Path(split[0]).expanduser().exists()), splits[-1])
    return Path(path).expanduser(), Path(pages).expanduser() if pages else None

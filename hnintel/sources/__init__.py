"""Sources of Hacker News items; ``open_source`` opens the source that a user names."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from hnintel.errors import UsageError, first_line
from hnintel.settings import Settings
from hnintel.sources.base import Source

NAMES = ("sample", "replay:PATH", "live")


@lru_cache(maxsize=4)
def open_source(spec: str, settings: Settings) -> Source:
    """The source that *spec* names: ``sample``, ``live`` or ``replay:PATH[,PAGES]``; cached in the process.

    Raises:
        UsageError: no source has that name, or its path does not exist.
        SourceError: a file of the source cannot be read.
    """
    name, _, rest = spec.partition(":")  # only the first colon: a Windows path has another
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
        except (OSError, RuntimeError, ValueError) as error:  # a name too long, the home of an unknown user
            raise UsageError(f"'{spec[:80]}' cannot be opened: {first_line(error, 120)}") from None
    raise UsageError(f"'{spec}' is not a source: give one of {', '.join(NAMES)}")


def refuse_without_days(source: Source, spec: str, zone: str) -> None:
    """Raise UsageError if *source*, named by *spec*, is a dump without a day to run."""
    if source.newest_day(zone) is not None or source.name == "live":
        return
    from hnintel.sources.replay import ReplaySource

    notes = source.notes if isinstance(source, ReplaySource) else {}
    faults = ", ".join(f"{note}: {count}" for note, count in sorted(notes.items()) if count)
    raise UsageError(
        f"{spec} holds no story with a time{f' ({faults})' if faults else ''}: there is no day to run; give another"
    )


def _split(rest: str) -> tuple[Path, Path | None]:
    """``PATH`` or ``PATH,PAGES``. Either may contain commas: the longest existing PATH wins."""
    parts = rest.split(",")
    splits = [(",".join(parts[:end]), ",".join(parts[end:])) for end in range(len(parts), 0, -1)]
    # If no PATH exists, the error names the text up to the first comma.
    path, pages = next((split for split in splits if Path(split[0]).expanduser().exists()), splits[-1])
    return Path(path).expanduser(), Path(pages).expanduser() if pages else None

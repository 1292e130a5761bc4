"""The bundled sample: three invented days of Hacker News with their pages, for runs without a network."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date
from functools import cached_property
from pathlib import Path

import httpx

from hnintel import sample
from hnintel.sources.base import Listing, Prove, Reading
from hnintel.sources.memory import ItemStore
from hnintel.sources.page_files import PageFiles
from hnintel.window import Window

_FOLDER = Path(sample.__file__).parent


class SampleSource:
    """Every folder of ``hnintel/sample`` is a day: ``items.ndjson``, ``nulls.json``, ``pages.json``, ``pages/``."""

    name = "sample"
    lists_gone = True

    def __init__(self, folder: Path = _FOLDER) -> None:
        self._days = sorted(path for path in folder.iterdir() if (path / "items.ndjson").is_file())

    @cached_property
    def identity(self) -> str:
        """The sizes of the files: the sample changes only with the code."""
        return "sample-" + "-".join(str((day / "items.ndjson").stat().st_size) for day in self._days)

    @cached_property
    def _store(self) -> ItemStore:
        store = ItemStore()
        for day in self._days:
            store.add(json.loads(line) for line in (day / "items.ndjson").read_text(encoding="utf-8").splitlines())
            for item_id in json.loads((day / "nulls.json").read_text(encoding="utf-8")):
                store.add_null(item_id, date.fromisoformat(day.name))
        return store

    def newest_day(self, zone: str) -> date | None:
        """The last of the bundled days."""
        return self._store.newest_day(zone)

    def days(self, zone: str) -> list[date]:
        """The bundled days."""
        return self._store.days(zone)

    async def list_day(self, window: Window, prove: Prove = "sample") -> Listing:
        """The sample's stories of the window."""
        return self._store.list_day(window)

    async def moving(self) -> frozenset[int]:
        """Empty: the sample never changes."""
        return frozenset()

    async def read(self, ids: Sequence[int]) -> list[Reading]:
        """Read items from memory."""
        return self._store.read(ids)

    def pages(self) -> httpx.AsyncBaseTransport | None:
        """The bundled pages."""
        return PageFiles(self._days)

"""What the server has to show: items, and pages by host name; from real recordings or as a test gives them."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

#: A stretch of real ids: nearly three thousand, every one of them, from half a day in April 2025.
REAL_STRETCH = "hn_firebase/items_below_43730300.ndjson.gz"


@dataclass(frozen=True)
class Page:
    """What a URL answers."""

    body: bytes = b""
    content_type: str = "text/html; charset=utf-8"
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass
class World:
    """Items by id (None: answered by null) and pages by ``host/path``; a test may change both while it is served."""

    items: dict[int, dict[str, Any] | None] = field(default_factory=dict)
    pages: dict[str, Page] = field(default_factory=dict)
    max_id: int | None = None
    #: Ids that Algolia's index lacks although they are live: it stands still, or has holes.
    not_indexed: set[int] = field(default_factory=set)

    @classmethod
    def of(cls, items: Iterable[dict[str, Any]], pages: Mapping[str, Page] | None = None) -> World:
        """A world of these raw items."""
        return cls({raw["id"]: raw for raw in items}, dict(pages or {}))

    @property
    def newest(self) -> int:
        """The largest id there is."""
        return self.max_id or max(self.items, default=1)


def real_stretch(test_data: Path) -> list[dict[str, Any]]:
    """Every item of a real stretch of ids, from the folder of real material: stories, comments, a job, the dead."""
    with gzip.open(test_data / REAL_STRETCH, "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def day_of_stories(count: int, start: int, seconds: int = 86_400, first_id: int = 40_000_000) -> list[dict[str, Any]]:
    """*count* live stories, evenly over *seconds* from *start* (epoch), for volume: what they say is no matter."""
    return [
        {
            "by": f"author{number % 97}",
            "descendants": 0,
            "id": first_id + number * 10,
            "score": number % 15 + 1,
            "time": start + number * seconds // count,
            "title": f"Story number {number} of the day",
            "type": "story",
            "url": f"http://site{number % 400}.example/page/{number}",
        }
        for number in range(count)
    ]

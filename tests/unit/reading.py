"""A source of given items, and the steps of a run over it, for the tests of reading and loading."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any

from hnintel.ingest import loading, scraping
from hnintel.ingest.comment_tree import Place
from hnintel.ingest.loading import Loaded
from hnintel.ingest.scraping import Scraped
from hnintel.settings import Settings
from hnintel.sources.base import Reading
from hnintel.sources.memory import ItemStore
from hnintel.warehouse.base import Warehouse

DAY = date(2025, 4, 18)
NOW = datetime(2025, 4, 19, 6)


class Items:
    """A source of the items it is given; an id that is given an exception fails with it."""

    name = "live"
    identity = "items"

    def __init__(self, *raws: dict[str, Any], failing: Sequence[int] = ()) -> None:
        self._store = ItemStore()
        self._store.add(raws)
        self._failing = set(failing)
        self.reads: list[list[int]] = []

    async def read(self, ids: Sequence[int]) -> list[Reading]:
        self.reads.append(list(ids))
        answers = self._store.read(ids)
        return [Reading(one.id, "failed", reason="away") if one.id in self._failing else one for one in answers]


def story(item_id: int = 1, **more: Any) -> dict[str, Any]:
    """A live story worth its comments."""
    standing = {"by": "someone", "time": 1_744_978_919, "title": "A title", "score": 50, "descendants": 0}
    return {"id": item_id, "type": "story", **standing, **more}


def comment(item_id: int, parent: int, *kids: int, **more: Any) -> dict[str, Any]:
    """A live comment."""
    standing = {"by": "someone", "time": 1_744_978_920, "text": f"Comment {item_id}"}
    return {"id": item_id, "type": "comment", "parent": parent, "kids": list(kids), **standing, **more}


def scrape(source: Items, ids: Sequence[int], settings: Settings, held: Sequence[Place] = ()) -> Scraped:
    """Read *ids* and what hangs on them."""
    return asyncio.run(scraping.scrape(source, ids, DAY, settings, held))  # type: ignore[arg-type]  # it only reads


def load(warehouse: Warehouse, scraped: Scraped, now: datetime = NOW) -> Loaded:
    """Load what was read, at *now*."""
    with warehouse.transaction(stage="enrich") as session:
        return loading.load(session, scraped, DAY, "a-run", now)


def take(warehouse: Warehouse, settings: Settings, *raws: dict[str, Any], later: int = 0) -> Loaded:
    """Read and load everything given that is no comment, as a run does that many hours later."""
    ids = [raw["id"] for raw in raws if raw.get("type") not in ("comment", "pollopt")]
    with warehouse.transaction(stage="enrich") as session:
        held = loading.stored_comments(session, ids)
    return load(warehouse, scrape(Items(*raws), ids, settings, held), NOW + timedelta(hours=later))


def rows(warehouse: Warehouse, sql: str) -> list[tuple[Any, ...]]:
    """What a query gives, in a transaction of its own."""
    with warehouse.transaction(stage="enrich") as session:
        return session.execute(sql)


#: A story with two answers, one of which goes three deep.
THREAD = [
    story(1, kids=[10, 20]),
    comment(10, 1, 11, 12),
    comment(11, 10, 13),
    comment(12, 10),
    comment(13, 11),
    comment(20, 1, 21),
    comment(21, 20),
]

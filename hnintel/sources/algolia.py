"""Listing a day through Algolia's search, in slices of ``created_at_i`` that stay under its cap."""

from __future__ import annotations

from collections import Counter
from typing import Any

from hnintel.errors import SourceError, Unreachable
from hnintel.sources.base import Listing
from hnintel.sources.json_http import JsonClient
from hnintel.window import Window

#: A search gives at most this many hits, and past that none at all; a slice that meets it is halved.
HITS_CAP = 1000
_TAGS = "(story,poll,job)"


async def list_window(client: JsonClient, url: str, window: Window) -> Listing:
    """Everything that Algolia at *url* has indexed of the window: what was live when it looked.

    Raises:
        Unreachable: it does not answer, or a single second holds more than its cap.
        SourceError: it answers something other than hits.
    """
    ids: set[int] = set()
    notes: Counter[str] = Counter()
    slices = [(window.start_epoch, window.end_epoch)]
    while slices:
        start, end = slices.pop()
        if end <= start:
            continue
        hits, total = await _search(client, url, start, end)
        whole = len(hits) >= total and total < HITS_CAP
        if not whole and end - start > 1:
            middle = (start + end) // 2
            slices += [(start, middle), (middle, end)]
            continue
        if total >= HITS_CAP:
            raise Unreachable(f"Algolia has {total} hits in the one second {start}, more than it gives")
        notes["hits that Algolia counts and does not give"] += max(total - len(hits), 0)
        found = [_id_of(hit) for hit in hits]
        notes["hits without an id"] += found.count(None)
        ids |= {one for one in found if one is not None}
    return Listing(tuple(sorted(ids)), +notes)


async def _search(client: JsonClient, url: str, start: int, end: int) -> tuple[list[Any], int]:
    """The hits of one slice, and how many there are in all (an estimate on a large index, so hits are counted too)."""
    answer = await client.get(
        f"{url}/search_by_date",
        {
            "tags": _TAGS,
            "numericFilters": f"created_at_i>={start},created_at_i<{end}",
            "hitsPerPage": HITS_CAP,
            "attributesToRetrieve": "objectID",
            "attributesToHighlight": "",
        },
    )
    hits, total = (answer.get("hits"), answer.get("nbHits")) if isinstance(answer, dict) else (None, None)
    if not isinstance(hits, list) or not isinstance(total, int):
        raise SourceError(f"{url} answered no list of hits; see HNINTEL_ALGOLIA_URL")
    past_the_cap = not hits and "message" in answer  # "you can only fetch the 1000 hits": none, and a count of 0
    return hits, HITS_CAP if past_the_cap else max(total, len(hits))


def _id_of(hit: object) -> int | None:
    """The item a hit is of; old answers and new ones agree on ``objectID``, as text."""
    name = str(hit.get("objectID", "")) if isinstance(hit, dict) else ""
    return int(name) if name.isascii() and name.isdigit() and len(name) < 19 and int(name) > 0 else None

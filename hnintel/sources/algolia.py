"""Lists a day through Algolia's search, in slices of ``created_at_i`` below its cap of hits."""

from __future__ import annotations

from collections import Counter
from typing import Any

from hnintel.errors import SourceError, Unreachable
from hnintel.sources.base import Listing
from hnintel.sources.json_http import JsonClient
from hnintel.window import Window

#: A search returns at most this many hits, and none past them; a slice that reaches the cap is halved.
HITS_CAP = 1000
_TAGS = "(story,poll,job)"


async def list_window(client: JsonClient, url: str, window: Window) -> Listing:
    """All items of the window that Algolia at *url* has indexed: those that were live when it indexed them.

    Raises:
        Unreachable: Algolia does not answer, or a single second has more hits than the cap.
        SourceError: the answer is not a list of hits.
    """
    ids: set[int] = set()
    notes: Counter[str] = Counter()
    slices = [(window.start_epoch, window.end_epoch)]
    while slices:
        start, end = slices.pop()
        if end <= start:
            continue
        hits, total = await _search(client, url, start, end)
        is_complete = len(hits) >= total and total < HITS_CAP
        if not is_complete and end - start > 1:
            middle = (start + end) // 2
            slices += [(start, middle), (middle, end)]
            continue
        if total >= HITS_CAP:
            raise Unreachable(f"Algolia has {total} hits in the second {start}, more than its cap")
        notes["hits that Algolia counts and does not give"] += max(total - len(hits), 0)
        hit_ids = [_id_of(hit) for hit in hits]
        notes["hits without an id"] += hit_ids.count(None)
        ids |= {item_id for item_id in hit_ids if item_id is not None}
    return Listing(tuple(sorted(ids)), +notes)


async def _search(client: JsonClient, url: str, start: int, end: int) -> tuple[list[Any], int]:
    """The hits of one slice, and their total (an estimate on a large index, so at least the hits returned)."""
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
    past_the_cap = not hits and "message" in answer  # "you can only fetch the 1000 hits", with no hits and a count of 0
    return hits, HITS_CAP if past_the_cap else max(total, len(hits))


def _id_of(hit: object) -> int | None:
    """The item id of a hit, from ``objectID``, a text in old and new answers; None if it is not an id."""
    name = str(hit.get("objectID", "")) if isinstance(hit, dict) else ""
    return int(name) if name.isascii() and name.isdigit() and len(name) < 19 and int(name) > 0 else None

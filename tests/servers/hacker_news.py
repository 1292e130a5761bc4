"""The two interfaces of Hacker News over a World: Firebase's items, and Algolia's search with its cap."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Literal

from tests.servers.material import World

CAP = 1000
Shape = Literal["old", "new"]
_PAST_THE_CAP = "you can only fetch the 1000 hits for this query, contact us to increase the limit"


def firebase(world: World, path: str) -> Any:
    """What ``/v0/...`` answers: the item, the largest id, what changed of late; null for what there is not."""
    if path == "/maxitem.json":
        return world.newest
    if path == "/updates.json":
        return {"items": sorted(world.items)[-30:], "profiles": []}
    if path == "/topstories.json":
        stories = [raw for raw in world.items.values() if raw and _is_indexed(raw)]
        return [raw["id"] for raw in sorted(stories, key=lambda raw: -raw.get("score", 0))][:500]
    found = re.fullmatch(r"/item/(\d+)\.json", path)
    return world.items.get(int(found[1])) if found else None


def algolia(world: World, params: Mapping[str, str], shape: Shape = "new") -> dict[str, Any]:
    """What ``search_by_date`` answers: newest first, at most 1,000 hits in all, and none past them.

    Its index holds what is live: the dead and the deleted are taken out.
    """
    low, high = _bounds(params.get("numericFilters", ""))
    tags = set(re.findall(r"\w+", params.get("tags", "")))
    found = [
        raw
        for raw in world.items.values()
        if raw
        and raw["id"] not in world.not_indexed
        and _is_indexed(raw)
        and low <= raw["time"] <= high
        and (not tags or raw["type"] in tags)
    ]
    found.sort(key=lambda raw: (-raw["time"], -raw["id"]))
    size, page = min(int(params.get("hitsPerPage", 20)), CAP), int(params.get("page", 0))
    answer: dict[str, Any] = {"page": page, "hitsPerPage": size, "query": "", "exhaustiveNbHits": True}
    if page * size >= CAP:
        return {**answer, "hits": [], "nbHits": 0, "nbPages": 0, "message": _PAST_THE_CAP}
    shown = found[page * size : min((page + 1) * size, CAP)]
    pages = min(-(-len(found) // size), CAP // size)
    return {**answer, "hits": [_hit(raw, shape) for raw in shown], "nbHits": len(found), "nbPages": pages}


def _is_indexed(raw: Mapping[str, Any]) -> bool:
    return (
        raw.get("type") in ("story", "job", "poll", "comment")
        and isinstance(raw.get("time"), int)
        and not raw.get("dead")
        and not raw.get("deleted")
    )


def _bounds(filters: str) -> tuple[int, int]:
    """The closed range of ``created_at_i`` that all filters together leave."""
    low, high = 0, 2**62
    for operator, value in re.findall(r"created_at_i\s*(>=|<=|>|<|=)\s*(\d+)", filters):
        number = int(value)
        if operator in (">=", "=", ">"):
            low = max(low, number + (operator == ">"))
        if operator in ("<=", "=", "<"):
            high = min(high, number - (operator == "<"))
    return low, high


def _hit(raw: Mapping[str, Any], shape: Shape) -> dict[str, Any]:
    """A hit as of 2014, with explicit nulls, or as now, where what is absent has no key."""
    created_at = f"{datetime.fromtimestamp(raw['time'], UTC):%Y-%m-%dT%H:%M:%S}"
    everything = {
        "created_at": f"{created_at}.000Z" if shape == "old" else f"{created_at}Z",
        "title": raw.get("title"),
        "url": raw.get("url"),
        "author": raw.get("by"),
        "points": raw.get("score"),
        "story_text": raw.get("text"),
        "comment_text": None,
        "num_comments": raw.get("descendants"),
        "parent_id": raw.get("parent"),
        "created_at_i": raw["time"],
        "_tags": [raw["type"], f"author_{raw.get('by')}", f"story_{raw['id']}"],
        "objectID": str(raw["id"]),
    }
    if shape == "old":
        return {**everything, "story_id": None, "story_title": None, "story_url": None}
    present = {key: value for key, value in everything.items() if value is not None}
    return {**present, "story_id": raw["id"], "children": raw.get("kids", []), "updated_at": everything["created_at"]}

"""What an enrichment can be asked about in a test, whatever its input is: items worth it, and words for them to say."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from typing import Any

from hnintel.enrich.declaration import Enrichment
from hnintel.ingest import loading, scraping
from hnintel.models import Comment, Item
from tests.warehouse.world import DAY, NOW, Asking, fetch, load, story

_SAID = (
    "I agree, the storage engine is a good piece of work and the release went well.",
    "The storage engine of that release is fast, and I have seen no data lost.",
    "I don't think the storage engine is ready: the release has no tests of its own.",
)


def candidate(item_id: int, **changed: Any) -> Item:
    """A story, a job or a poll, of a score and with a discussion that make it worth asking about."""
    kind = {0: "story", 1: "story", 2: "job", 3: "poll"}[item_id % 4]
    return story(item_id, **{"type": kind, "score": 500, "descendants": 200, **changed})


def load_worthy(asking: Asking, enrichment: Enrichment, most: int = 8) -> list[int]:
    """Load candidates, with what is said below them, and give the ids of those that the enrichment is meant for."""
    load(asking.warehouse, [candidate(number) for number in range(1, most + 1)])
    found = fetch(asking.warehouse, f"SELECT id FROM raw.items WHERE {enrichment.where} ORDER BY id")
    assert len(found) > 1, f"no candidate is one that {enrichment.name} asks about: {enrichment.where}; add one here"
    ids = [row[0] for row in found]
    load_comments(asking, [one for item_id in ids for one in comments_below(item_id)])
    return ids


def comments_below(item_id: int, *more: str) -> list[Comment]:
    """What is said below an item, and *more*; a comment has the number of its place below the item."""
    said = (f"About number {item_id}: what do the rest of you think of it?", *_SAID, *more)
    return [
        Comment(id=item_id * 1_000 + place, story_id=item_id, parent=item_id, depth=1, status="ok", text=text)
        for place, text in enumerate(said)
    ]


def load_comments(asking: Asking, comments: Iterable[Comment]) -> None:
    """Load comments as a scraping task does."""
    with asking.warehouse.transaction(stage="enrich") as session:
        scraped = scraping.Scraped(items=[], comments=list(comments))
        loading.load(session, scraped, DAY, "loading", NOW + timedelta(hours=1))


def say(asking: Asking, enrichment: Enrichment, texts: dict[int, str]) -> None:
    """Have items say something: an item its text, where that is what is asked about, else a comment below it."""
    if enrichment.input.many:
        there = {row[0] for row in fetch(asking.warehouse, "SELECT id FROM raw.items")}
        load(asking.warehouse, [candidate(item_id) for item_id in texts if item_id not in there])
        load_comments(asking, [one for item_id, text in texts.items() for one in comments_below(item_id, text)])
    else:
        load(
            asking.warehouse, [candidate(item_id).model_copy(update={"text": text}) for item_id, text in texts.items()]
        )


def say_alike(asking: Asking, ids: Iterable[int], text: str, day: date = DAY) -> None:
    """Have items of a day say the very same, to the letter, in themselves and below."""
    said = [candidate(number, title="A database, submitted again", text=text) for number in ids]
    load(asking.warehouse, [one.model_copy(update={"day": day}) for one in said])
    below = [Comment(id=n * 1_000, story_id=n, parent=n, depth=1, status="ok", text=f"{text} It works.") for n in ids]
    load_comments(asking, below)


def worthy(ids: list[int], count: int) -> list[int]:
    """Numbers for so many more items of the kind that the first of *ids* is."""
    return [4 * number + ids[0] for number in range(100, 100 + count)]

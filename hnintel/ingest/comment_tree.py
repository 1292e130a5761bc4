"""Selects the comments to read below stories, level by level, up to a maximum depth and number."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from hnintel.models import FirebaseItem
from hnintel.settings import Settings


@dataclass(frozen=True, slots=True)
class Place:
    """A comment's position: its story, its depth (1: a direct answer to the story) and its parent item.

    ``parent`` is None if the position was not reached through the parent; the key does not contain it.
    """

    id: int
    story_id: int
    depth: int
    parent: int | None = None

    @property
    def key(self) -> str:
        """The position as a dead letter's key, enough to read the comment again."""
        return f"{self.story_id}/{self.depth}/{self.id}"

    @classmethod
    def of(cls, key: str) -> Place:
        """Parse a key."""
        story_id, depth, comment_id = map(int, key.split("/"))
        return cls(comment_id, story_id, depth)


class Tree:
    """Walks the comment trees of a chunk of stories breadth first, so that each level is a single read.

    ``kids`` are in the order of Hacker News' page, best first. A deleted, dead or null comment counts towards the
    maximum like any other, and its answers are walked too.
    """

    def __init__(self, stories: Iterable[FirebaseItem], settings: Settings) -> None:
        self._depth = settings.comments_depth
        worth = [story for story in stories if story.status == "ok" and _is_worth_it(story, settings)]
        self._left = {story.id: settings.comments_per_story for story in worth}
        self._next = [Place(kid, story.id, 1, story.id) for story in worth for kid in story.kids]
        self._seen: set[int] = set()

    def level(self) -> list[Place]:
        """The comments of the next level, without those returned before; empty when the walk is over."""
        level: list[Place] = []
        for place in self._next:
            if place.depth <= self._depth and self._left[place.story_id] > 0 and place.id not in self._seen:
                self._seen.add(place.id)
                self._left[place.story_id] -= 1
                level.append(place)
        self._next = []
        return level

    def answers(self, place: Place, comment: FirebaseItem) -> None:
        """Queue the answers to a comment that was read."""
        self._next += [Place(kid, place.story_id, place.depth + 1, place.id) for kid in comment.kids]

    def not_met(self, stored: Sequence[Place]) -> list[Place]:
        """The stored comments that this walk did not reach.

        They are read again too: a comment that was deleted, or whose story was, is no longer among any ``kids``.
        """
        return [place for place in stored if place.id not in self._seen]


def _is_worth_it(story: FirebaseItem, settings: Settings) -> bool:
    return (story.score or 0) >= settings.comments_min_score

"""The comments below stories: which ids are read, level by level, down to a set depth and number."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from hnintel.models import FirebaseItem
from hnintel.settings import Settings


@dataclass(frozen=True, slots=True)
class Place:
    """Where a comment hangs: below which story, how deep (1: an answer to the story itself), and below which item.

    ``parent`` is None where the place was not come by through its parent; it is no part of the key.
    """

    id: int
    story_id: int
    depth: int
    parent: int | None = None

    @property
    def key(self) -> str:
        """The place as a dead letter's key: all that is needed to read the comment again."""
        return f"{self.story_id}/{self.depth}/{self.id}"

    @classmethod
    def of(cls, key: str) -> Place:
        """The place that a key names."""
        story_id, depth, comment_id = map(int, key.split("/"))
        return cls(comment_id, story_id, depth)


class Tree:
    """Walks the trees below a chunk of stories breadth first, best first, so that a level is one read for all of them.

    Hacker News orders ``kids`` as its page does, so the first are the best. A comment that is deleted, dead or null
    takes its place in the count like any other, and what hangs below it is walked all the same.
    """

    def __init__(self, stories: Iterable[FirebaseItem], settings: Settings) -> None:
        self._depth = settings.comments_depth
        worth = [story for story in stories if story.status == "ok" and _is_worth_it(story, settings)]
        self._left = {story.id: settings.comments_per_story for story in worth}
        self._next = [Place(kid, story.id, 1, story.id) for story in worth for kid in story.kids]
        self._seen: set[int] = set()

    def level(self) -> list[Place]:
        """The next level's comments, none that was given before; empty when the walk is over."""
        wanted: list[Place] = []
        for place in self._next:
            if place.depth <= self._depth and self._left[place.story_id] > 0 and place.id not in self._seen:
                self._seen.add(place.id)
                self._left[place.story_id] -= 1
                wanted.append(place)
        self._next = []
        return wanted

    def answers(self, place: Place, found: FirebaseItem) -> None:
        """Note what hangs below a comment that was read."""
        self._next += [Place(kid, place.story_id, place.depth + 1, place.id) for kid in found.kids]

    def not_met(self, held: Sequence[Place]) -> list[Place]:
        """Of the comments held from earlier readings, those that this walk did not come by.

        They are read again too: one that was deleted, or whose story was, is nowhere among the ``kids`` any more.
        """
        return [place for place in held if place.id not in self._seen]


def _is_worth_it(story: FirebaseItem, settings: Settings) -> bool:
    return (story.score or 0) >= settings.comments_min_score

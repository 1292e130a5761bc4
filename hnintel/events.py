"""The events that are published: name, resource, payload, and the pattern that identifies a fact.

Receivers may rely on the schema (docs/reference/events.md): without a new ``version``, fields are only added, never
removed or changed. An event may arrive twice, with the same id; receivers must be idempotent.
"""

from __future__ import annotations

import uuid
from datetime import date
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict

#: What continues after a fact: the run that publishes it, or the receiver of the event.
ContinueBy = Literal["parent", "event"]

_ANGLES = str.maketrans("<>", "‹›")


def _inert(text: str) -> str:
    """*text* without markup and control characters: it may quote a path, and ``<!channel>`` notifies all of Slack."""
    shown = (" " if letter.isspace() else letter for letter in text if letter.isspace() or letter.isprintable())
    return "".join(shown).translate(_ANGLES)


#: Text that is sent to people unchanged. Fields for machines, such as ``source``, are not filtered.
ForPeople = Annotated[str, AfterValidator(_inert)]

_IDS = uuid.UUID("6f3a1c52-57b6-4f0e-9d2c-6a0f4be1c9d7")


class Event(BaseModel):
    """A fact, as a payload of plain values.

    A subclass sets, as class arguments, the event's name, the patterns of the resource's id and of the fact, both
    filled in from the payload, and whether a person emits it besides the pipeline.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: ClassVar[str]
    resource: ClassVar[str]
    fact: ClassVar[str]
    by_hand: ClassVar[bool]

    #: The version of the payload's schema.
    version: Literal[1] = 1

    def __init_subclass__(cls, *, name: str, resource: str, fact: str, by_hand: bool = False) -> None:
        super().__init_subclass__()
        cls.name, cls.resource, cls.fact, cls.by_hand = name, resource, fact, by_hand
        EVENTS[name] = cls

    @property
    def id(self) -> uuid.UUID:
        """The id: equal for equal facts, whichever run publishes them, and however often."""
        return uuid.uuid5(_IDS, f"{self.name}/{self.version}/{self.fact.format(**self.payload)}")

    @property
    def resource_id(self) -> str:
        """The id of the event's resource."""
        return self.resource.format(**self.payload)

    @property
    def payload(self) -> dict[str, Any]:
        """The fields as JSON values."""
        return self.model_dump(mode="json")


#: All events by name, in the order of declaration.
EVENTS: dict[str, type[Event]] = {}


class ItemsLanded(Event, name="hn.items.landed", resource="hn.day.{day}", fact="{day}/{state}"):
    """The items of a day and their articles were read and are in the warehouse."""

    day: date
    source: str
    items: int
    #: Changes when the day is read again.
    state: str
    continue_by: ContinueBy


class DayEnriched(Event, name="hn.day.enriched", resource="hn.day.{day}", fact="{day}/{state}"):
    """All enrichments of a day are done, according to the ledger; a partly enriched day is never published."""

    day: date
    source: str
    enrichments: int
    #: Changes when an enrichment is run again, or the day is read again.
    state: str
    continue_by: ContinueBy


class DayPublished(Event, name="hn.day.published", resource="hn.day.{day}", fact="{day}/{state}"):
    """The page of a day is written: the end of the pipeline, by which freshness is measured."""

    day: date
    run_id: str
    #: Changes when the page is written again.
    state: str
    #: Whether the day was yesterday and was read after its end: an older day, or a day not yet over, is not fresh.
    recent: bool


class DayRequested(
    Event, name="hn.day.requested", resource="hn.day.{day}", fact="{day}/{source}/{version_of}", by_hand=True
):
    """A person, or the poller after a dump arrived, requests a run of a day."""

    day: date
    source: str | None = None
    #: The state of the dump that arrived; empty if a person requests the day.
    version_of: str = ""


class StoriesChanged(Event, name="hn.stories.changed", resource="hn.source.live", fact="{after}/{newest}/{changed}"):
    """Hacker News has new or changed items since the last poll."""

    after: int
    newest: int
    changed: int


class StoryTrending(Event, name="hn.story.trending", resource="hn.story.{story_id}", fact="{story_id}"):
    """A story gains points faster than the set pace; published once for each story."""

    story_id: int
    score: int
    comments: int
    points_per_hour: float


class RunFailed(Event, name="hn.run.failed", resource="hn.flow.{flow}", fact="{run_id}"):
    """A run failed."""

    flow: str
    run_id: str
    day: date | None = None
    #: The name of Prefect's state: ``Failed``, ``TimedOut``, ``Crashed``.
    state: str
    #: The class of the error.
    error: ForPeople
    #: The error's message, if it may be shown to users. For people: ‹ and › replace the characters that mark links and
    #: calls to everybody in a chat, and control characters are removed.
    told: ForPeople = ""
    #: Whether it failed only because of runs that it started, which have published their failures.
    told_before: bool = False


class BudgetReached(Event, name="hn.budget.reached", resource="hn.flow.{flow}", fact="{run_id}"):
    """A run stopped before a question that may exceed a budget."""

    flow: str
    run_id: str
    day: date | None = None
    #: For people, as in ``hn.run.failed``.
    told: ForPeople = ""


class LettersGivenUp(Event, name="hn.dead_letters.given_up", resource="hn.dead-letters", fact="{given_up}/{newest}"):
    """Dead letters have used up their attempts, and now wait for a person."""

    given_up: int
    #: Seconds since 1970 of the last attempt among them.
    newest: int


class CheckFailed(Event, name="hn.check.failed", resource="hn.check.{check}", fact="{run_id}/{day}/{check}"):
    """A check of a day's data failed; drift is such a check."""

    day: date
    run_id: str
    check: str
    blocking: bool
    #: For people, as in ``hn.run.failed``.
    detail: ForPeople

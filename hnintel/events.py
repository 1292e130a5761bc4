"""Every event that is announced: its name, the resource it is about, its payload, and what makes it one fact.

Receivers may rely on the schema (docs/reference/events.md): fields are added, never taken away or turned into something
else, without a new ``version``. An event may come twice, with the same id; receivers are safe to run twice.
"""

from __future__ import annotations

import uuid
from datetime import date
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict

#: Who goes on after a fact: the run that announces it does, or whoever is told of it should.
ContinueBy = Literal["parent", "event"]

_ANGLES = str.maketrans("<>", "‹›")


def _inert(text: str) -> str:
    """*text* as a chat shows it and nothing else: it may quote a path, and in Slack ``<!channel>`` calls everybody."""
    shown = (" " if letter.isspace() else letter for letter in text if letter.isspace() or letter.isprintable())
    return "".join(shown).translate(_ANGLES)


#: Text that is sent to people as it is. What a machine goes by, such as ``source``, stays as it was given.
ForPeople = Annotated[str, AfterValidator(_inert)]

_IDS = uuid.UUID("6f3a1c52-57b6-4f0e-9d2c-6a0f4be1c9d7")


class Event(BaseModel):
    """A fact, as a payload of plain values.

    A subclass gives, in its class arguments, the event's name, the pattern of its resource's id and the pattern of the
    fact, both filled in from the payload, and who emits it: the pipeline, or a person.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: ClassVar[str]
    resource: ClassVar[str]
    fact: ClassVar[str]
    by_hand: ClassVar[bool]

    #: Of the payload's schema.
    version: Literal[1] = 1

    def __init_subclass__(cls, *, name: str, resource: str, fact: str, by_hand: bool = False) -> None:
        super().__init_subclass__()
        cls.name, cls.resource, cls.fact, cls.by_hand = name, resource, fact, by_hand
        EVENTS[name] = cls

    @property
    def id(self) -> uuid.UUID:
        """The same for the same fact, whoever announces it, and however often."""
        return uuid.uuid5(_IDS, f"{self.name}/{self.version}/{self.fact.format(**self.payload)}")

    @property
    def resource_id(self) -> str:
        """Of what it is about."""
        return self.resource.format(**self.payload)

    @property
    def payload(self) -> dict[str, Any]:
        """Its fields as JSON has them."""
        return self.model_dump(mode="json")


#: By name, in the order of declaration.
EVENTS: dict[str, type[Event]] = {}


class ItemsLanded(Event, name="hn.items.landed", resource="hn.day.{day}", fact="{day}/{state}"):
    """The items of a day and their articles were read, and are in the warehouse."""

    day: date
    source: str
    items: int
    #: Changes when the day was read again.
    state: str
    continue_by: ContinueBy


class DayEnriched(Event, name="hn.day.enriched", resource="hn.day.{day}", fact="{day}/{state}"):
    """Every enrichment of a day is in: by the ledger, so that no half of a day is announced."""

    day: date
    source: str
    enrichments: int
    #: Changes when one of them was run again, or the day was read again.
    state: str
    continue_by: ContinueBy


class DayPublished(Event, name="hn.day.published", resource="hn.day.{day}", fact="{day}/{state}"):
    """The page of a day is written: the end of the pipeline, which freshness is measured by."""

    day: date
    run_id: str
    #: Changes when it was written again.
    state: str
    #: Whether the day was yesterday, and read when it was over: an old one, or a day that goes on, makes nothing fresh.
    recent: bool


class DayRequested(
    Event, name="hn.day.requested", resource="hn.day.{day}", fact="{day}/{source}/{version_of}", by_hand=True
):
    """Somebody, or the poller that saw a dump arrive, wants a day run."""

    day: date
    source: str | None = None
    #: What is new about it: the state of the dump that was dropped; empty from a person.
    version_of: str = ""


class StoriesChanged(Event, name="hn.stories.changed", resource="hn.source.live", fact="{after}/{newest}/{changed}"):
    """Hacker News has items that it had not at the last poll, or has changed some."""

    after: int
    newest: int
    changed: int


class StoryTrending(Event, name="hn.story.trending", resource="hn.story.{story_id}", fact="{story_id}"):
    """A story gathers points faster than the set pace; told once of each story."""

    story_id: int
    score: int
    comments: int
    points_per_hour: float


class RunFailed(Event, name="hn.run.failed", resource="hn.flow.{flow}", fact="{run_id}"):
    """A run ended without what it was for."""

    flow: str
    run_id: str
    day: date | None = None
    #: As Prefect has it: ``Failed``, ``TimedOut``, ``Crashed``.
    state: str
    #: The class of the error.
    error: ForPeople
    #: Its line, where it is one that is told to users. For people: with ‹ and › in place of what a chat would take for
    #: a link or a call to everybody, and without control characters.
    told: ForPeople = ""
    #: Whether it failed of nothing but runs that it started, which have announced that.
    told_before: bool = False


class BudgetReached(Event, name="hn.budget.reached", resource="hn.flow.{flow}", fact="{run_id}"):
    """A run stopped before a question that might have exceeded a budget."""

    flow: str
    run_id: str
    day: date | None = None
    #: For people, as in ``hn.run.failed``.
    told: ForPeople = ""


class LettersGivenUp(Event, name="hn.dead_letters.given_up", resource="hn.dead-letters", fact="{given_up}/{newest}"):
    """Dead letters were tried as often as is set, and now wait for a person."""

    given_up: int
    #: Seconds since 1970 at which the last of them was tried.
    newest: int


class CheckFailed(Event, name="hn.check.failed", resource="hn.check.{check}", fact="{run_id}/{day}/{check}"):
    """A check of a day's data failed, drift among them."""

    day: date
    run_id: str
    check: str
    blocking: bool
    #: For people, as in ``hn.run.failed``.
    detail: ForPeople

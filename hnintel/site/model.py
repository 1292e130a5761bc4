"""What a page shows: plain values, already chosen and counted, so that rendering decides nothing but looks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

#: The parts of a briefing that claims may be written for, in the order in which they are read.
SECTIONS = ("themes", "launches", "trends")

#: The ``source`` of invented data: its ids and addresses exist nowhere, so nothing may link to them.
SAMPLE = "sample"


@dataclass(frozen=True, slots=True)
class Story:
    """One Hacker News item as a reader sees it. Every text in it comes from the web or from a model: it is hostile."""

    item_id: int
    title: str
    url: str | None
    domain: str | None
    kind: str  # link, ask, show, launch, tell, text, job, poll
    author: str | None
    score: int | None
    comments: int | None
    topic: str | None
    sentiment: str | None
    takeaway: str | None
    agreement: str | None = None  # of the commenters, as are the next two
    disagreement: str | None = None
    tone: str | None = None
    wall: str | None = None  # kind of page that was sent in place of the article


@dataclass(frozen=True, slots=True)
class PostedBefore:
    """A story whose time Hacker News moved to the page's day: it was first posted on *first_day*, which keeps it."""

    title: str
    first_day: date
    score: int | None


@dataclass(frozen=True, slots=True)
class Claim:
    """One thing the briefing says, with the stories it says it from."""

    section: str
    text: str
    stories: tuple[Story, ...]

    def __post_init__(self) -> None:
        """Refuse a section that no page has a place for: the claim would be lost without a word."""
        if self.section not in SECTIONS:
            raise ValueError(f"a claim's section is one of {', '.join(SECTIONS)}, not {self.section!r}")


@dataclass(frozen=True, slots=True)
class TopicTrend:
    """How many stories a topic had on the day, in the seven days that end with it, and in the seven before those."""

    topic: str
    stories: int
    stories_7d: int
    stories_previous_7d: int


@dataclass(frozen=True, slots=True)
class SentimentDay:
    """How many stories of one day were talked about in which tone."""

    day: date
    positive: int
    neutral: int
    negative: int


@dataclass(frozen=True, slots=True)
class EntityTrend:
    """How often a name was mentioned; ``days`` are the last seven days' mentions, oldest first."""

    entity: str
    entity_type: str
    mentions: int
    mentions_7d: int
    is_new: bool
    days: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class DomainRow:
    """How many of the day's stories a domain had, and their points together."""

    domain: str
    stories: int
    points: int


@dataclass(frozen=True, slots=True)
class Facts:
    """What the day consisted of, and how much of it was read."""

    listed: int
    by_kind: Mapping[str, int]
    dead: int
    deleted: int
    articles_by_status: Mapping[str, int]
    comments_read: int
    listing: str = ""  # how far the listing is proven, in words; empty where it is unknown


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where a page comes from: what read, what wrote, what it cost, and when."""

    run_id: str
    source: str
    models: tuple[str, ...]
    written_at: datetime
    ai_calls: int
    tokens: int
    costs: Mapping[str, float]  # by currency
    time_zone: str
    version: str


@dataclass(frozen=True, slots=True)
class Page:
    """One day's page, whole: everything that ``render_page`` and ``render_markdown`` need."""

    day: date
    claims: tuple[Claim, ...]
    top_stories: tuple[Story, ...]
    topics: tuple[TopicTrend, ...]
    sentiment_days: tuple[SentimentDay, ...]
    entities: tuple[EntityTrend, ...]
    domains: tuple[DomainRow, ...]
    facts: Facts
    provenance: Provenance
    previous_day: date | None
    next_day: date | None
    posted_before: tuple[PostedBefore, ...] = ()

"""Models that validate items, comments and articles as they are read."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Annotated, Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, field_validator

from hnintel.hashes import hash_of_values

ItemStatus = Literal["ok", "dead", "deleted", "null"]
ArticleStatus = Literal[
    "ok", "empty", "gone", "refused", "too_large", "wrong_type", "walled", "retry_at", "gave_up", "no_pages"
]
ARTICLE_STATUSES: tuple[str, ...] = get_args(ArticleStatus)

#: The known fields of a Firebase item; any other field is reported as a schema change at the source.
KNOWN_FIELDS = frozenset("by dead deleted descendants id kids parent parts poll score text time title type url".split())
TOP_LEVEL_TYPES = ("story", "job", "poll")

#: Fields that live items of a type have always had; a missing field is reported as a schema change too.
EXPECTED_FIELDS: dict[str, frozenset[str]] = {
    "story": frozenset("by time title score descendants".split()),
    "poll": frozenset("by time title score descendants parts".split()),
    "job": frozenset("by time title score".split()),
    "pollopt": frozenset("by time text score poll".split()),
    "comment": frozenset("by time text parent".split()),
}

#: The largest time of an item, in seconds since 1970: the calendar ends with 9999, in eastern zones a day sooner.
LAST_SECOND = 253_402_300_799 - 86_400
#: A score or count, bounded since they are summed over days; no real score or count is outside these bounds.
Count = Annotated[int, Field(ge=-(2**31), lt=2**31)]
ItemId = Annotated[int, Field(gt=0, lt=2**63)]


class FirebaseItem(BaseModel):
    """An item of Hacker News' Firebase API (github.com/HackerNews/API); every field but ``id`` may be missing."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    id: ItemId
    type: str | None = None
    by: str | None = None
    time: int | None = Field(None, ge=0, le=LAST_SECOND)
    title: str | None = None
    url: str | None = None
    text: str | None = None
    score: Count | None = None
    descendants: Count | None = None
    parent: ItemId | None = None
    poll: ItemId | None = None
    kids: tuple[ItemId, ...] = ()
    parts: tuple[ItemId, ...] = ()
    dead: bool = False
    deleted: bool = False

    @field_validator("kids", "parts", mode="before")
    @classmethod
    def _null_is_empty(cls, value: object) -> object:
        return () if value is None else value

    @field_validator("dead", "deleted", mode="before")
    @classmethod
    def _null_is_false(cls, value: object) -> object:
        return False if value is None else value

    @property
    def is_top_level(self) -> bool:
        """Whether the item is listed under a day: a story, job or poll, or a deleted item without type and parent."""
        return self.type in TOP_LEVEL_TYPES or (self.type is None and self.parent is None and self.poll is None)

    @property
    def is_comment(self) -> bool:
        """Whether the item is a comment; a deleted comment has no type, but still names its parent."""
        return self.type == "comment" or (self.type is None and self.parent is not None)

    @property
    def status(self) -> ItemStatus:
        """``deleted``, ``dead`` or ``ok``; an item that is both is ``deleted``, since it has no text left."""
        return "deleted" if self.deleted else "dead" if self.dead else "ok"

    @property
    def posted_at(self) -> datetime | None:
        """The time of posting, UTC without a zone, as the warehouse stores times."""
        return None if self.time is None else datetime.fromtimestamp(self.time, UTC).replace(tzinfo=None)


class _Hashed(BaseModel):
    model_config = ConfigDict(frozen=True)

    def content_hash(self) -> str:
        """The md5 over all fields: readings with the same hash are equal."""
        return hash_of_values(self.model_dump(mode="json"), sort_keys=True)

    def row(self) -> dict[str, Any]:
        """The row for the warehouse, with the content hash."""
        return {**self.model_dump(), "content_hash": self.content_hash()}


class Item(_Hashed):
    """A row of ``raw.items``: a story, job, poll or poll option of a listed day."""

    id: int
    day: date
    type: str | None = None
    status: ItemStatus
    title: str | None = None
    url: str | None = None
    canonical_url: str | None = None
    domain: str | None = None
    text: str | None = None
    author: str | None = None
    score: int | None = None
    comments: int | None = None
    parent: int | None = None
    posted_at: datetime | None = None
    source: str


class Comment(_Hashed):
    """A row of ``raw.comments``."""

    id: int
    story_id: int
    parent: int | None = None
    depth: int
    status: ItemStatus
    text: str | None = None
    author: str | None = None
    posted_at: datetime | None = None


class Article(BaseModel):
    """A row of ``raw.articles``: the status of reading a URL, and the text if it succeeded."""

    model_config = ConfigDict(frozen=True)

    canonical_url: str
    url: str
    status: ArticleStatus
    reason: str | None = None
    http_status: int | None = None
    content_type: str | None = None
    title: str | None = None
    author: str | None = None
    published_on: date | None = None
    language: str | None = None
    text: str | None = None
    text_hash: str | None = None
    attempts: int = 1
    retry_at: datetime | None = None
    description: str | None = None
    site_name: str | None = None
    declared_url: str | None = None

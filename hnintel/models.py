"""What is read, validated where it comes in: items, comments, articles."""

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

#: Fields of a Firebase item that we know; one that is not here is reported as a schema change at the source.
KNOWN_FIELDS = frozenset("by dead deleted descendants id kids parent parts poll score text time title type url".split())
TOP_LEVEL_TYPES = ("story", "job", "poll")

#: Fields that a live item of a type has always had; one that is not there is reported as a schema change as well.
EXPECTED_FIELDS: dict[str, frozenset[str]] = {
    "story": frozenset("by time title score descendants".split()),
    "poll": frozenset("by time title score descendants parts".split()),
    "job": frozenset("by time title score".split()),
    "pollopt": frozenset("by time text score poll".split()),
    "comment": frozenset("by time text parent".split()),
}

#: The calendar ends with the year 9999, in zones east of here a day sooner; what is larger was never an item's time.
LAST_SECOND = 253_402_300_799 - 86_400
#: Scores and counts are summed over days; what is larger than this was never one.
Count = Annotated[int, Field(ge=-(2**31), lt=2**31)]
ItemId = Annotated[int, Field(gt=0, lt=2**63)]


class FirebaseItem(BaseModel):
    """One item as Hacker News' Firebase API answers it (github.com/HackerNews/API): every field but ``id`` may lack."""

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
    def _null_is_none_of_them(cls, value: object) -> object:
        return () if value is None else value

    @field_validator("dead", "deleted", mode="before")
    @classmethod
    def _null_is_false(cls, value: object) -> object:
        return False if value is None else value

    @property
    def is_top_level(self) -> bool:
        """Whether it is listed under a day itself: a story, a job, a poll, or the typeless rest of a deleted one."""
        return self.type in TOP_LEVEL_TYPES or (self.type is None and self.parent is None and self.poll is None)

    @property
    def is_comment(self) -> bool:
        """Whether it hangs below another item; the typeless rest of a deleted comment still names its parent."""
        return self.type == "comment" or (self.type is None and self.parent is not None)

    @property
    def status(self) -> ItemStatus:
        """Deleted wins over dead: there is nothing left to read."""
        return "deleted" if self.deleted else "dead" if self.dead else "ok"

    @property
    def posted_at(self) -> datetime | None:
        """When it was posted, UTC without a zone, as the warehouse keeps times."""
        return None if self.time is None else datetime.fromtimestamp(self.time, UTC).replace(tzinfo=None)


class _Hashed(BaseModel):
    model_config = ConfigDict(frozen=True)

    def content_hash(self) -> str:
        """md5 over all fields: two readings with the same hash say the same."""
        return hash_of_values(self.model_dump(mode="json"), sort_keys=True)

    def row(self) -> dict[str, Any]:
        """The warehouse row, content hash included."""
        return {**self.model_dump(), "content_hash": self.content_hash()}


class Item(_Hashed):
    """One row of ``raw.items``: a story, job, poll or poll option of a listed day."""

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
    """One row of ``raw.comments``."""

    id: int
    story_id: int
    parent: int | None = None
    depth: int
    status: ItemStatus
    text: str | None = None
    author: str | None = None
    posted_at: datetime | None = None


class Article(BaseModel):
    """One row of ``raw.articles``: how reading a URL went, and the text where it went well."""

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

"""What the templates are given: stories numbered once, claims with their references, charts, figures in words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from markupsafe import Markup

from hnintel.cost.money import CREDITS, together
from hnintel.site import charts
from hnintel.site.model import SAMPLE, SECTIONS, Claim, EntityTrend, Page, SentimentDay, Story, TopicTrend
from hnintel.site.text import clip, safe_url

_DISCUSSION = "https://news.ycombinator.com/item?id={}"

_HEADINGS = {"themes": "Themes", "launches": "Launches", "trends": "Trends"}
_NOTHING_SAID = {
    "themes": "Nothing was written about the day’s themes.",
    "launches": "Nothing was written about launches.",
    "trends": "Nothing was written about trends.",
}
_KINDS = {
    "link": "link",
    "ask": "Ask HN",
    "show": "Show HN",
    "launch": "Launch HN",
    "tell": "Tell HN",
    "text": "text post",
    "job": "job",
    "poll": "poll",
}

#: Kinds of pages that are sent in place of articles, where their names are no words that a reader knows.
_WALLS = {
    "challenge": "bot check",
    "consent": "consent dialog",
    "login": "log-in form",
    "soft_404": "page not found",
    "script_only": "needs JavaScript",
    "region": "closed to this region",
    "parked": "parked domain",
    "interstitial": "app only",
    "error": "error page",
}

#: Real titles have at most 80 characters and claims a sentence or two; longer ones are not there to be read.
_TITLE, _NAME, _SENTENCES, _ADDRESS = 200, 60, 600, 120


@dataclass(frozen=True, slots=True)
class StoryView:
    """A story's entry: its number on the page, where it leads, and its texts at a length that can be read."""

    number: int
    anchor: str
    title: str
    link: str | None  # what the title leads to
    discussion: str | None
    origin: str  # the domain, or what kind of post it is
    address: str | None  # a url that must not become a link, to be shown as text
    author: str | None
    score: int | None
    comments: int | None
    topic: str | None
    sentiment: str | None
    takeaway: str | None
    agreement: str | None
    disagreement: str | None
    tone: str | None  # of the comments
    unread: str | None  # why the article could not be read


@dataclass(frozen=True, slots=True)
class ClaimView:
    """A claim with the entries of the stories it cites, in the order of their numbers."""

    text: str
    sources: tuple[StoryView, ...]


@dataclass(frozen=True, slots=True)
class SectionView:
    """One part of the briefing; without claims it says so."""

    name: str
    heading: str
    claims: tuple[ClaimView, ...]
    nothing_said: str


@dataclass(frozen=True, slots=True)
class TopicView:
    """A topic's row; the change is None while there is no earlier week to compare with."""

    topic: str
    stories: int
    stories_7d: int
    change: str | None
    bar: Markup


@dataclass(frozen=True, slots=True)
class EntityView:
    """A name's row."""

    entity: str
    entity_type: str
    mentions: int
    mentions_7d: int
    is_new: bool
    sparkline: Markup | None


def stories(page: Page) -> tuple[StoryView, ...]:
    """Every story of the page once, numbered: the top stories in their order, then what else is cited."""
    chosen = {story.item_id: story for story in page.top_stories}
    for section in SECTIONS:
        for claim in _of(section, page.claims):
            for story in claim.stories:
                chosen.setdefault(story.item_id, story)
    sample = page.provenance.source == SAMPLE
    return tuple(_story(number, story, sample) for number, story in enumerate(chosen.values(), start=1))


def sections(page: Page, entries: Iterable[StoryView]) -> tuple[SectionView, ...]:
    """The briefing's parts in reading order, each claim joined to the entries it cites."""
    by_anchor = {entry.anchor: entry for entry in entries}
    return tuple(
        SectionView(
            name=section,
            heading=_HEADINGS[section],
            claims=tuple(_claim(claim, by_anchor) for claim in _of(section, page.claims)),
            nothing_said=_NOTHING_SAID[section],
        )
        for section in SECTIONS
    )


def topics(rows: Sequence[TopicTrend]) -> tuple[TopicView, ...]:
    """The topics' rows, their bars on one scale."""
    most = max((max(row.stories_7d, row.stories_previous_7d) for row in rows), default=0)
    has_past = any(row.stories_previous_7d for row in rows)
    return tuple(
        TopicView(
            topic=clip(row.topic, _NAME),
            stories=row.stories,
            stories_7d=row.stories_7d,
            change=signed(row.stories_7d - row.stories_previous_7d) if has_past else None,
            bar=charts.topic_bar(row, most),
        )
        for row in rows
    )


def entities(rows: Sequence[EntityTrend]) -> tuple[EntityView, ...]:
    """The names' rows; each sparkline has its own scale, since it shows a shape and the number stands beside it."""
    return tuple(
        EntityView(
            entity=clip(row.entity, _NAME),
            entity_type=clip(row.entity_type, _NAME),
            mentions=row.mentions,
            mentions_7d=row.mentions_7d,
            is_new=row.is_new,
            sparkline=charts.entity_sparkline(row) if any(row.days) else None,
        )
        for row in rows
    )


def sentiment_days(page: Page) -> tuple[SentimentDay, ...]:
    """The days whose sentiment is known, oldest first; none of them if no story has any."""
    days = tuple(sorted(page.sentiment_days, key=lambda row: row.day))
    return days if any(day.positive + day.neutral + day.negative for day in days) else ()


def kind(name: str) -> str:
    """What readers of Hacker News call a *kind*."""
    return _KINDS.get(name, clip(name, _NAME))


def kinds(name: str) -> str:
    """*kind* as the name of a heap of them."""
    plurals = {"link": "links", "text": "text posts", "job": "jobs", "poll": "polls"}
    return plurals.get(name, kind(name))


def wall(name: str) -> str:
    """A kind of page that was sent in place of an article, in words."""
    return _WALLS.get(name, clip(name.replace("_", " "), _NAME))


def long_date(day: date) -> str:
    """Friday 20 November 2026."""
    return f"{day:%A} {day.day} {day:%B %Y}"


def local_time(moment: datetime, time_zone: str) -> str:
    """A moment in the business time zone, to the minute; without a zone of its own it is UTC."""
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    local = aware.astimezone(ZoneInfo(time_zone))
    return f"{local.day} {local:%B %Y, %H:%M} {local.tzname()}"


def signed(number: int) -> str:
    """A change as it is printed: +3, −2, ±0, with a true minus sign."""
    return "±0" if number == 0 else f"{number:+,}".replace("-", "−")


def amount(number: float) -> str:
    """A cost without false precision: 0, 0.0042, 12.5."""
    return f"{number:,.4f}".rstrip("0").rstrip(".")


def costs(paid: Mapping[str, float]) -> str:
    """What was paid, each currency by itself: 0.4127 credits and 1.2 USD; of nothing, 0 credits."""
    return " and ".join(
        f"{amount(number)} {'credit' if (currency, number) == (CREDITS, 1) else clip(currency, _NAME)}"
        for currency, number in (together([paid]) or {next(iter(paid), CREDITS): 0.0}).items()
    )


def counted(number: int, singular: str, plural: str | None = None) -> str:
    """1 comment, 1,204 comments."""
    return f"{number:,} {singular if number == 1 else plural or singular + 's'}"


def _of(section: str, claims: Iterable[Claim]) -> list[Claim]:
    return [claim for claim in claims if claim.section == section]


def _claim(claim: Claim, by_anchor: dict[str, StoryView]) -> ClaimView:
    cited = {_anchor(story): by_anchor[_anchor(story)] for story in claim.stories}
    return ClaimView(clip(claim.text, _SENTENCES), tuple(sorted(cited.values(), key=lambda entry: entry.number)))


def _clipped(text: str | None, limit: int) -> str | None:
    return clip(text, limit) if text else None


def _anchor(story: Story) -> str:
    return f"story-{story.item_id}"


def _story(number: int, story: Story, sample: bool) -> StoryView:
    url = None if sample else safe_url(story.url)
    discussion = None if sample else _DISCUSSION.format(story.item_id)
    unlinkable = story.url if story.url and not safe_url(story.url) else None
    return StoryView(
        number=number,
        anchor=_anchor(story),
        title=clip(story.title, _TITLE) or "Untitled",
        # A post without an address of its own is its discussion; one whose address is refused leads nowhere.
        link=url or (discussion if not story.url else None),
        discussion=discussion,
        origin=clip(story.domain or "", _NAME) or kind(story.kind),
        address=_clipped(unlinkable, _ADDRESS),
        author=_clipped(story.author, _NAME),
        score=story.score,
        comments=story.comments,
        topic=_clipped(story.topic, _NAME),
        sentiment=_clipped(story.sentiment, _NAME),
        takeaway=_clipped(story.takeaway, _SENTENCES),
        agreement=_clipped(story.agreement, _SENTENCES),
        disagreement=_clipped(story.disagreement, _SENTENCES),
        tone=_clipped(story.tone, _NAME),
        unread=wall(story.wall) if story.wall else None,
    )

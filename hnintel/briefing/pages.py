"""The page of a day, put together from the marts and the briefing, and written below the site folder."""

from __future__ import annotations

import contextlib
import json
import uuid
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from hnintel.briefing import published_pages
from hnintel.briefing.sections import answering, fingerprint
from hnintel.cost.money import CREDITS
from hnintel.cost.usage import EVALUATING
from hnintel.errors import UsageError, WarehouseError
from hnintel.ingest.articles import count_by_status
from hnintel.ledger import listings
from hnintel.settings import Settings, private_files
from hnintel.site.page import (
    Claim,
    DomainRow,
    EntityTrend,
    Facts,
    Page,
    PostedBefore,
    Provenance,
    SentimentDay,
    Story,
    TopicTrend,
    page_path,
    render_index,
    render_markdown,
    render_page,
)
from hnintel.warehouse.base import Session, Warehouse
from hnintel.warehouse.statements import statement

_TOP_STORIES, _TOP_ENTITIES, _TOP_DOMAINS = 20, 12, 10


@dataclass(frozen=True, slots=True)
class _Briefing:
    """The briefing that is shown of a day: its row in ``enriched.briefings``."""

    day: date
    fingerprint: str
    claims: str
    run_id: str
    written_at: datetime
    model: str

    @property
    def headline(self) -> str:
        claims = sorted(json.loads(self.claims), key=lambda claim: claim["section"] != "themes")
        return str(claims[0]["text"]) if claims else ""


def publish(warehouse: Warehouse, day: date, settings: Settings) -> tuple[Path, str]:
    """Write the page of *day*, those of its neighbours (they link to it), those that are gone, and the index.

    Returns:
        the path of the day's page, and its Markdown.

    Raises:
        UsageError: no briefing of *day* was written.
        WarehouseError: the site folder cannot be written.
    """
    with warehouse.transaction(stage="enrich") as session:
        briefings = _briefings(session, warehouse)
        if day not in briefings:
            raise UsageError(f"no briefing of {day} was written: run that day first")
        days = list(briefings)
        pages = {shown: _page(session, briefings[shown], days, settings) for shown in _around(day, days)}
        markdown = render_markdown(pages[day])
        session.execute(
            "UPDATE enriched.briefings SET text = ? WHERE day = ? AND fingerprint = ?",
            [markdown, day, briefings[day].fingerprint],
        )
        index = [(shown, briefings[shown].headline, _count(session, shown)) for shown in reversed(days)]
    for shown, page in pages.items():
        _write(path_of(shown, settings), render_page(page), settings.site_readable)
    for shown in sorted(
        published_pages.missing(days, settings) - pages.keys()
    ):  # each by itself: there may be years of them
        with warehouse.transaction(stage="enrich") as session:
            page = _page(session, briefings[shown], days, settings)
        _write(path_of(shown, settings), render_page(page), settings.site_readable)
    _write(settings.site / published_pages.INDEX, render_index(index), settings.site_readable)
    private_files.publish_site(settings)
    return path_of(day, settings), markdown


def path_of(day: date, settings: Settings) -> Path:
    """Where the page of *day* is, or will be."""
    return settings.site / page_path(day)


def _write(path: Path, text: str, readable: bool = False) -> None:
    """All of it or nothing: a reader never sees half a page, and two writers never meet in one file."""
    beside = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        beside.write_text(text, encoding="utf-8")
        beside.chmod(0o644 if readable else 0o600)
        beside.replace(path)
    except OSError as error:
        raise WarehouseError(f"{path} cannot be written ({error.strerror}): give another HNINTEL_HOME") from None
    finally:
        with contextlib.suppress(OSError):  # gone to its place, or never there
            beside.unlink()


def _briefings(session: Session, warehouse: Warehouse) -> dict[date, _Briefing]:
    """The briefing of each day, oldest first: that of today's wording, else the last that was written."""
    rows = session.rows(
        "SELECT day, fingerprint, claims, run_id, written_at, model FROM enriched.briefings "
        "QUALIFY row_number() OVER ("
        "PARTITION BY day ORDER BY CASE WHEN fingerprint = ? THEN 0 ELSE 1 END, written_at DESC, fingerprint) = 1 "
        "ORDER BY day",
        [fingerprint(answering(warehouse))],
    )
    return {row["day"]: _Briefing(**row) for row in rows}


def _around(day: date, days: list[date]) -> list[date]:
    place = days.index(day)
    return days[max(0, place - 1) : place + 2]


def _page(session: Session, briefing: _Briefing, days: list[date], settings: Settings) -> Page:
    day = briefing.day
    place = days.index(day)
    stories = _stories(session, day)
    claims = [
        Claim(claim["section"], claim["text"], tuple(stories[item] for item in claim["ids"] if item in stories))
        for claim in json.loads(briefing.claims)
    ]
    live = sorted(stories.values(), key=lambda story: (-(story.score or 0), story.item_id))
    return Page(
        day=day,
        claims=tuple(claim for claim in claims if claim.stories),
        top_stories=tuple(live[:_TOP_STORIES]),
        topics=_topics(session, day),
        sentiment_days=_sentiment(session, day),
        entities=_entities(session, day),
        domains=_domains(session, day),
        facts=_facts(session, day),
        provenance=_provenance(session, briefing, settings),
        previous_day=days[place - 1] if place else None,
        next_day=days[place + 1] if place + 1 < len(days) else None,
        posted_before=_posted_before(session, day),
    )


def _stories(session: Session, day: date) -> dict[int, Story]:
    rows = session.rows(statement("briefing/page_stories"), [day])
    return {row["item_id"]: Story(**row) for row in rows}


def _posted_before(session: Session, day: date) -> tuple[PostedBefore, ...]:
    rows = session.rows(statement("briefing/posted_before"), [day])
    return tuple(PostedBefore(row["title"], row["first_day"], row["score"]) for row in rows)


def _topics(session: Session, day: date) -> tuple[TopicTrend, ...]:
    rows = session.rows(
        "SELECT topic, stories, stories_7d, stories_previous_7d FROM marts.topic_trends "
        "WHERE day = ? AND stories_7d > 0 ORDER BY stories DESC, topic",
        [day],
    )
    return tuple(TopicTrend(**row) for row in rows)


def _sentiment(session: Session, day: date) -> tuple[SentimentDay, ...]:
    counted: dict[date, dict[str, int]] = defaultdict(dict)
    for row in session.rows(
        "SELECT day, sentiment, stories FROM marts.daily_sentiment WHERE day BETWEEN ? AND ? ORDER BY day, sentiment",
        [day - timedelta(days=6), day],
    ):
        counted[row["day"]][row["sentiment"]] = row["stories"]
    return tuple(
        SentimentDay(shown, tones.get("positive", 0), tones.get("neutral", 0), tones.get("negative", 0))
        for shown, tones in counted.items()
    )


def _entities(session: Session, day: date) -> tuple[EntityTrend, ...]:
    first = day - timedelta(days=6)
    top = session.rows(
        "SELECT entity, entity_type, mentions, mentions_7d, is_new FROM marts.entity_trends "
        "WHERE day = ? AND entity_type <> 'funding_amount' AND mentions_7d >= 2 "
        "ORDER BY mentions DESC, mentions_7d DESC, entity LIMIT ?",
        [day, _TOP_ENTITIES],
    )
    mentions: dict[tuple[str, str], list[int]] = defaultdict(lambda: [0] * 7)
    for row in session.rows(
        "SELECT entity, entity_type, day, mentions FROM marts.entity_trends WHERE day BETWEEN ? AND ?", [first, day]
    ):
        mentions[row["entity_type"], row["entity"]][(row["day"] - first).days] = row["mentions"]
    # On the first day there is, every name is new, which says nothing of any.
    first_day = session.execute("SELECT min(day) FROM marts.stories")[0][0]
    return tuple(
        EntityTrend(
            **{**row, "is_new": row["is_new"] and day > first_day},
            days=tuple(mentions[row["entity_type"], row["entity"]]),
        )
        for row in top
    )


def _domains(session: Session, day: date) -> tuple[DomainRow, ...]:
    rows = session.rows(
        "SELECT domain, stories, points FROM marts.domains WHERE day = ? "
        "ORDER BY stories DESC, points DESC, domain LIMIT ?",
        [day, _TOP_DOMAINS],
    )
    return tuple(DomainRow(**row) for row in rows)


def _facts(session: Session, day: date) -> Facts:
    kinds = session.execute(
        "SELECT kind, count(*) FROM marts.stories WHERE day = ? AND status = 'ok' AND kind IS NOT NULL "
        "GROUP BY kind ORDER BY count(*) DESC, kind",
        [day],
    )
    statuses = dict(
        _pairs(session.execute("SELECT status, count(*) FROM marts.stories WHERE day = ? GROUP BY status", [day]))
    )
    comments = session.execute(
        "SELECT count(*) FROM raw.comments WHERE status = 'ok' "
        "AND story_id IN (SELECT id FROM raw.items WHERE day = ?)",
        [day],
    )[0][0]
    last = listings.between(session, day, day).get(day)
    return Facts(
        listed=sum(statuses.values()),
        by_kind=dict(_pairs(kinds)),
        dead=statuses.get("dead", 0),
        deleted=statuses.get("deleted", 0),
        articles_by_status=count_by_status(session, day),
        comments_read=comments,
        listing=last.proof.in_words() if last is not None else "",
    )


def _pairs(rows: Iterable[tuple[Any, ...]]) -> list[tuple[str, int]]:
    return [(str(row[0]), int(row[1])) for row in rows]


def _provenance(session: Session, briefing: _Briefing, settings: Settings) -> Provenance:
    """What the day cost in all, whichever run paid for it; so that a page made again says the same."""
    day = briefing.day
    booked = session.execute(
        "SELECT coalesce(currency, ?), sum(calls), sum(input_tokens + output_tokens), sum(credits) "
        "FROM ops.ai_usage WHERE day = ? AND enrichment NOT LIKE ? GROUP BY 1 ORDER BY 1",
        [CREDITS, day, f"{EVALUATING}%"],
    )
    models = session.execute(
        "SELECT DISTINCT model FROM ops.ai_usage WHERE day = ? AND enrichment NOT LIKE ? ORDER BY model",
        [day, f"{EVALUATING}%"],
    )
    source = session.execute("SELECT max(source) FROM raw.items WHERE day = ?", [day])[0][0]
    return Provenance(
        run_id=briefing.run_id,
        source=source or "none",
        models=tuple(row[0] for row in models) or (briefing.model,),
        written_at=briefing.written_at.replace(tzinfo=UTC),
        ai_calls=sum(int(calls) for _, calls, _, _ in booked),
        tokens=sum(int(tokens) for _, _, tokens, _ in booked),
        costs={currency: float(cost) for currency, _, _, cost in booked},
        time_zone=settings.time_zone,
        version=_version(),
    )


def _count(session: Session, day: date) -> int:
    sql = "SELECT count(*) FROM raw.items WHERE day = ? AND coalesce(type, '') <> 'pollopt' AND status = 'ok'"
    return int(session.execute(sql, [day])[0][0])


def _version() -> str:
    try:
        return version("hn-intelligence")
    except PackageNotFoundError:  # run from a checkout, as workers do
        return "checkout"

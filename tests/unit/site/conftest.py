"""Pages to render: an ordinary one, and the same page with other people's text in every place that takes text."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from hnintel.site.page import (
    Claim,
    DomainRow,
    EntityTrend,
    Facts,
    Page,
    Provenance,
    SentimentDay,
    Story,
    TopicTrend,
)

DAY = date(2026, 10, 22)
REPOSITORY = Path(__file__).resolve().parents[3]
TEST_DATA = Path(os.environ.get("HNINTEL_TEST_DATA", REPOSITORY.parent / "shared" / "data"))


def story(item_id: int, text: str = "plain words", url: str | None = "https://site.example/a") -> Story:
    """A story that says *text* wherever a story says anything."""
    return Story(item_id, text, url, text, "link", text, 120, 45, text, text, text, text, text, text, text)


def page_saying(text: str, *, days: int = 3, url: str | None = "https://site.example/a") -> Page:
    """A page that says *text* wherever the web or a model could have put words in its mouth."""
    first, second = story(101, text, url), story(102, text, None)
    return Page(
        day=DAY,
        claims=tuple(Claim(section, text, (second, first)) for section in ("themes", "launches", "trends")),
        top_stories=(first,),
        topics=(TopicTrend(text, 4, 20, 12),),
        sentiment_days=tuple(SentimentDay(DAY - timedelta(days=back), 5 + back, 9, 3) for back in range(days)),
        entities=(EntityTrend(text, text, 3, 9, True, (0, 1, 0, 2, 1, 2, 3)),),
        domains=(DomainRow(text, 2, 165),),
        facts=Facts(71, {"link": 60, text: 11}, 5, 2, {"ok": 36, text: 8}, 148),
        provenance=Provenance(
            run_id=text,
            source="hacker_news",
            models=("model-a", text),
            written_at=datetime(2026, 10, 23, 6, 4, tzinfo=UTC),
            ai_calls=312,
            tokens=184_302,
            costs={"credits": 0.4127},
            time_zone="America/New_York",
            version="1.0.0",
        ),
        previous_day=DAY - timedelta(days=1),
        next_day=None,
    )


def empty_page() -> Page:
    """A day on which nothing was posted, or nothing could be read."""
    return replace(
        page_saying("x"),
        claims=(),
        top_stories=(),
        topics=(),
        sentiment_days=(),
        entities=(),
        domains=(),
        facts=Facts(0, {}, 0, 0, {}, 0),
        previous_day=None,
    )


@pytest.fixture(name="page_saying")
def page_saying_fixture() -> Callable[..., Page]:
    """The factory of pages that say one text everywhere."""
    return page_saying


@pytest.fixture(name="empty_page")
def empty_page_fixture() -> Page:
    """A page without anything on it."""
    return empty_page()


@pytest.fixture(name="sample_page")
def sample_page_fixture() -> Page:
    """A page of the invented sample."""
    page = page_saying("plain words")
    return replace(page, provenance=replace(page.provenance, source="sample"))


@pytest.fixture(scope="session")
def naughty_strings() -> list[str]:
    """The big list of naughty strings."""
    return [str(text) for text in security_data("strings/blns.json")]


@pytest.fixture(scope="session")
def web_platform_addresses() -> list[str]:
    """The addresses that browsers are tested with, the broken ones among them."""
    return [case["input"] for case in security_data("url/urltestdata.json") if isinstance(case, dict)]


def security_data(name: str) -> list[Any]:
    """A list of hostile things that is not part of this repository; without it, the test is skipped."""
    path = TEST_DATA / "security" / name
    if not path.exists():
        pytest.skip(f"needs {name}: set HNINTEL_TEST_DATA to the folder of test data")
    found: list[Any] = json.loads(path.read_text(encoding="utf-8"))
    return found

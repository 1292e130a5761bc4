"""Dumps that lie: what one of them says can cost its own row, never a day, another day's row, or a file of ours."""

from __future__ import annotations

import asyncio
import json
from datetime import date
from pathlib import Path
from typing import Any

import httpx
import pytest

from hnintel.errors import SourceError, UsageError
from hnintel.ingest import scraping
from hnintel.settings import load_settings
from hnintel.sources import open_source
from hnintel.sources.page_files import PageFiles
from hnintel.sources.replay import ReplaySource
from hnintel.web.fetcher import Fetcher

DAY = date(2026, 10, 22)
POSTED = 1792656000


def scraped(tmp_path: Path, *raws: dict[str, Any], ids: list[int]) -> scraping.Scraped:
    dump = tmp_path / "dump.json"
    dump.write_text(json.dumps([{"time": POSTED, **raw} for raw in raws]), encoding="utf-8")
    return asyncio.run(scraping.scrape(ReplaySource(dump), ids, DAY, load_settings()))


@pytest.mark.parametrize("field", ["score", "descendants"])
def test_a_count_that_no_sum_could_hold_is_malformed(tmp_path: Path, field: str) -> None:
    came = scraped(tmp_path, {"id": 1, "type": "story", "title": "t", field: 2**62}, ids=[1])

    assert came.items == []
    assert [lost.reason.split(":")[1].strip() for lost in came.lost] == [field]


def test_what_a_poll_names_as_its_option_and_is_none_stays_where_it_is(tmp_path: Path) -> None:
    poll = {"id": 1, "type": "poll", "title": "p", "parts": [2, 3, 4]}
    option = {"id": 2, "type": "pollopt", "poll": 1, "text": "yes"}
    came = scraped(tmp_path, poll, option, {"id": 3, "type": "story", "title": "of another day"}, ids=[1])

    assert [(item.id, item.type, item.status) for item in came.items] == [
        (1, "poll", "ok"),
        (2, "pollopt", "ok"),
        (4, "pollopt", "null"),
    ]
    assert [(lost.key, lost.stage) for lost in came.lost_below] == [("3", "options")]


def test_a_comment_is_below_the_story_it_answers_whoever_else_names_it(tmp_path: Path) -> None:
    stories = [{"id": number, "type": "story", "title": "t", "score": 99, "kids": [9]} for number in (1, 2)]
    comment = {"id": 9, "type": "comment", "parent": 2, "text": "hello"}

    for ids in ([1], [2]):
        came = scraped(tmp_path, *stories, comment, ids=ids)
        assert [found.story_id for found in came.comments] == ([2] if ids == [2] else [])


def test_a_story_that_is_named_as_a_comment_is_none(tmp_path: Path) -> None:
    story = {"id": 1, "type": "story", "title": "t", "score": 99, "kids": [1]}
    came = scraped(tmp_path, story, ids=[1])

    assert came.comments == []
    assert len(came.lost_below) == 1


@pytest.mark.parametrize("name", ["../secret.html", "/etc/hostname", "missing.html"])
def test_pages_come_from_their_folder_only(tmp_path: Path, name: str) -> None:
    (tmp_path / "pages").mkdir()
    (tmp_path / "secret.html").write_text("<p>" + "a secret of this machine " * 40)
    (tmp_path / "pages.json").write_text(json.dumps({"http://a.example/": {"file": name}}))

    async def fetch() -> str:
        async with Fetcher(PageFiles([tmp_path]), load_settings()) as fetcher:
            return (await fetcher.fetch("http://a.example/")).outcome

    assert asyncio.run(fetch()) == "failed"
    with pytest.raises(httpx.RemoteProtocolError):
        asyncio.run(PageFiles([tmp_path]).handle_async_request(httpx.Request("GET", "http://a.example/")))


@pytest.mark.parametrize("content", [b"{broken", b"[1]", b"\xff\xfe", b'{"http://a:b:c/": {}}', b'{"http://a/": 3}'])
def test_a_broken_list_of_pages_is_told_before_anything_is_run(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "dump.json").write_text("[]")
    (tmp_path / "pages.json").write_bytes(content)

    with pytest.raises(SourceError, match=r"pages\.json"):
        ReplaySource(tmp_path / "dump.json", tmp_path)


@pytest.mark.parametrize("path", ["~nosuchuser/x", "a" * 5000, "/dev/null"])
def test_a_path_that_is_none_is_told_in_one_line(path: str) -> None:
    with pytest.raises(UsageError) as told:
        open_source(f"replay:{path}", load_settings())

    assert len(str(told.value).splitlines()) == 1
    assert len(str(told.value)) < 300


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("HNINTEL_LETTER_RETRY_HOURS", "1e300"),
        ("HNINTEL_ARTICLE_RETRY_HOURS", "inf"),
        ("HNINTEL_INPUT_MAX_CHARS", "9" * 30),
        ("HNINTEL_USER_AGENT", "é bot"),
        ("HNINTEL_HOME", "~nosuchuser/x"),
        ("HNINTEL_ALLOWED_PORTS", "[" * 100_000),
    ],
)
def test_a_setting_that_would_fail_later_is_refused_at_once(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)

    with pytest.raises(UsageError) as told:
        load_settings()

    assert len(str(told.value).splitlines()) == 1

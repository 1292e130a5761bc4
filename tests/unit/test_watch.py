"""The poller: what is new since the cursor, told once, from a server on loopback and from a folder of dumps."""

from __future__ import annotations

import asyncio
import json
import os
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from hnintel.events import DayRequested, StoriesChanged, StoryTrending
from hnintel.ingest.poller import Cursor, Poll, poll
from hnintel.settings import Settings
from hnintel.sources.replay import ReplaySource
from tests.servers import LoopbackServer, Weather, World

NOW = datetime(2026, 10, 22, 18, 0, tzinfo=UTC)


def story(item_id: int, score: int, hours_ago: float, **other: Any) -> dict[str, Any]:
    posted = int((NOW - timedelta(hours=hours_ago)).timestamp())
    return {"id": item_id, "type": "story", "title": "A pump", "by": "a", "score": score, "time": posted, **other}


@pytest.fixture
def server() -> Iterator[LoopbackServer]:
    with LoopbackServer(
        World.of([story(1, 200, 2), story(2, 40, 0.1), story(3, 500, 30), story(4, 150, 20)])
    ) as running:
        yield running


def look(server: LoopbackServer, cursor: Cursor, hours: float = 0, **settings: Any) -> Poll:
    given = Settings(firebase_url=server.firebase_url, item_attempts=1, item_timeout=2, **settings)
    return asyncio.run(poll(cursor, given, NOW + timedelta(hours=hours)))


def trending(polled: Poll) -> list[int]:
    return [event.story_id for event in polled.events if isinstance(event, StoryTrending)]


def test_a_story_is_trending_when_it_is_young_has_points_and_gathers_them_fast(server: LoopbackServer) -> None:
    # 2 has too few points, 3 is too old, 4 gathered its points over too long a time.
    (event,) = look(server, Cursor()).events
    assert isinstance(event, StoryTrending)
    assert (event.story_id, event.score, event.points_per_hour) == (1, 200, 100.0)


def test_what_was_told_is_not_told_again(server: LoopbackServer) -> None:
    first = look(server, Cursor())
    server.world.items[1] = story(1, 900, 2)
    again = look(server, first.cursor, hours=1)
    assert trending(again) == []
    assert again.skipped == ("nothing is new since item 4",)


def test_a_crash_before_the_cursor_is_kept_tells_the_same_event_again(server: LoopbackServer) -> None:
    first, again = look(server, Cursor()), look(server, Cursor(), hours=0.5)
    assert [event.id for event in first.events] == [event.id for event in again.events]


def test_the_pace_is_that_since_the_last_poll(server: LoopbackServer) -> None:
    first = look(server, Cursor())
    server.world.items[4] = story(4, 230, 20)
    assert trending(look(server, first.cursor, hours=1)) == [4]
    assert trending(look(server, first.cursor, hours=2)) == []


def test_the_settings_say_what_is_trending(server: LoopbackServer) -> None:
    assert trending(look(server, Cursor(), watch_min_score=30, watch_points_per_hour=30)) == [1, 2]
    assert trending(look(server, Cursor(), watch_hours=1)) == []
    assert trending(look(server, Cursor(), watch_hours=48, watch_points_per_hour=16)) == [3, 1]


def test_the_dead_jobs_and_what_is_malformed_are_not_trending(server: LoopbackServer) -> None:
    server.world.items = {
        1: story(1, 900, 1, dead=True),
        2: story(2, 900, 1, type="job"),
        3: story(3, 900, 1) | {"score": "many"},
    }
    assert trending(look(server, Cursor())) == []


def test_only_what_came_since_the_first_poll_is_told_as_changed(server: LoopbackServer) -> None:
    first = look(server, Cursor())
    assert not any(isinstance(event, StoriesChanged) for event in first.events)
    server.world.items[9] = story(9, 1, 0)
    (event,) = look(server, first.cursor, hours=0.1).events
    assert isinstance(event, StoriesChanged)
    assert (event.after, event.newest) == (4, 9)


def test_a_poll_that_cannot_look_says_why_and_keeps_its_cursor(server: LoopbackServer) -> None:
    server.weather = Weather({"500": 1.0})
    polled = look(server, Cursor(newest=3))
    assert polled.events == ()
    assert polled.cursor == Cursor(newest=3)
    assert polled.skipped == ("127.0.0.1 answered HTTP 500",)


def test_a_source_that_does_not_move_is_not_polled(server: LoopbackServer) -> None:
    polled = look(server, Cursor(), source="sample")
    assert polled.skipped == ("HNINTEL_SOURCE=sample: only Hacker News itself moves",)
    assert not server.requests


def test_a_cursor_fits_where_it_is_kept_and_comes_back_as_it_was(server: LoopbackServer) -> None:
    server.world.items = {n: story(40_000_000 + n, 3_000, 1) | {"id": 40_000_000 + n} for n in range(500)}
    server.world.items = {raw["id"]: raw for raw in server.world.items.values() if raw}
    cursor = Cursor(told={39_000_000 + n: int(NOW.timestamp()) - n for n in range(100)})
    kept = look(server, cursor, watch_stories=100).cursor
    told = json.dumps(kept.model_dump(mode="json"))
    assert len(told) < 5_000
    assert Cursor.parse(json.loads(told)) == kept
    assert Cursor.parse("nonsense") == Cursor()


def dump(folder: Path, name: str, *days: str, seconds_ago: float = 60) -> Path:
    lines = [
        {"id": 100 + at, "type": "story", "time": int(datetime.fromisoformat(f"{day}T15:00:00+00:00").timestamp())}
        for at, day in enumerate(days)
    ]
    path = folder / name
    path.write_text("\n".join(map(json.dumps, lines)) + "\n", encoding="utf-8")
    return path


def drops(folder: Path, cursor: Cursor, seconds: float = 60) -> Poll:
    given = Settings(source="sample", watch_dumps=folder)
    return asyncio.run(poll(cursor, given, datetime.now(UTC) + timedelta(seconds=seconds)))


def test_the_days_of_a_dump_that_was_dropped_are_asked_for_once(tmp_path: Path) -> None:
    path = dump(tmp_path, "a.ndjson", "2026-10-21", "2026-10-20", "2026-10-21")
    first = drops(tmp_path, Cursor())
    assert [(event.day.isoformat(), event.source) for event in first.events if isinstance(event, DayRequested)] == [
        ("2026-10-20", f"replay:{path}"),
        ("2026-10-21", f"replay:{path}"),
    ]
    again = drops(tmp_path, first.cursor)
    assert again.events == ()
    assert again.skipped[-1] == f"no dump is new in {tmp_path}"
    # A dump that comes late with an old date of change came late all the same.
    late = dump(tmp_path, "A.ndjson", "2026-10-19")
    os.utime(late, (1, 1))
    assert [event.resource_id for event in drops(tmp_path, first.cursor).events] == ["hn.day.2026-10-19"]


def test_a_dump_that_was_replaced_is_another_fact(tmp_path: Path) -> None:
    dump(tmp_path, "a.ndjson", "2026-10-21")
    first = drops(tmp_path, Cursor())
    dump(tmp_path, "a.ndjson", "2026-10-21", "2026-10-21")
    second = drops(tmp_path, first.cursor)
    assert len(first.events) == len(second.events) == 1
    assert first.events[0].id != second.events[0].id


def test_a_dump_that_is_still_written_to_is_left_to_the_next_poll(tmp_path: Path) -> None:
    dump(tmp_path, "a.ndjson", "2026-10-21")
    early = drops(tmp_path, Cursor(), seconds=0)
    assert early.events == ()
    assert early.skipped[-1] == "a.ndjson may still be written to: the next poll reads it"
    assert len(drops(tmp_path, early.cursor).events) == 1


def test_a_dump_that_is_none_or_holds_too_much_is_left_out_with_a_reason_and_not_met_again(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text("[", encoding="utf-8")
    dump(
        tmp_path,
        "b.ndjson",
        *(f"2026-{month:02}-10" for month in range(1, 11)),
        *(f"2025-0{m}-{d}" for m in (1, 2) for d in range(10, 25)),
    )
    (tmp_path / "notes.txt").write_text("no dump", encoding="utf-8")
    first = drops(tmp_path, Cursor())
    assert first.events == ()
    assert [line.partition(":")[0] for line in first.skipped[1:]] == ["a.json is left out", "b.ndjson is left out"]
    assert "holds 40 days, 2025-01-10 to 2026-10-10; run a backfill" in first.skipped[2]
    assert drops(tmp_path, first.cursor).skipped[1:] == (f"no dump is new in {tmp_path}",)


def test_a_dump_whose_name_is_no_text_keeps_no_other_from_being_taken(tmp_path: Path) -> None:
    try:
        (tmp_path / os.fsdecode(b"\xff\xfe.ndjson")).write_text("", encoding="utf-8")
    except OSError:
        pytest.skip("this system has no such names")
    dump(tmp_path, "z.ndjson", "2026-10-21")
    found = drops(tmp_path, Cursor())
    assert [event.day.isoformat() for event in found.events if isinstance(event, DayRequested)] == ["2026-10-21"]
    assert "its name is not valid text, rename it" in found.skipped[-1]
    found.skipped[-1].encode()
    found.cursor.model_dump_json().encode()


def asked_for(polled: Poll) -> list[str]:
    return [event.day.isoformat() for event in polled.events if isinstance(event, DayRequested)]


@pytest.mark.parametrize("error", [MemoryError(), ZeroDivisionError("words of a page")])
def test_a_dump_that_fails_in_a_way_nobody_foresaw_keeps_no_other_from_being_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    dump(tmp_path, "a.ndjson", "2026-10-20")
    dump(tmp_path, "b.ndjson", "2026-10-21")
    days = ReplaySource.days

    def fails(self: ReplaySource, zone: str) -> Any:
        if self._files[0].name == "a.ndjson":
            raise error
        return days(self, zone)

    monkeypatch.setattr(ReplaySource, "days", fails)
    found = drops(tmp_path, Cursor())
    assert asked_for(found) == ["2026-10-21"]
    kind = type(error).__name__
    assert found.skipped[1:] == (f"a.ndjson is left out: unexpected {kind}, replay it by hand to see why",)
    assert drops(tmp_path, found.cursor).events == ()


def test_days_that_a_run_would_refuse_are_left_out_with_a_reason(tmp_path: Path) -> None:
    today = datetime.now(UTC).date()
    late = [str(today + timedelta(days=number)) for number in (3, 9)]
    dump(tmp_path, "a.ndjson", "1970-01-01", "2026-10-21", *late)
    found = drops(tmp_path, Cursor())
    assert asked_for(found) == ["2026-10-21"]
    assert found.skipped[1:] == (
        "a.ndjson: days before the first day, HNINTEL_FIRST_DAY=2006-10-09, are left out: 1970-01-01",
        f"a.ndjson: days that have not begun in America/New_York are left out: {late[0]} to {late[1]}",
    )


def test_the_day_that_it_is_in_the_business_zone_is_the_last_that_is_asked_for(tmp_path: Path) -> None:
    path = dump(tmp_path, "a.ndjson", "2030-06-04", "2030-06-05")  # at 11:00 in New York
    given = Settings(source="sample", watch_dumps=tmp_path)
    found = asyncio.run(poll(Cursor(), given, datetime(2030, 6, 5, 3, 59, tzinfo=UTC)))
    assert asked_for(found) == ["2030-06-04"]
    assert found.skipped[-1].startswith(f"{path.name}: days that have not begun")
    assert asked_for(asyncio.run(poll(Cursor(), given, datetime(2030, 6, 5, 4, tzinfo=UTC)))) == [
        "2030-06-04",
        "2030-06-05",
    ]


def test_a_link_that_is_dropped_is_new_though_the_file_it_leads_to_is_old(tmp_path: Path) -> None:
    folder, elsewhere = tmp_path / "watched", tmp_path / "elsewhere"
    folder.mkdir()
    elsewhere.mkdir()
    old = dump(elsewhere, "old.ndjson", "2026-10-20")
    time.sleep(0.02)  # the clock of files may go in steps
    dump(folder, "first.ndjson", "2026-10-21")
    first = drops(folder, Cursor())
    time.sleep(0.02)
    (folder / "link.ndjson").symlink_to(old)
    assert asked_for(drops(folder, first.cursor)) == ["2026-10-20"]
    assert drops(folder, drops(folder, first.cursor).cursor).events == ()


def test_where_the_clock_was_ahead_what_came_since_is_seen_and_told_once(tmp_path: Path) -> None:
    ahead = datetime.now(UTC) + timedelta(days=300)
    dump(tmp_path, "a.ndjson", "2026-10-21")
    found = drops(tmp_path, Cursor(dump=(int(ahead.timestamp() * 1e9), "z.ndjson")))
    assert asked_for(found) == ["2026-10-21"]
    assert found.skipped[1].startswith("the clock was ahead at the last dump: dumps since ")
    again = drops(tmp_path, found.cursor)
    assert (again.events, again.skipped[1:]) == ((), (f"no dump is new in {tmp_path}",))


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ('{"broken', "it is not readable as JSON lines"),
        ("<html>\n<body>\n", "it is not readable as JSON lines"),
        ('{"broken\n{"id": 1, "type": "comment", "time": 1792656000, "parent": 2}\n', "it holds no story with a time"),
        ("", "it holds no story with a time"),
    ],
)
def test_a_dump_that_is_no_json_is_told_as_such(tmp_path: Path, content: str, why: str) -> None:
    (tmp_path / "a.ndjson").write_text(content, encoding="utf-8")
    assert drops(tmp_path, Cursor()).skipped[1:] == (f"a.ndjson is left out: {why}",)


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    assert "create it, or correct HNINTEL_WATCH_DUMPS" in drops(tmp_path / "nowhere", Cursor()).skipped[-1]

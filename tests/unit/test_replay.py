"""A dump of items in whatever file it came: how it is read, what is counted, and what is refused in one line."""

from __future__ import annotations

import asyncio
import gzip
import json
import lzma
import tracemalloc
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from hnintel.errors import SourceError, UsageError
from hnintel.settings import Settings
from hnintel.sources import open_source, replay
from hnintel.sources.base import Source
from hnintel.sources.replay import ReplaySource
from hnintel.window import Window

ZONE = "America/New_York"
DAY = date(2025, 4, 18)
NOON = Window.of(DAY, ZONE).start_epoch + 43_200
ITEMS = [{"id": number, "type": "story", "time": NOON + number, "title": f"Story {number}"} for number in (1, 2, 3)]

LINES = "\n".join(map(json.dumps, ITEMS)).encode()
ARRAY = json.dumps(ITEMS).encode()


def _listed(source: Source) -> tuple[tuple[int, ...], dict[str, int]]:
    listing = asyncio.run(source.list_day(Window.of(DAY, ZONE)))
    return listing.ids, dict(listing.notes)


def _replay(folder: Path, name: str, content: bytes) -> ReplaySource:
    (folder / name).write_bytes(content)
    return ReplaySource(folder / name)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.json", ARRAY),
        ("a.json", json.dumps(ITEMS, indent=4).encode()),
        ("a.json", LINES),
        ("a.ndjson", LINES),
        ("a.jsonl", LINES + b"\n\n\n"),
        ("a.jsonl", LINES.replace(b"\n", b"\r\n")),
        ("a.ndjson", b"\xef\xbb\xbf" + LINES),
        ("a.json", b"\xef\xbb\xbf \r\n\t" + ARRAY),
        ("a.json.gz", gzip.compress(ARRAY)),
        ("a.ndjson.gz", gzip.compress(LINES)),
        ("a.json.xz", lzma.compress(ARRAY)),
        ("a.jsonl.xz", lzma.compress(LINES)),
        ("A.NDJSON.GZ", gzip.compress(LINES)),
    ],
    ids=(
        "array indented lines-in-json lines blank-lines crlf bom bom-array gz-array gz-lines xz-array xz-lines capitals"
    ).split(),
)
def test_the_same_items_come_out_of_every_kind_of_file(tmp_path: Path, name: str, content: bytes) -> None:
    assert _listed(_replay(tmp_path, name, content)) == ((1, 2, 3), {})


def test_one_item_printed_over_several_lines_is_one_item(tmp_path: Path) -> None:
    assert _listed(_replay(tmp_path, "item.json", json.dumps(ITEMS[0], indent=2).encode())) == ((1,), {})


@pytest.mark.parametrize("name", ["a.json", "a.ndjson", "a.jsonl.gz", "a.json.xz"])
@pytest.mark.parametrize("content", [b"", b"\n \r\n", b"[]"])
def test_an_empty_file_holds_nothing_and_is_no_error(tmp_path: Path, name: str, content: bytes) -> None:
    pack: Callable[[bytes], bytes] = {".gz": gzip.compress, ".xz": lzma.compress}.get(Path(name).suffix, bytes)
    source = _replay(tmp_path, name, pack(content))
    assert _listed(source) == ((), {})
    assert source.newest_day(ZONE) is None


def test_lines_that_are_not_json_are_counted_and_the_rest_is_taken(tmp_path: Path) -> None:
    content = b'{"id": 9, "broken\n' + LINES + b"\nnot json\n" + b"[" * 100_000 + b"\n"
    assert _listed(_replay(tmp_path, "a.ndjson", content)) == ((1, 2, 3), {"lines that are not JSON": 3})


#: What is no line of JSON and would fill the memory: unpacked it is five times the longest line that is taken.
BOMB = b"x" * (5 * replay.MOST_BYTES)


@pytest.mark.parametrize(
    ("name", "pack", "content"),
    [
        ("a.ndjson", bytes, BOMB + b"\n" + LINES),
        ("a.ndjson.gz", gzip.compress, LINES + b"\n" + BOMB),
        ("a.ndjson.gz", gzip.compress, b'{"id": 9, "broken": "' + BOMB + b"\n" + LINES),
        ("a.ndjson.xz", lzma.compress, LINES.replace(b"\n", b"\n" + BOMB + b"\n", 1)),
    ],
    ids=["first", "last", "first-as-an-item", "between"],
)
def test_a_line_that_is_too_long_is_never_held_is_counted_and_the_rest_is_taken(
    tmp_path: Path, name: str, pack: Callable[[bytes], bytes], content: bytes
) -> None:
    source = _replay(tmp_path, name, pack(content))
    tracemalloc.start()
    try:
        assert _listed(source) == ((1, 2, 3), {"lines of more than 16 MB": 1})
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most < len(BOMB)


def test_the_longest_line_there_may_be_is_taken_and_one_byte_more_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replay, "MOST_BYTES", max(map(len, LINES.splitlines(keepends=True))))
    assert _listed(_replay(tmp_path, "a.ndjson", LINES + b"\n")) == ((1, 2, 3), {})
    longer = LINES.replace(b"Story 2", b"Story 22")
    assert _listed(_replay(tmp_path, "b.ndjson", longer + b"\n")) == ((1, 3), {"lines of more than 16 MB": 1})


def test_lines_after_a_broken_first_one_are_taken_where_they_are_longer_than_any_item_together(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replay, "MOST_BYTES", 150)
    assert _listed(_replay(tmp_path, "a.ndjson", b'{"id": 9, "broken\n' + LINES + b"\nnot json\n")) == (
        (1, 2, 3),
        {"lines that are not JSON": 2},
    )


def test_an_array_that_no_memory_is_for_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replay, "_MOST_OF_AN_ARRAY", 1_000_000)
    source = _replay(tmp_path, "a.json.gz", gzip.compress(b"[" + b" " * 2_000_000 + b"]"))
    with pytest.raises(SourceError, match=r"a JSON array of more than 1 MB: write an item a line; no item of it"):
        source.newest_day(ZONE)


def test_what_is_no_item_is_counted(tmp_path: Path) -> None:
    odd: list[Any] = [None, 5, "text", [], {}, {"id": "7"}, {"id": True}, {"id": -1}, {"id": 2**70}]
    ids, notes = _listed(_replay(tmp_path, "a.json", json.dumps(ITEMS + odd).encode()))
    assert ids == (1, 2, 3)
    assert notes == {"null items": 1, "not items": 8}


def test_a_story_without_a_time_that_can_be_told_is_on_no_day_and_is_counted(tmp_path: Path) -> None:
    odd = [
        {"id": 10 + place, "type": "story", "time": time} for place, time in enumerate([None, "5", -1, 10**15, True])
    ]
    ids, notes = _listed(_replay(tmp_path, "a.json", json.dumps(ITEMS + odd).encode()))
    assert (ids, notes) == ((1, 2, 3), {"without a time": 5})


def test_of_an_item_given_twice_the_last_is_taken_and_it_is_counted(tmp_path: Path) -> None:
    source = _replay(tmp_path, "a.json", json.dumps([*ITEMS, {**ITEMS[0], "title": "Edited"}]).encode())
    assert _listed(source) == ((1, 2, 3), {"items given twice": 1})
    [reading] = asyncio.run(source.read([1]))
    assert reading.raw is not None
    assert reading.raw["title"] == "Edited"


def test_comments_are_read_and_not_listed(tmp_path: Path) -> None:
    comment = {"id": 8, "type": "comment", "parent": 1, "time": NOON}
    source = _replay(tmp_path, "a.json", json.dumps([*ITEMS, comment]).encode())
    assert _listed(source)[0] == (1, 2, 3)
    assert asyncio.run(source.read([8]))[0].raw == comment


def test_a_folder_is_read_file_by_file_in_the_order_of_their_names(tmp_path: Path) -> None:
    (tmp_path / "b.ndjson").write_text(json.dumps({**ITEMS[0], "title": "Later"}))
    (tmp_path / "a.json.gz").write_bytes(gzip.compress(ARRAY))
    (tmp_path / "notes.txt").write_text("no dump")
    (tmp_path / "pages.json").write_text('{"http://a.example/": {}}')
    (tmp_path / "deeper").mkdir()
    source = ReplaySource(tmp_path)
    assert _listed(source) == ((1, 2, 3), {"items given twice": 1})
    [reading] = asyncio.run(source.read([1]))
    assert reading.raw is not None
    assert reading.raw["title"] == "Later"


@pytest.mark.parametrize(
    ("name", "content", "why"),
    [
        ("a.ndjson.gz", gzip.compress(LINES)[:-12], "the file is cut short"),
        ("a.json.xz", lzma.compress(ARRAY)[:-20], "the file is cut short"),
        ("a.json.gz", b"no gzip", "Not a gzipped file"),
        ("a.json.gz", gzip.compress(ARRAY)[:10] + b"\x07" * 40, "Error -3 while decompressing"),
        ("a.json.xz", b"no xz", "not supported by decoder"),
        ("a.json", ARRAY[:-30], "begins like a JSON array but is not valid JSON"),
    ],
    ids=["cut-gz", "cut-xz", "no-gz", "broken-gz", "no-xz", "cut-array"],
)
def test_half_a_dump_is_not_taken_for_a_whole_one(tmp_path: Path, name: str, content: bytes, why: str) -> None:
    source = _replay(tmp_path, name, content)
    with pytest.raises(SourceError, match="no item of it was loaded") as told:
        source.newest_day(ZONE)
    assert why in str(told.value)
    assert "\n" not in str(told.value)
    with pytest.raises(SourceError):  # nor the second time
        source.newest_day(ZONE)


@pytest.mark.parametrize("name", ["a.csv", "a.json.zip", "json"])
def test_a_file_of_another_kind_is_refused_with_those_that_are_read(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(ARRAY)
    with pytest.raises(UsageError, match=r"is none of \.json, \.ndjson, \.jsonl, plain or with \.gz, \.xz"):
        ReplaySource(tmp_path / name)


def test_a_path_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"nowhere\.json does not exist"):
        open_source(f"replay:{tmp_path}/nowhere.json", Settings(home=tmp_path))
    with pytest.raises(UsageError, match="holds no file that ends in"):
        ReplaySource(tmp_path)
    with pytest.raises(UsageError, match="a dump is not fetched: download it first"):
        open_source("replay:https://example.com/items.json", Settings(home=tmp_path))


@pytest.mark.parametrize("name", ["C:dump.json", "one,two.json", "a,b,c.json", "with space.json", "ünïcode.json"])
def test_any_path_can_be_named_also_one_with_a_colon_or_a_comma(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(ARRAY)
    pages = tmp_path / "pages, and more"
    pages.mkdir()
    (pages / "pages.json").write_text("{}")
    alone = open_source(f"replay:{tmp_path / name}", Settings(home=tmp_path))
    with_pages = open_source(f"replay:{tmp_path / name},{pages}", Settings(home=tmp_path))
    assert _listed(alone)[0] == _listed(with_pages)[0] == (1, 2, 3)
    assert alone.pages() is None
    assert with_pages.pages() is not None


def test_its_identity_changes_when_a_file_does(tmp_path: Path) -> None:
    before = _replay(tmp_path, "a.json", ARRAY).identity
    assert _replay(tmp_path, "a.json", ARRAY + b" ").identity != before


def test_tens_of_thousands_of_real_stories_are_replayed_from_their_packed_files(test_data: Path) -> None:
    source = ReplaySource(test_data / "hn_firebase/stories")
    assert source.newest_day(ZONE) == date(2020, 1, 9)
    listing = asyncio.run(source.list_day(Window.of(date(2019, 11, 1), ZONE)))
    assert len(listing.ids) > 100
    assert all(reading.outcome == "ok" for reading in asyncio.run(source.read(listing.ids)))

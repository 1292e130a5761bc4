"""What goes when its time is up, and what stays: raw text by its day, cached results by their age."""

from __future__ import annotations

import os
from datetime import date, datetime
from pathlib import Path

import pytest

from hnintel.settings import Settings
from hnintel.warehouse import open_warehouse
from hnintel.warehouse.base import Session, Warehouse
from hnintel.warehouse.retention import Pruned, Removed, prune_cache, prune_raw

OLD, NEW, TODAY = date(2026, 1, 1), date(2026, 3, 1), date(2026, 3, 11)
NOW = datetime(2026, 3, 2)
#: Ten days are kept: what is of NEW, the first day that is, stays.
KEPT = 10


@pytest.fixture
def warehouse(tmp_path: Path) -> Warehouse:
    """An old and a new story, each with a comment and an article; a third article is named by both."""
    warehouse = open_warehouse(Settings(home=tmp_path))
    with warehouse.transaction(stage="enrich") as session:
        for item_id, day in ((1, OLD), (2, NEW), (3, OLD), (4, NEW)):
            url = f"http://a.example/{item_id}" if item_id < 3 else "http://a.example/both"
            session.execute(
                "INSERT INTO raw.items (id, day, status, title, canonical_url, text, source, content_hash, run_id, "
                "loaded_at) VALUES (?, ?, 'ok', 'A title', ?, 'Text', 'live', 'h', 'r', ?)",
                [item_id, day, url, NOW],
            )
            session.execute(
                "INSERT INTO raw.comments (id, story_id, depth, status, text, content_hash, run_id, loaded_at) "
                "VALUES (?, ?, 1, 'ok', 'Text', 'h', 'r', ?)",
                [item_id * 10, item_id, NOW],
            )
        for url in ("1", "2", "both"):
            session.execute(
                "INSERT INTO raw.articles (canonical_url, url, status, text, description, text_hash, attempts, run_id, "
                "fetched_at) VALUES (?, 'u', 'ok', 'Text', 'A sentence', 'h', 1, 'r', ?)",
                [f"http://a.example/{url}", NOW],
            )
    return warehouse


def _with_text(session: Session, table: str, key: str) -> list[object]:
    return [row[0] for row in session.execute(f"SELECT {key} FROM raw.{table} WHERE text IS NOT NULL ORDER BY 1")]


def test_text_older_than_it_is_kept_goes_and_an_article_stays_while_a_kept_day_names_it(warehouse: Warehouse) -> None:
    with warehouse.transaction(stage="enrich") as session:
        assert prune_raw(session, KEPT, TODAY) == Pruned(items=2, comments=2, articles=1)
        assert _with_text(session, "items", "id") == [2, 4]
        assert _with_text(session, "comments", "id") == [20, 40]
        assert _with_text(session, "articles", "canonical_url") == ["http://a.example/2", "http://a.example/both"]


def test_all_but_the_text_stays(warehouse: Warehouse) -> None:
    with warehouse.transaction(stage="enrich") as session:
        prune_raw(session, KEPT, TODAY)
        assert session.execute("SELECT title, content_hash FROM raw.items WHERE id = 1") == [("A title", "h")]
        assert session.execute("SELECT status, text_hash FROM raw.articles WHERE text IS NULL") == [("ok", "h")]


def test_the_description_of_an_article_goes_with_its_text_and_that_of_a_walled_one_too(warehouse: Warehouse) -> None:
    with warehouse.transaction(stage="enrich") as session:
        session.execute("UPDATE raw.articles SET text = NULL, status = 'walled' WHERE canonical_url LIKE '%/1'")
        assert prune_raw(session, KEPT, TODAY).articles == 1
        kept = session.execute("SELECT canonical_url FROM raw.articles WHERE description IS NOT NULL ORDER BY 1")
        assert kept == [("http://a.example/2",), ("http://a.example/both",)]


def test_a_second_time_there_is_nothing_left_to_go(warehouse: Warehouse) -> None:
    with warehouse.transaction(stage="enrich") as session:
        prune_raw(session, KEPT, TODAY)
        assert prune_raw(session, KEPT, TODAY) == Pruned()


def test_a_dry_run_counts_and_leaves_everything(warehouse: Warehouse) -> None:
    with warehouse.transaction(stage="enrich") as session:
        assert prune_raw(session, KEPT, TODAY, dry_run=True) == Pruned(items=2, comments=2, articles=1)
        assert _with_text(session, "items", "id") == [1, 2, 3, 4]


def test_by_default_raw_text_is_kept_for_good(warehouse: Warehouse, tmp_path: Path) -> None:
    with warehouse.transaction(stage="enrich") as session:
        assert prune_raw(session, Settings(home=tmp_path).raw_text_days, date(2099, 1, 1)) == Pruned()
        assert _with_text(session, "items", "id") == [1, 2, 3, 4]


def _file(path: Path, days_old: float, now: float = 1_000_000_000) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"result")
    os.utime(path, (now - days_old * 86_400,) * 2)
    return path


def test_cached_results_go_by_when_they_were_written(tmp_path: Path) -> None:
    old, deep = _file(tmp_path / "old", 31), _file(tmp_path / "a/b/deep", 400)
    new = _file(tmp_path / "new", 29)
    assert prune_cache(tmp_path, 30, now=1_000_000_000, dry_run=True) == Removed(files=2, bytes=12)
    assert old.exists()
    assert prune_cache(tmp_path, 30, now=1_000_000_000) == Removed(files=2, bytes=12)
    assert (old.exists(), deep.exists(), new.exists()) == (False, False, True)
    assert prune_cache(tmp_path, 30, now=1_000_000_000) == Removed()


def test_links_out_of_the_folder_are_neither_followed_nor_removed(tmp_path: Path) -> None:
    outside = _file(tmp_path / "outside/precious", 400)
    folder = tmp_path / "results"
    folder.mkdir()
    (folder / "link").symlink_to(outside)
    (folder / "folder-link").symlink_to(outside.parent)
    assert prune_cache(folder, 30, now=1_000_000_000) == Removed()
    assert outside.exists()
    assert (folder / "link").is_symlink()


def test_a_folder_that_is_not_there_holds_nothing(tmp_path: Path) -> None:
    assert prune_cache(tmp_path / "nowhere", 30) == Removed()

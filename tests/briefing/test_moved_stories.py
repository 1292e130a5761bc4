"""A story whose time Hacker News moves to a later day: its first day keeps it, and the later day's page says so."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from tests.briefing.desk import Desk
from tests.warehouse.world import DAY, story

LATER = DAY + timedelta(days=2)


def test_a_story_whose_time_was_moved_stays_on_its_first_day_and_the_later_page_says_so(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    posted = story(1, "A second chance")
    assert posted.posted_at is not None
    desk.load([posted, story(2)])
    moved = posted.model_copy(update={"day": LATER, "posted_at": posted.posted_at + timedelta(days=2), "score": 900})
    for _ in range(2):
        desk.load([moved, story(3).model_copy(update={"day": LATER})])
    desk.load([moved.model_copy(update={"day": DAY})])  # its first day is read again, by its known ids
    rows = desk.rows("SELECT id, day, posted_at, score FROM raw.items WHERE id = 1")
    assert rows == [{"id": 1, "day": DAY, "posted_at": posted.posted_at, "score": 900}]
    assert desk.rows("SELECT id, day, first_day FROM raw.listed_again") == [{"id": 1, "day": LATER, "first_day": DAY}]
    desk.write(LATER)
    html, markdown = desk.publish(LATER)
    for text in (html, markdown):
        assert "Posted before, listed again" in text
        assert "A second chance" in text
    assert f'href="{DAY}.html"' in html


def test_a_story_whose_window_changes_with_the_zone_takes_its_new_day(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.load([story(1)])
    desk.load([story(1).model_copy(update={"day": LATER})])
    assert desk.rows("SELECT day FROM raw.items") == [{"day": LATER}]
    assert desk.rows("SELECT * FROM raw.listed_again") == []

"""What was deleted at the source loses its words here too, and what hung on it goes."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from hnintel.ingest import loading, scraping
from hnintel.settings import Settings
from hnintel.sources.base import Listing
from hnintel.warehouse.base import Warehouse
from tests.unit.reading import DAY, NOW, THREAD, comment, rows, story, take

URL = "http://site.example/article"


def _keep_article(warehouse: Warehouse) -> None:
    with warehouse.transaction(stage="enrich") as session:
        session.execute(
            "INSERT INTO raw.articles (canonical_url, url, status, text, attempts, run_id, fetched_at) "
            "VALUES (?, ?, 'ok', 'The article.', 1, 'a-run', ?)",
            [URL, URL, NOW],
        )


def test_a_deleted_item_loses_its_words_its_comments_theirs_and_its_article_goes(
    warehouse: Warehouse, settings: Settings
) -> None:
    take(warehouse, settings, story(1, url=URL, text="Its text", kids=[10, 20]), *THREAD[1:])
    _keep_article(warehouse)
    gone = {"id": 10, "type": "comment", "deleted": True, "parent": 1}
    take(warehouse, settings, {"id": 1, "type": "story", "deleted": True, "time": 5}, gone, *THREAD[2:], later=24)
    words = "status, title, url, canonical_url, domain, text, author"
    assert rows(warehouse, f"SELECT {words} FROM raw.items") == [("deleted", *(None,) * 6)]
    assert rows(warehouse, "SELECT status, text, depth FROM raw.comments WHERE id = 10") == [("deleted", None, 1)]
    assert rows(warehouse, "SELECT text FROM raw.comments WHERE id = 11") == [("Comment 11",)]  # that one is not
    assert rows(warehouse, "SELECT * FROM raw.articles") == []


def test_a_comment_is_seen_to_be_deleted_also_when_its_parent_names_it_no_more(
    warehouse: Warehouse, settings: Settings
) -> None:
    take(warehouse, settings, *THREAD)
    gone = {"id": 13, "type": "comment", "deleted": True, "parent": 11}
    parted = comment(11, 10)  # its kids are not told any more
    take(warehouse, settings, THREAD[0], THREAD[1], parted, THREAD[3], gone, *THREAD[5:], later=24)
    assert rows(warehouse, "SELECT status, text, depth FROM raw.comments WHERE id = 13") == [("deleted", None, 3)]


@pytest.mark.parametrize(("other", "left"), [({}, 1), ({"dead": True}, 0), ({"deleted": True}, 0)])
def test_an_article_stays_while_a_live_item_names_it(
    warehouse: Warehouse, settings: Settings, other: dict[str, Any], left: int
) -> None:
    take(warehouse, settings, story(1, url=URL), story(2, url=f"{URL}#top", **other))
    _keep_article(warehouse)
    take(warehouse, settings, {"id": 1, "type": "story", "deleted": True}, later=24)
    assert len(rows(warehouse, "SELECT * FROM raw.articles")) == left


def test_the_options_of_a_deleted_poll_go_with_it(warehouse: Warehouse, settings: Settings) -> None:
    option = {"id": 70, "type": "pollopt", "poll": 7, "text": "Yes", "score": 4, "time": 5, "by": "someone"}
    take(warehouse, settings, story(7, type="poll", parts=[70]), option)
    take(warehouse, settings, {"id": 7, "type": "poll", "deleted": True}, later=24)
    assert rows(warehouse, "SELECT status, text, author FROM raw.items WHERE id = 70") == [("deleted", None, None)]


def test_what_was_listed_before_is_read_again_though_it_is_listed_no_more(
    warehouse: Warehouse, settings: Settings
) -> None:
    take(warehouse, settings, story(1), story(2), {"id": 3, "type": "story", "deleted": True})
    with warehouse.transaction(stage="enrich") as session:
        known = loading.known_ids(session, DAY, "live")
        assert loading.known_ids(session, DAY, "sample") == loading.known_ids(session, date(2025, 4, 17), "live") == []
    listing = scraping.with_known(Listing((2, 5)), known)
    assert (listing.ids, listing.notes) == ((1, 2, 5), {"listed before and not now": 1})
    assert scraping.with_known(Listing((1, 2)), known).notes == {}

"""Reading a chunk of a day and loading it: what lands, with which status, and what a second reading changes."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import timedelta

import pytest

from hnintel.ingest import scraping
from hnintel.ingest.changes import Changes
from hnintel.ingest.comment_tree import Place
from hnintel.ingest.loading import Loaded
from hnintel.ingest.scraping import Scraped
from hnintel.settings import Settings
from hnintel.warehouse.base import Warehouse
from tests.unit.reading import NOW, THREAD, Items, comment, load, rows, scrape, story, take

# --- what lands ------------------------------------------------------------------------------------------------------


def test_every_kind_of_item_lands_with_its_status(warehouse: Warehouse, settings: Settings) -> None:
    source = Items(
        story(1),
        story(2, dead=True),
        {"id": 3, "deleted": True, "type": "story", "time": 5},
        {"id": 4, "deleted": True},
        {"id": 5, "type": "job", "time": 5, "title": "A job", "score": 1, "by": "company"},
        story(6, text="Ask HN: <p>why?"),
        story(7, type="poll", parts=[70, 71], url=None),
        {"id": 70, "type": "pollopt", "poll": 7, "text": "Yes", "score": 4, "time": 5, "by": "someone"},
        {"id": 71, "type": "pollopt", "poll": 7, "text": "No", "score": 2, "time": 5, "by": "someone"},
    )
    scraped = scrape(source, [1, 2, 3, 4, 5, 6, 7, 8], settings)
    assert scraped.lost == []
    load(warehouse, scraped)
    assert rows(warehouse, "SELECT id, type, status, text, parent FROM raw.items ORDER BY id") == [
        (1, "story", "ok", None, None),
        (2, "story", "dead", None, None),
        (3, "story", "deleted", None, None),
        (4, None, "deleted", None, None),
        (5, "job", "ok", None, None),
        (6, "story", "ok", "Ask HN:\n\nwhy?", None),
        (7, "poll", "ok", None, None),
        (8, None, "null", None, None),
        (70, "pollopt", "ok", "Yes", 7),
        (71, "pollopt", "ok", "No", 7),
    ]


def test_items_and_lost_add_up_to_what_was_asked_for_poll_options_apart(settings: Settings) -> None:
    source = Items(
        story(1), story(2, score="lots"), comment(3, 1), story(4, type="poll", parts=[40, 41]), failing=[5, 41]
    )
    scraped = scrape(source, [1, 2, 3, 4, 5, 6], settings)
    assert [item.id for item in scraped.items] == [1, 4, 6, 40]
    assert {one.key: one.reason for one in scraped.lost} == {
        "2": "malformed: score: Input should be a valid integer, unable to parse string as an integer",
        "3": "malformed: a comment where a story, job or poll was listed",
        "5": "away",
    }
    assert [(one.stage, one.key) for one in scraped.lost_below] == [("options", "41")]


@pytest.mark.parametrize(("kind", "told"), [("essay", "essay"), ("<b>\n", "thing without a type")])
def test_an_item_of_a_type_that_there_was_not_yet_is_a_dead_letter_and_no_day_fails_for_it(
    settings: Settings, kind: str, told: str
) -> None:
    scraped = scrape(Items(story(1), story(2, type=kind)), [1, 2], settings)
    assert [item.id for item in scraped.items] == [1]
    assert [one.reason for one in scraped.lost] == [f"malformed: a {told} where a story, job or poll was listed"]


def test_the_reason_of_a_malformed_item_never_repeats_what_it_holds(settings: Settings) -> None:
    [lost] = scrape(Items(story(1, title=["secret words"])), [1], settings).lost
    assert lost.reason == "malformed: title: Input should be a valid string"


def test_fields_that_are_new_or_gone_at_the_source_are_counted(settings: Settings) -> None:
    bare = {key: value for key, value in story(2).items() if key != "score"}
    source = Items(story(1, flair="x"), bare, story(3, flair=1, **{"<b>": 1}), {"id": 4, "deleted": True})
    scraped = scrape(source, [1, 2, 3, 4], settings)
    assert scraped.notes == {"new field flair": 2, "new field (no name)": 1, "missing field story.score": 1}


def test_chunks_add_up() -> None:
    total = Scraped(new_fields=Counter(a=1)) + Scraped(new_fields=Counter(a=2, b=1))
    assert total.new_fields == {"a": 3, "b": 1}


# --- comments --------------------------------------------------------------------------------------------------------


def _places(scraped: Scraped) -> dict[int, int]:
    return {comment.id: comment.depth for comment in scraped.comments}


def test_comments_are_read_level_by_level_one_read_a_level(settings: Settings) -> None:
    source = Items(*THREAD)
    assert _places(scrape(source, [1], settings)) == {10: 1, 20: 1, 11: 2, 12: 2, 21: 2, 13: 3}
    assert source.reads == [[1], [10, 20], [11, 12, 21], [13]]


@pytest.mark.parametrize(("depth", "ids"), [(0, []), (1, [10, 20]), (2, [10, 20, 11, 12, 21])])
def test_only_so_many_levels_are_read(settings: Settings, depth: int, ids: list[int]) -> None:
    shallow = settings.model_copy(update={"comments_depth": depth})
    assert list(_places(scrape(Items(*THREAD), [1], shallow))) == ids


@pytest.mark.parametrize("count", [0, 1, 3, 5])
def test_only_so_many_comments_are_read_a_story_the_best_first(settings: Settings, count: int) -> None:
    few = settings.model_copy(update={"comments_per_story": count})
    assert list(_places(scrape(Items(*THREAD), [1], few))) == [10, 20, 11, 12, 21, 13][:count]


@pytest.mark.parametrize(("score", "read"), [(19, 0), (20, 6), (None, 0)])
def test_comments_are_read_below_stories_that_are_worth_it(settings: Settings, score: int | None, read: int) -> None:
    assert len(_places(scrape(Items(*THREAD[1:], {**THREAD[0], "score": score}), [1], settings))) == read


def test_a_comment_that_is_gone_keeps_its_place_and_what_hangs_below_it_is_read(settings: Settings) -> None:
    gone = [
        {"id": 10, "type": "comment", "deleted": True, "parent": 1, "kids": [11]},
        comment(11, 10, 13, dead=True, text="[flagged]"),
        comment(13, 11),
    ]
    scraped = scrape(Items(story(1, kids=[10, 99]), *gone), [1], settings)
    assert {comment.id: (comment.status, comment.depth) for comment in scraped.comments} == {
        10: ("deleted", 1),
        99: ("null", 1),
        11: ("dead", 2),
        13: ("ok", 3),
    }


def test_a_comment_that_names_itself_or_its_story_below_it_does_not_go_round_for_ever(settings: Settings) -> None:
    assert _places(scrape(Items(story(1, kids=[10, 10]), comment(10, 1, 10, 1)), [1], settings))[10] == 1


def test_a_comment_that_fails_is_a_letter_that_says_where_it_hangs(warehouse: Warehouse, settings: Settings) -> None:
    load(warehouse, scrape(Items(*THREAD, failing=[11]), [1], settings))
    assert rows(warehouse, "SELECT stage, key, reason FROM ops.dead_letters") == [("comments", "1/2/11", "away")]
    again = asyncio.run(scraping.scrape_comments(Items(*THREAD), [Place.of("1/2/11")]))  # type: ignore[arg-type]
    load(warehouse, again)
    assert rows(warehouse, "SELECT count(*) FROM ops.dead_letters") == [(0,)]
    assert rows(warehouse, "SELECT story_id, depth, parent FROM raw.comments WHERE id = 11") == [(1, 2, 10)]


# --- reading again ---------------------------------------------------------------------------------------------------


def test_loading_the_same_again_changes_nothing(warehouse: Warehouse, settings: Settings) -> None:
    assert take(warehouse, settings, *THREAD) == Loaded(Changes(new=1), Changes(new=6))
    before = [rows(warehouse, f"SELECT * FROM raw.{table} ORDER BY id") for table in ("items", "comments")]
    again = take(warehouse, settings, *THREAD, later=24)
    assert again == Loaded(Changes(unchanged=1), Changes(unchanged=6))
    assert (again.inserted, again.updated) == (0, 0)
    assert [rows(warehouse, f"SELECT * FROM raw.{table} ORDER BY id") for table in ("items", "comments")] == before
    assert len(rows(warehouse, "SELECT * FROM raw.item_snapshots")) == 1


def test_what_is_new_is_told_from_what_changed_and_a_text_from_a_count(
    warehouse: Warehouse, settings: Settings
) -> None:
    take(warehouse, settings, story(1), story(2), story(3), story(4))
    second = [
        story(1),
        story(2, score=51),
        story(3, title="Another"),
        story(4, descendants=9, dead=True),
        story(5),
    ]
    loaded = take(warehouse, settings, *second, later=24)
    assert loaded.items == Changes(new=1, text=2, counts=1, unchanged=1)
    assert (loaded.inserted, loaded.updated) == (1, 3)


def test_snapshots_are_appended_only_when_a_score_or_a_count_has_moved(
    warehouse: Warehouse, settings: Settings
) -> None:
    for later, more in enumerate([{}, {"score": 60}, {"score": 60, "title": "Other"}, {"score": 60, "descendants": 4}]):
        take(warehouse, settings, story(1, **more), later=later)
    taken = rows(warehouse, "SELECT taken_at, score, comments FROM raw.item_snapshots ORDER BY taken_at")
    assert taken == [(NOW, 50, 0), (NOW + timedelta(hours=1), 60, 0), (NOW + timedelta(hours=3), 60, 4)]


def test_a_null_answer_does_not_overwrite_what_is_there(warehouse: Warehouse, settings: Settings) -> None:
    take(warehouse, settings, *THREAD)
    load(warehouse, scrape(Items(story(1, kids=[10])), [1], settings))  # comment 10 answers null
    loaded = load(warehouse, scrape(Items(), [1], settings))
    assert loaded.items == Changes(unchanged=1)
    assert rows(warehouse, "SELECT status, title FROM raw.items") == [("ok", "A title")]
    assert rows(warehouse, "SELECT status, text FROM raw.comments WHERE id = 10") == [("ok", "Comment 10")]


def test_an_item_that_was_null_is_filled_in_when_it_is_there(warehouse: Warehouse, settings: Settings) -> None:
    load(warehouse, scrape(Items(), [1], settings))
    assert take(warehouse, settings, story(1)).items == Changes(text=1)
    assert rows(warehouse, "SELECT status, title FROM raw.items") == [("ok", "A title")]


def test_a_failure_leaves_what_is_there_and_success_forgives_it(warehouse: Warehouse, settings: Settings) -> None:
    take(warehouse, settings, story(1))
    for hours in (1, 2):
        load(warehouse, scrape(Items(story(1), failing=[1]), [1], settings), NOW + timedelta(hours=hours))
    assert rows(warehouse, "SELECT status FROM raw.items") == [("ok",)]
    letters = "SELECT key, reason, attempts, first_seen, last_seen FROM ops.dead_letters"
    first, last = NOW + timedelta(hours=1), NOW + timedelta(hours=2)
    assert rows(warehouse, letters) == [("1", "away", 2, first, last)]
    take(warehouse, settings, story(1), later=3)
    assert rows(warehouse, letters) == []

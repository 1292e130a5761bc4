"""An item as it comes in, and as it is kept: what is valid, what is not, and the status it lands with."""

from __future__ import annotations

import contextlib
import gzip
import json
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from hnintel.ingest import rows
from hnintel.models import EXPECTED_FIELDS, KNOWN_FIELDS, FirebaseItem

DAY = date(2025, 4, 18)


def _item(**fields: Any) -> FirebaseItem:
    return FirebaseItem.model_validate({"id": 1, **fields})


def test_every_field_but_the_id_may_lack() -> None:
    assert _item().status == "ok"
    with pytest.raises(ValidationError, match="id"):
        FirebaseItem.model_validate({"type": "story"})


def test_an_explicit_null_is_as_an_absent_key() -> None:
    fields = "by dead deleted descendants kids parent parts poll score text time title type url".split()
    assert _item(**dict.fromkeys(fields)) == _item()


@pytest.mark.parametrize(
    ("flags", "status"),
    [
        ({}, "ok"),
        ({"dead": True}, "dead"),
        ({"deleted": True}, "deleted"),
        ({"dead": True, "deleted": True}, "deleted"),
    ],
)
def test_deleted_wins_over_dead(flags: dict[str, bool], status: str) -> None:
    assert _item(**flags).status == status


@pytest.mark.parametrize(
    "wrong",
    [
        {"id": 0},
        {"id": -5},
        {"id": 2**63},
        {"id": "one"},
        {"id": 1.5},
        {"time": -1},
        {"time": 10**12},
        {"score": 10**30},
        {"score": float("inf")},
        {"score": "many"},
        {"title": 17},
        {"title": ["a"]},
        {"kids": "1,2"},
        {"kids": [1, None]},
        {"kids": {"0": 1}},
        {"dead": "perhaps"},
        {"by": {"name": "x"}},
    ],
)
def test_wrong_types_and_absurd_values_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        FirebaseItem.model_validate({"id": 1, **wrong})


def test_times_are_exact_and_utc() -> None:
    assert _item(time=1_744_978_919).posted_at == datetime(2025, 4, 18, 12, 21, 59)
    assert _item(time=0).posted_at == datetime(1970, 1, 1)


def test_a_deleted_item_keeps_none_of_its_words_whatever_the_source_still_sends() -> None:
    found = _item(type="story", deleted=True, title="T", url="http://a.example/", text="x", by="me", time=5, score=3)
    row = rows.item(found, DAY, "live")
    assert (row.title, row.url, row.canonical_url, row.domain, row.text, row.author) == (None,) * 6
    assert (row.status, row.type, row.score, row.posted_at) == ("deleted", "story", 3, datetime(1970, 1, 1, 0, 0, 5))


def test_a_dead_item_keeps_what_the_source_shows_of_it() -> None:
    row = rows.item(_item(type="story", dead=True, title="T", by="me"), DAY, "live")
    assert (row.status, row.title, row.author) == ("dead", "T", "me")


def test_a_deleted_comment_keeps_its_place_and_loses_its_words() -> None:
    row = rows.comment(_item(type="comment", deleted=True, parent=9, text="x", by="me"), story_id=7, depth=2)
    assert (row.status, row.parent, row.story_id, row.depth, row.text, row.author) == ("deleted", 9, 7, 2, None, None)


def test_a_poll_option_hangs_below_its_poll() -> None:
    assert rows.item(_item(type="pollopt", poll=9, text="Yes", score=3), DAY, "live").parent == 9


def test_titles_are_one_line_without_what_hides_in_text() -> None:
    row = rows.item(_item(type="story", title="  A\u202e title\n\tof\u200b two\ud800 lines "), DAY, "live")
    assert row.title == "A title of two lines"


def test_two_readings_that_say_the_same_have_the_same_hash() -> None:
    story = {"type": "story", "title": "T", "score": 3}
    first, same = rows.item(_item(**story), DAY, "live"), rows.item(_item(**story, kids=[5]), DAY, "live")
    assert first.content_hash() == same.content_hash()
    assert first.content_hash() != rows.item(_item(**{**story, "score": 4}), DAY, "live").content_hash()


@pytest.mark.parametrize(
    ("fields", "is_comment"),
    [
        ({"type": "comment", "parent": 1}, True),
        ({"deleted": True, "parent": 1}, True),  # deletion may take even the type
        ({"type": "story"}, False),
        ({"deleted": True}, False),
        ({"type": "pollopt", "poll": 1}, False),
    ],
)
def test_a_comment_is_told_from_what_a_day_lists(fields: dict[str, Any], is_comment: bool) -> None:
    assert _item(**fields).is_comment is is_comment


@given(st.dictionaries(st.sampled_from(sorted(KNOWN_FIELDS)), st.none() | st.integers() | st.text() | st.booleans()))
def test_any_answer_is_taken_or_refused_and_never_breaks(raw: dict[str, Any]) -> None:
    with contextlib.suppress(ValidationError):
        assert rows.item(FirebaseItem.model_validate(raw), DAY, "live").row()["id"] == raw["id"]


def test_every_real_item_is_taken_with_its_status(test_data: Path) -> None:
    with gzip.open(test_data / "hn_firebase/items_below_43730300.ndjson.gz", "rt", encoding="utf-8") as lines:
        raws = [json.loads(line) for line in lines]
    for raw in raws:
        found = FirebaseItem.model_validate(raw)
        assert found.status == ("deleted" if raw.get("deleted") else "dead" if raw.get("dead") else "ok")
        assert raw.keys() <= KNOWN_FIELDS
        if found.status == "ok":
            assert EXPECTED_FIELDS[raw["type"]] <= raw.keys()


def test_the_items_of_the_official_documentation_are_taken(test_data: Path) -> None:
    samples = json.loads((test_data / "hn_firebase/official_readme_samples.json").read_text())
    items = [one["body"] for one in samples if "/item/" in one["url"]]
    rows_ = [rows.item(FirebaseItem.model_validate(raw), DAY, "live") for raw in items]
    assert {row.type for row in rows_} == {"story", "comment", "poll", "pollopt", "job"}
    assert all(row.status == "ok" and row.posted_at for row in rows_)

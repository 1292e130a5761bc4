"""What waits in the dead letters, which of it is due, and what another try does for each stage."""

from __future__ import annotations

import asyncio
from datetime import date, datetime, timedelta

import pytest

from hnintel.enrich.declaration import load_enrichments
from hnintel.ingest import retries
from hnintel.ingest.retries import Retried
from hnintel.ledger import dead_letters
from hnintel.ledger.dead_letters import Letter
from hnintel.settings import Settings
from hnintel.sources.sample import SampleSource
from hnintel.warehouse.base import Warehouse
from hnintel.warehouse.statements import statement
from tests.warehouse.world import bury

DAY = date(2026, 10, 22)
NOW = datetime(2026, 10, 23, 6)
ASKED = frozenset(enrichment.stage for enrichment in load_enrichments().values())
SAMPLE = SampleSource()


def _bury(warehouse: Warehouse, stage: str, *keys: str, at: datetime = NOW, times: int = 1) -> None:
    for _ in range(times):
        bury(warehouse, stage, keys, now=at, day=DAY)


def _bury_answer(warehouse: Warehouse, item_id: int, times: int) -> None:
    """As hnintel.enrich.run buries: with the hash of the text that was asked about."""
    with warehouse.transaction(stage="enrich") as session:
        session.execute(f"CREATE TEMP TABLE bad AS SELECT '{item_id}' AS key, 'no topic' AS reason, 'h' AS input_hash")
        for _ in range(times):
            session.merge(
                statement("enrich/give_up_letters", source="bad", final="cut", attempts=3),
                ["enrich:topic", "f1", DAY, NOW, "a-run"],
            )


def _article(warehouse: Warehouse, url: str, status: str, retry_at: datetime | None) -> None:
    with warehouse.transaction(stage="enrich") as session:
        session.execute(
            "INSERT INTO raw.articles (canonical_url, url, status, attempts, retry_at, run_id, fetched_at) "
            "VALUES (?, ?, ?, 4, ?, 'r', ?)",
            [url, url, status, retry_at, NOW],
        )


def _letters(warehouse: Warehouse, settings: Settings, hours: float, stage: str | None = None) -> list[Letter]:
    with warehouse.transaction(stage="enrich") as session:
        return dead_letters.letters(session, settings, NOW + timedelta(hours=hours), ASKED, stage)


def _retry(warehouse: Warehouse, settings: Settings, hours: float = 2) -> Retried:
    chosen = _letters(warehouse, settings, hours)
    now = NOW + timedelta(hours=hours)
    return asyncio.run(retries.retry(warehouse, SAMPLE, chosen, settings, "a-retry", now))


def _ids(count: int) -> list[int]:
    from hnintel.window import Window

    return list(asyncio.run(SAMPLE.list_day(Window.of(DAY, "America/New_York"))).ids[:count])


def test_without_letters_there_are_none(warehouse: Warehouse, settings: Settings) -> None:
    assert _letters(warehouse, settings, 0) == []
    assert _retry(warehouse, settings) == Retried()


def test_a_letter_says_what_it_is_of_why_and_since_when(warehouse: Warehouse, settings: Settings) -> None:
    _bury(warehouse, "items", "7")
    _bury(warehouse, "items", "7", at=NOW + timedelta(hours=1))
    last = NOW + timedelta(hours=1)
    assert _letters(warehouse, settings, 1) == [Letter("items", "7", DAY, "away", 2, NOW, last, due=False)]


@pytest.mark.parametrize(("hours", "times", "due"), [(0.9, 1, False), (1.0, 1, True), (99, 7, True), (99, 8, False)])
def test_an_item_is_due_an_hour_after_its_last_try_up_to_eight_times(
    warehouse: Warehouse, settings: Settings, hours: float, times: int, due: bool
) -> None:
    _bury(warehouse, "items", "7", times=times)
    assert [letter.due for letter in _letters(warehouse, settings, hours)] == [due]
    with warehouse.transaction(stage="enrich") as session:
        assert dead_letters.count_due(session, settings, NOW + timedelta(hours=hours), ASKED) == due


@pytest.mark.parametrize(
    ("status", "retry_in", "due"), [("retry_at", 1, True), ("retry_at", 3, False), ("gave_up", None, False)]
)
def test_an_article_is_due_when_its_own_backoff_says_so(
    warehouse: Warehouse, settings: Settings, status: str, retry_in: int | None, due: bool
) -> None:
    url = "http://a.example/"
    _article(warehouse, url, status, NOW + timedelta(hours=retry_in) if retry_in else None)
    _bury(warehouse, "articles", url)
    assert [letter.due for letter in _letters(warehouse, settings, 2)] == [due]


@pytest.mark.parametrize(("times", "hours", "due"), [(1, 0.5, False), (2, 1.5, True), (3, 99, False)])
def test_an_answer_is_due_as_its_settings_say(
    warehouse: Warehouse, settings: Settings, times: int, hours: float, due: bool
) -> None:
    _bury_answer(warehouse, 5, times)
    assert [letter.due for letter in _letters(warehouse, settings, hours)] == [due]


def test_letters_can_be_asked_for_by_stage(warehouse: Warehouse, settings: Settings) -> None:
    _bury(warehouse, "items", "1", "2")
    _bury(warehouse, "comments", "1/1/3")
    assert [letter.key for letter in _letters(warehouse, settings, 0, "comments")] == ["1/1/3"]


def test_items_are_read_again_and_land_on_their_day(warehouse: Warehouse, settings: Settings) -> None:
    ids = _ids(3)
    _bury(warehouse, "items", *map(str, ids))
    assert _retry(warehouse, settings) == Retried(taken=3, days=(DAY,))
    assert _letters(warehouse, settings, 2) == []
    with warehouse.transaction(stage="enrich") as session:
        assert session.execute("SELECT id, day FROM raw.items ORDER BY id") == [(one, DAY) for one in ids]


def test_what_fails_again_stays_with_another_attempt(warehouse: Warehouse, settings: Settings) -> None:
    comment = next(raw["id"] for raw in SAMPLE._store.items.values() if raw and raw.get("type") == "comment")
    _bury(warehouse, "items", str(comment))
    assert _retry(warehouse, settings) == Retried(failing=1, days=(DAY,))
    [letter] = _letters(warehouse, settings, 2)
    assert (letter.attempts, letter.first_seen) == (2, NOW)
    assert letter.reason == "malformed: a comment where a story, job or poll was listed"


def test_articles_are_made_due_for_the_next_run_also_those_given_up(warehouse: Warehouse, settings: Settings) -> None:
    url = "http://a.example/"
    _article(warehouse, url, "gave_up", None)
    _bury(warehouse, "articles", url, times=4)
    assert _retry(warehouse, settings) == Retried(made_due=1, days=(DAY,))
    [letter] = _letters(warehouse, settings, 2)
    assert (letter.due, letter.attempts, letter.reason) == (True, 0, "away")
    with warehouse.transaction(stage="enrich") as session:
        assert session.execute("SELECT status, attempts FROM raw.articles") == [("retry_at", 0)]


def test_an_enrichments_letters_are_pending_again_though_they_were_tried_too_often(
    warehouse: Warehouse, settings: Settings
) -> None:
    _bury_answer(warehouse, 5, times=3)
    assert _retry(warehouse, settings, hours=0) == Retried(made_due=1, days=(DAY,))
    [letter] = _letters(warehouse, settings, 0)
    assert (letter.due, letter.attempts, letter.first_seen, letter.last_seen) == (True, 0, NOW, NOW)
    _bury_answer(warehouse, 5, times=1)  # a bad answer again counts from one
    assert [letter.attempts for letter in _letters(warehouse, settings, 0)] == [1]

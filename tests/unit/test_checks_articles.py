"""The checks of what became of a day's pages: against a limit, and against the days before."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from tests.unit.checked_days import A_DAY, TUESDAY, Checked

GIVEN_UP, AS_USUAL = "articles: pages given up", "articles: statuses as usual"


@pytest.fixture
def checked(tmp_path: Path) -> Checked:
    """Ten days, each of whose items links to a page of its own; nine in ten were read, the others are gone."""
    one = Checked(tmp_path / "home", 10)
    one.sql("UPDATE raw.items SET canonical_url = 'https://site.example/' || id")
    one.sql(
        "INSERT INTO raw.articles (canonical_url, url, status, attempts, run_id, fetched_at) "
        "SELECT canonical_url, canonical_url, CASE WHEN id % 10 = 0 THEN 'gone' ELSE 'ok' END, 1, 'r', now() "
        "FROM raw.items"
    )
    return one


def became(checked: Checked, status: str, pages: int) -> None:
    """Let so many pages of the day have come to something else."""
    first = TUESDAY.toordinal() * 1000
    checked.sql(
        f"UPDATE raw.articles SET status = '{status}' WHERE canonical_url IN "
        "(SELECT canonical_url FROM raw.items WHERE id BETWEEN ? AND ?)",
        first,
        first + pages - 1,
    )


def test_a_day_like_those_before_passes(checked: Checked) -> None:
    found = checked.check()
    assert found[GIVEN_UP].detail == f"0 of {A_DAY} pages were given up (0.0%)"
    assert found[AS_USUAL].passed
    assert "from the 9 days before" in found[AS_USUAL].detail


def test_many_pages_that_were_given_up_are_a_warning_and_not_usual(checked: Checked) -> None:
    became(checked, "gave_up", 40)
    failed = checked.failed()
    assert failed.keys() == {GIVEN_UP, AS_USUAL}
    assert failed[GIVEN_UP][0] == failed[AS_USUAL][0] == "warning"
    assert failed[GIVEN_UP][1].startswith(f"40 of {A_DAY} pages were given up (66.7%")
    assert "moved most: gave_up 0% → 67%" in failed[AS_USUAL][1] or "moved most: ok 90%" in failed[AS_USUAL][1]


def test_fewer_pages_read_than_usual_are_a_warning_whatever_the_reason(checked: Checked) -> None:
    became(checked, "refused", 30)
    assert checked.failed().keys() == {AS_USUAL}


def test_pages_that_are_to_be_tried_again_say_nothing_yet(checked: Checked) -> None:
    became(checked, "retry_at", A_DAY)
    found = checked.check()
    assert found[GIVEN_UP].detail == "nothing to judge: there are no rows"
    assert found[AS_USUAL].detail.startswith("not enough to judge: pages 0")


def test_a_page_of_two_stories_counts_once(checked: Checked) -> None:
    page = f"https://site.example/{TUESDAY.toordinal()}001"
    checked.sql("UPDATE raw.items SET canonical_url = ? WHERE day = ?", page, TUESDAY)
    assert checked.check()[GIVEN_UP].detail.startswith("0 of 1 pages")


def test_another_day_s_pages_do_not_count(checked: Checked) -> None:
    yesterday = TUESDAY - timedelta(days=1)
    checked.sql(
        "UPDATE raw.articles SET status = 'gave_up' "
        "WHERE canonical_url IN (SELECT canonical_url FROM raw.items WHERE day = ?)",
        yesterday,
    )
    assert checked.check()[GIVEN_UP].detail.startswith(f"0 of {A_DAY} pages")
    assert GIVEN_UP in checked.failed(day=yesterday)

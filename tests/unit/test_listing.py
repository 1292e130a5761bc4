"""Listing a day against what the warehouse knows of it: whole at D+1, and too few stories are not believed."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest

from hnintel.errors import ListingTooSmall, Unreachable
from hnintel.ingest.listing import Before, before, list_day, refuse_too_small
from hnintel.ledger import listings, stage_rows
from hnintel.partitions.settling import is_listing_due
from hnintel.settings import Settings
from hnintel.sources import open_source
from hnintel.sources.base import Listing, Prove, Reading
from hnintel.sources.hacker_news import HackerNews
from hnintel.sources.proof import Proof
from hnintel.window import Window
from tests.warehouse.world import fresh_duckdb, load, settings_in, story

DAY = date(2026, 10, 22)
ZONE = "America/New_York"
WINDOW = Window.of(DAY, ZONE)
NIGHT = datetime(2026, 10, 23, 6)  # UTC, two hours after the day
MORROW = NIGHT + timedelta(days=1)


class Site(HackerNews):
    """A live source with a listing of so many ids, which notes how it is asked to prove it."""

    def __init__(self, ids: Sequence[int], fails: bool = False) -> None:
        self.ids, self.fails = tuple(ids), fails
        self.asked: list[Prove] = []

    async def list_day(self, window: Window, prove: Prove = "sample") -> Listing:
        self.asked.append(prove)
        if self.fails:
            raise Unreachable("away")
        return Listing(self.ids, proof=Proof("whole" if prove == "whole" else "sampled", 60))

    async def read(self, ids: Sequence[int]) -> list[Reading]:
        raise AssertionError("listing reads no item here")


def listed(source: Site, known: Before, now: datetime, tmp_path: Path, **settings: object) -> Listing:
    return asyncio.run(list_day(source, WINDOW, known, settings_in(tmp_path, **settings), now))


@pytest.mark.parametrize(
    ("now", "whole", "prove"),
    [
        (NIGHT, True, "sample"),
        (MORROW, True, "whole"),
        (MORROW + timedelta(days=90), True, "whole"),
        (MORROW, False, "sample"),
    ],
)
def test_every_id_of_a_day_is_read_once_it_has_been_over_for_a_day_unless_set_otherwise(
    tmp_path: Path, now: datetime, whole: bool, prove: Prove
) -> None:
    site = Site([1, 2])
    listed(site, Before(), now, tmp_path, listing_whole=whole)
    assert site.asked == [prove]


@pytest.mark.parametrize("fails", [False, True])
def test_a_day_whose_listing_is_whole_is_not_read_again_whether_or_not_a_search_answers(
    tmp_path: Path, fails: bool
) -> None:
    site, proof = Site([3], fails), Proof("whole", reason="every id of the day was read")
    listing = listed(site, Before(known=(1, 2), waiting=(7,), proof=proof), MORROW, tmp_path)
    assert site.asked == ["not"]
    assert listing.ids == ((1, 2, 7) if fails else (1, 2, 3, 7))
    assert (listing.proof, listing.too_small) == (proof, "")


def test_a_day_without_stories_is_unproven_and_refused_with_its_own_exit_code(tmp_path: Path) -> None:
    listing = listed(Site([]), Before(known=(1, 2)), MORROW, tmp_path)
    assert listing.proof.kind == "unproven"
    with pytest.raises(ListingTooSmall, match="no story of 2026-10-22: no page of 2026-10-22 was published") as refused:
        refuse_too_small(listing, DAY)
    assert refused.value.exit_code == 10


def test_a_day_with_far_less_than_its_weekdays_usual_is_refused_and_one_with_a_little_less_is_not(
    tmp_path: Path,
) -> None:
    assert "29 stories of 2026-10-22, usually 100 on a Thursday" in (
        listed(Site(range(1, 30)), Before(usual=100), MORROW, tmp_path).too_small
    )
    assert listed(Site(range(1, 31)), Before(usual=100), MORROW, tmp_path).too_small == ""
    assert listed(Site([1]), Before(usual=None), MORROW, tmp_path).too_small == ""  # too few weeks are known
    assert listed(Site([1]), Before(usual=100), MORROW, tmp_path, listing_min_share=0).too_small == ""
    assert listed(Site([1]), Before(usual=100), NIGHT - timedelta(hours=9), tmp_path).too_small == ""  # still going on


def test_the_sample_proves_its_own_listing_and_refuses_only_a_day_that_it_has_nothing_of(tmp_path: Path) -> None:
    source, settings = open_source("sample", Settings(home=tmp_path)), settings_in(tmp_path)
    whole = asyncio.run(list_day(source, WINDOW, Before(usual=10_000), settings, MORROW))
    assert (whole.proof.kind, whole.too_small) == ("whole", "")
    other = Window.of(date(2026, 10, 19), ZONE)
    empty = asyncio.run(list_day(source, other, Before(), settings, MORROW))
    assert empty.too_small == "the source holds no story of 2026-10-19"


def test_the_ledger_says_what_is_whole_usual_and_due(tmp_path: Path) -> None:
    warehouse, settings = fresh_duckdb(tmp_path), settings_in(tmp_path)
    source = Site([])
    for week in range(4):
        day = DAY - timedelta(weeks=week)
        ids = range(1000 * week + 1, 1000 * week + 41)
        load(warehouse, [story(one).model_copy(update={"day": day, "source": "live"}) for one in ids])
        with warehouse.transaction(stage="enrich") as session:
            stage_rows.begin_stage(session, day, "ingest", "run", NIGHT, source="live", by_source=True)
            stage_rows.end_stage(session, day, "ingest", "complete", "run", NIGHT)
    with warehouse.transaction(stage="enrich") as session:
        assert before(session, WINDOW, "live", source, settings).usual == 40
        listings.record(session, "live", Proof("sampled", 60), WINDOW, "run", NIGHT)
        last = listings.listed(session, DAY, "live")
        assert last is not None
        assert last.listed == 40
        assert [is_listing_due(last, settings, now) for now in (NIGHT, MORROW)] == [False, True]
        assert before(session, WINDOW, "live", source, settings).proof is None
        listings.record(session, "live", Proof("whole"), WINDOW, "run", MORROW)
        whole = listings.listed(session, DAY, "live")
        assert whole is not None
        assert not is_listing_due(whole, settings, MORROW)
        assert before(session, WINDOW, "live", source, settings).proof == Proof("whole")
        assert before(session, Window.of(DAY, "UTC"), "live", source, settings).proof is None  # another window
        session.execute("DELETE FROM raw.items WHERE id = 1")
        assert before(session, WINDOW, "live", source, settings).proof is None  # a story of it is gone

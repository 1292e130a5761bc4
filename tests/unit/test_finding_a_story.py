"""Which story a look at one story finds."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from hnintel.errors import UsageError
from hnintel.settings import Settings
from hnintel.spotlight import find
from tests.unit.reading import DAY, Items, comment, story


def test_a_story_is_found_with_its_day() -> None:
    assert asyncio.run(find(Items(story(1)), 1, Settings())).day == DAY  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "raw",
    [story(1, time=10**18), story(1, time=-(10**11)), story(1, time="soon"), story(1, type="essay"), comment(1, 2)],
    ids=["far future", "far past", "no time", "unknown type", "a comment"],
)
def test_what_is_no_story_is_refused_in_one_line(raw: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match="1 is no story of live: give the id of a story"):
        asyncio.run(find(Items(raw), 1, Settings()))  # type: ignore[arg-type]

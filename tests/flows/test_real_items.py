"""Real items of Hacker News, replayed: no item is lost silently, and the counts add up."""

from __future__ import annotations

import gzip
import json
from collections import Counter
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pytest

from hnintel.window import Window

DAY = date(2025, 4, 18)


@pytest.mark.slow  # hundreds of stories, twice
def test_every_story_of_a_real_day_is_taken_once_and_a_second_run_changes_nothing(
    run: Callable[..., dict[str, Any]], home: Path, test_data: Path
) -> None:
    dump = test_data / "hn_firebase" / "items_below_43730300.ndjson.gz"
    window = Window.of(DAY, "America/New_York")
    with gzip.open(dump, "rt", encoding="utf-8") as lines:
        raws = [json.loads(line) for line in lines]
    stories = [
        raw
        for raw in raws
        if raw and raw["type"] in ("story", "job", "poll") and window.start_epoch <= raw["time"] < window.end_epoch
    ]
    expected = Counter("deleted" if raw.get("deleted") else "dead" if raw.get("dead") else "ok" for raw in stories)

    told = run(DAY, f"replay:{dump}")

    with duckdb.connect(str(home / "hnintel.duckdb"), read_only=True) as connection:
        ids = [row[0] for row in connection.execute("SELECT id FROM raw.items ORDER BY id").fetchall()]
    assert ids == sorted(raw["id"] for raw in stories)
    assert told["outcomes"] == dict(expected)
    assert sum(told["outcomes"].values()) == told["listed"] == len(stories)
    assert told["dead_letters"] == 0
    asked = {name: counts["asked"] + counts["reused"] for name, counts in told["enrichments"].items()}
    assert 0 < asked.pop("discussion") < 100
    live = sum(1 for raw in stories if raw.get("title") and not raw.get("dead") and not raw.get("deleted"))
    assert set(asked.values()) == {live}

    again = run(DAY, f"replay:{dump}")

    assert (again["ai_calls"], again["changed_tables"]) == (0, [])

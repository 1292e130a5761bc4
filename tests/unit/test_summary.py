"""What a run came to, as JSON and as the closing table."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

from hnintel.briefing.write import Written
from hnintel.cost.usage import Enriched
from hnintel.runs.summary import Summary, as_rows
from hnintel.settings import load_settings
from hnintel.transform import Built
from tests.warehouse.world import DAY, NOW, bury, load, load_article, open_duckdb, story


def summary() -> Summary:
    one = Summary(DAY, "the-run", "sample", status="complete", listed=3, page="site/page.html")
    one.enrichments = {
        "topic": Enriched(5, 4, 1, 100, 20, 0.5, calls=10, reused=2),
        "tone": Enriched(5, 5, 0, 50, 10, 0.25, calls=5),
    }
    digests, asked = Enriched(3, 3, 0, 40, 20, 0.2, 3), Enriched(3, 3, 0, 20, 10, 0.05, 3)
    one.briefing = Written(digests, asked, claims=4, refused=1, anew=True)
    one.dbt = Built(17, 41)
    one.costs = {"credits": 1.0}
    one.seconds = {"enrich": 1.234}
    return one


def line(one: Summary, name: str) -> str | None:
    return dict(as_rows(one.as_json())).get(name)


def test_the_usage_of_a_run_is_that_of_its_enrichments_and_its_briefing() -> None:
    told = summary().as_json()
    assert told["ai_calls"] == 21
    assert told["tokens"] == {"input": 210, "output": 60}
    assert told["cost"]["credits"] == 1.0


def test_it_is_plain_json_with_the_day_first() -> None:
    told = json.loads(json.dumps(summary().as_json()))
    assert next(iter(told)) == "day"
    assert told["day"] == "2026-10-21"
    assert told["enrichments"]["topic"] == {"asked": 5, "answered": 4, "failed": 1, "reused": 2}
    assert told["briefing"] == {"anew": True, "claims": 4, "refused": 1}
    assert told["seconds"] == {"enrich": 1.23}


def test_the_table_has_a_line_for_each_thing() -> None:
    one = summary()
    assert line(one, "enrich topic") == "5 asked, 4 answered, 1 failed, 2 of the same text as another"
    assert line(one, "AI") == "21 calls, 270 tokens, 1 credits (estimated)"
    assert line(one, "dbt") == "17 models, 41 tests"
    assert line(one, "articles") == "none"
    assert line(one, "page") == "site/page.html"


def test_the_outcomes_are_of_the_day_and_say_how_many_were_listed() -> None:
    one = summary()
    one.statuses = {"ok": 2, "dead": 1}
    assert line(one, "outcomes") == "2 ok, 1 dead of 3 listed"
    one.statuses = {"ok": 4}  # one of them was read from another source
    assert line(one, "outcomes") == "4 ok; 3 listed"
    one.listed = 0
    assert line(one, "outcomes") == "4 ok"


def test_a_briefing_is_told_as_what_it_came_to() -> None:
    one = summary()
    assert line(one, "briefing") == "4 claims, 1 refused for citing no story of the day"
    one.briefing = Written(anew=True)
    assert line(one, "briefing") == "0 claims"
    one.briefing = Written()
    assert line(one, "briefing") == "as it was"


def test_what_there_is_none_of_has_no_line() -> None:
    one = summary()
    assert {line(one, name) for name in ("dead letters", "met on the way", "since the last run")} == {None}
    one.dead_letters, one.letters_due, one.changed = 2, 5, ["raw.items"]
    one.notes.update({"new field x": 3})
    assert line(one, "dead letters") == (
        "2 of this day, to be tried again later; 5 due now: python -m hnintel dead-letters list"
    )
    assert line(one, "met on the way") == "3 new field x"
    assert line(one, "since the last run") == "1 table changed: raw.items"
    one.changed = []
    assert str(line(one, "since the last run")).startswith("nothing changed: 21 AI calls")


def test_it_counts_what_the_warehouse_holds_of_its_day(tmp_path: Path) -> None:
    warehouse = open_duckdb(tmp_path)
    option = story(5, type="pollopt", poll=4)
    another_day = story(6).model_copy(update={"day": DAY.replace(day=1)})
    unknown = story(7, dead=True).model_copy(update={"type": None})
    load(warehouse, [story(1, url="https://a.example/1"), story(2, type="job"), story(4, type="poll"), option])
    load(warehouse, [another_day, unknown])
    load_article(warehouse, "https://a.example/1", "words")
    one = Summary(DAY, "the-run", "sample")
    bury(warehouse, "items", ["9"])
    with warehouse.transaction(stage="enrich") as session:
        one.count(session, load_settings(home=tmp_path), NOW + timedelta(days=1))
    assert one.items == {"job": 1, "poll": 1, "pollopt": 1, "story": 1, "unknown": 1, "comment": 0}
    assert one.statuses == {"dead": 1, "ok": 3}
    assert one.articles == {"ok": 1}
    assert (one.dead_letters, one.letters_due) == (1, 1)

"""A whole day of the sample: the results of a run, and a second run that changes nothing."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import lxml.html
import pytest

from hnintel.enrich.declaration import load_enrichments

pytestmark = pytest.mark.slow

DAY = date(2026, 10, 22)


class Ran:
    """The first and the second run of one day, and the warehouse they left."""

    def __init__(self, home: Path, first: dict[str, Any], pages: tuple[str, str], second: dict[str, Any]) -> None:
        self.home, self.first, self.second = home, first, second
        self.first_page, self.second_page = pages

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        with duckdb.connect(str(self.home / "hnintel.duckdb"), read_only=True) as connection:
            return connection.execute(sql).fetchall()


@pytest.fixture(scope="module")
def ran(prefect_server: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ran]:
    from flows.main import hacker_news

    home = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("HNINTEL_")]:
            patch.delenv(name)
        patch.setenv("HNINTEL_HOME", str(home))
        first = asyncio.run(hacker_news(None, "sample"))
        page = Path(first["page"]).read_text(encoding="utf-8")
        second = asyncio.run(hacker_news(DAY, "sample"))
        yield Ran(home, first, (page, Path(second["page"]).read_text(encoding="utf-8")), second)


def test_the_newest_day_of_the_sample_is_the_default(ran: Ran) -> None:
    assert ran.first["day"] == DAY.isoformat()


def test_every_listed_item_is_in_the_warehouse_once_and_with_its_outcome(ran: Ran) -> None:
    assert sum(ran.first["outcomes"].values()) == ran.first["listed"]
    assert ran.rows("SELECT count(*) - count(DISTINCT id) FROM raw.items") == [(0,)]
    assert {"ok", "dead", "deleted", "null"} == set(ran.first["outcomes"])


def test_items_of_every_type_come_through(ran: Ran) -> None:
    assert {"story", "job", "poll", "pollopt", "comment"} <= {
        name for name, count in ran.first["items"].items() if count
    }


def test_every_article_has_a_status_and_most_have_text(ran: Ran) -> None:
    articles = ran.first["articles"]

    assert articles["ok"] > sum(articles.values()) / 2
    assert {"gone", "refused", "retry_at", "too_large"} <= set(articles)
    assert ran.rows("SELECT status FROM raw.articles WHERE content_type = 'application/pdf'") == [("ok",)]
    assert ran.rows("SELECT count(*) FROM raw.articles WHERE (status = 'ok') <> (text IS NOT NULL)") == [(0,)]


def test_every_enrichment_answers_for_every_live_item(ran: Ran) -> None:
    assert ran.first["enrichments"].keys() == load_enrichments().keys()
    for name, counts in ran.first["enrichments"].items():
        one = load_enrichments()[name]
        said = "AND id IN (SELECT story_id FROM raw.comments WHERE status = 'ok')" if one.input.many else ""
        live = ran.rows(
            f"SELECT count(*) FROM raw.items WHERE status = 'ok' AND title IS NOT NULL AND ({one.where}) {said}"
        )[0][0]
        assert counts == {"asked": live, "answered": live, "failed": 0, "reused": 0}, name
        assert live > 10, name


def test_the_calls_and_tokens_of_the_summary_are_those_of_the_ledger(ran: Ran) -> None:
    calls, read, wrote = ran.rows("SELECT sum(calls), sum(input_tokens), sum(output_tokens) FROM ops.ai_usage")[0]

    assert ran.first["ai_calls"] == calls > 0
    assert ran.first["tokens"] == {"input": read, "output": wrote}


def test_every_claim_of_the_briefing_cites_stories_of_the_day(ran: Ran) -> None:
    claims = json.loads(ran.rows("SELECT claims FROM enriched.briefings")[0][0])
    stories = {row[0] for row in ran.rows(f"SELECT id FROM raw.items WHERE day = '{DAY}' AND status = 'ok'")}

    assert len(claims) == ran.first["briefing"]["claims"] > 0
    assert {claim["section"] for claim in claims} == {"themes", "launches", "trends"}
    assert all(claim["ids"] and stories.issuperset(claim["ids"]) for claim in claims)


def test_the_page_is_whole_and_loads_nothing_from_elsewhere(ran: Ran) -> None:
    page = lxml.html.fromstring(ran.first_page)

    assert page.xpath("//h1")
    assert not page.xpath("//script | //link[@rel='stylesheet'] | //img | //iframe")
    assert page.xpath("//*[local-name()='svg']")


def test_the_ledger_has_every_stage_of_the_day(ran: Ran) -> None:
    stages = dict(ran.rows(f"SELECT stage, status FROM ops.partitions WHERE day = '{DAY}'"))

    assert stages.pop("articles") == "partial"  # some of the sample's sites are down: they are due again
    assert set(stages.values()) == {"complete"}
    assert {"ingest", "transform", "briefing", "publish", "enrich:sentiment"} <= set(stages)


def test_a_second_run_asks_nothing_and_leaves_every_table_as_it_was(ran: Ran) -> None:
    assert ran.second["ai_calls"] == 0
    assert ran.second["changed_tables"] == []
    assert ran.second["outcomes"] == ran.first["outcomes"]


def test_a_second_run_publishes_the_same_page(ran: Ran) -> None:
    assert ran.second_page == ran.first_page


def test_every_enrichment_ran_in_a_subflow_of_its_own(ran: Ran) -> None:
    from prefect.client.orchestration import get_client

    with get_client(sync_client=True) as client:
        names = {flow_run.name for flow_run in client.read_flow_runs(limit=200)}

    assert {f"{name} {DAY}" for name in ran.first["enrichments"]} <= names


def test_the_briefing_is_an_artifact_of_the_run(ran: Ran) -> None:
    from prefect.artifacts import Artifact

    artifact = Artifact.get(f"briefing-{DAY}")

    assert artifact is not None
    assert "Thursday 22 October 2026" in str(artifact.data)

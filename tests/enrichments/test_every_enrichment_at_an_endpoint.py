"""What holds of every enrichment where an OpenAI-compatible endpoint answers: the same, and who counts the tokens."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hnintel.engines.base import EngineUnreachable
from hnintel.engines.openai import OpenAIEngine
from hnintel.enrich.declaration import Enrichment
from hnintel.errors import WarehouseError
from tests.enrichments.subjects import comments_below, load_worthy, say
from tests.enrichments.test_every_enrichment import (  # noqa: F401 - the same tests, on the fixture below
    test_a_text_cannot_close_its_fence,
    test_every_column_holds_what_it_promises_over_a_whole_day,
    test_hostile_texts_are_answered_and_harm_nobody_else,
    test_what_was_asked_is_accounted_for,
)
from tests.servers.chat import Asked, ChatServer
from tests.warehouse.world import Asking

pytestmark = pytest.mark.slow

FREE = '[[price]]\nmodel = "small-rules"\nfrom = 2026-01-01\ninput = 0\noutput = 0\n'


@pytest.fixture
def server() -> Iterator[ChatServer]:
    with ChatServer() as server:
        yield server


@pytest.fixture
def asking(tmp_path: Path, server: ChatServer) -> Asking:
    """An empty warehouse whose AI functions are answered by an endpoint, with a price of nothing."""
    return asking_at(server, tmp_path)


def asking_at(server: ChatServer, folder: Path, price: str = FREE, **settings: Any) -> Asking:
    folder.mkdir(exist_ok=True)
    (folder / "prices.toml").write_text(price, encoding="utf-8")
    asking = Asking(
        folder,
        engine="openai",
        openai_base_url=server.base_url,
        openai_model="small-rules",
        openai_attempts=1,
        prices_path=folder / "prices.toml",
        **settings,
    )
    asking.engine.engine = OpenAIEngine(asking.settings)
    return asking


def test_an_item_is_one_request_and_one_more_for_its_digest_and_a_second_run_none(
    asking: Asking, server: ChatServer, enrichment: Enrichment
) -> None:
    ids = load_worthy(asking, enrichment)
    asking.run(enrichment, "first")
    assert len(questions(server, enrichment)) == len(ids)
    assert len(digests(server, enrichment)) == len(ids) * enrichment.input.many
    asked = len(server.asked)
    assert asked == len(ids) * (1 + enrichment.input.many)
    asking.run(enrichment, "second")
    assert len(server.asked) == asked


def test_tokens_are_those_that_the_endpoint_counted_and_a_digest_s_are_estimated(
    asking: Asking, server: ChatServer, enrichment: Enrichment
) -> None:
    ids = load_worthy(asking, enrichment)
    asking.run(enrichment)
    usage = {row["function"]: row for row in asking.rows("SELECT * FROM ops.ai_usage")}
    told = usage.pop(enrichment.function)
    read = sum(asked.tokens for asked in questions(server, enrichment))
    assert (told["calls"], told["input_tokens"], told["counting"]) == (len(ids), read, "counted")
    assert [(name, row["calls"], row["counting"]) for name, row in usage.items()] == [
        ("AI_AGG", len(ids), "estimated")
    ] * enrichment.input.many
    assert all(row["input_tokens"] > row["output_tokens"] > 0 for row in usage.values())


def test_tokens_are_estimated_where_the_endpoint_did_not_count_each(
    asking: Asking, server: ChatServer, enrichment: Enrichment
) -> None:
    server.mood.always = {"": "no_usage"}
    load_worthy(asking, enrichment)
    assert asking.run(enrichment).failed == 0
    assert {row["counting"] for row in asking.rows("SELECT counting FROM ops.ai_usage")} == {"estimated"}


def test_digests_are_asked_for_at_once_and_hold_every_part(
    asking: Asking, server: ChatServer, enrichment: Enrichment
) -> None:
    if not enrichment.input.many:
        pytest.skip("it is asked about one text an item, of which no digest is made")
    server.mood.latency = 0.05
    ids = load_worthy(asking, enrichment)
    asking.run(enrichment)
    assert server.at_once > 1
    for number in ids:
        parts = [comment.text or "" for comment in comments_below(number)]
        assert any(all(part in asked.user for part in parts) for asked in digests(server, enrichment))


def test_an_item_without_a_digest_is_a_dead_letter_and_is_not_asked_about(
    asking: Asking, server: ChatServer, enrichment: Enrichment
) -> None:
    if not enrichment.input.many:
        pytest.skip("it is asked about one text an item, of which no digest is made")
    ids = load_worthy(asking, enrichment)
    say(asking, enrichment, {ids[0]: "POISON of the model"})
    server.mood.always = {"POISON": "refusal"}
    done = asking.run(enrichment)
    assert (done.asked, done.failed) == (len(ids), 1)
    assert [(one["key"], one["reason"]) for one in asking.letters()] == [
        (str(ids[0]), "AI_AGG made no text of the many")
    ]
    assert len(questions(server, enrichment)) == len(ids) - 1
    calls = {row["function"]: row["calls"] for row in asking.rows("SELECT function, calls FROM ops.ai_usage")}
    assert calls == {"AI_AGG": len(ids), enrichment.function: len(ids) - 1}


def digests(server: ChatServer, enrichment: Enrichment) -> list[Asked]:
    """The requests that ask for a digest of many texts."""
    return [asked for asked in server.asked if json.dumps(enrichment.digest_task)[1:-1] in json.dumps(asked.body)]


def questions(server: ChatServer, enrichment: Enrichment) -> list[Asked]:
    """The requests that ask the enrichment's own question."""
    of_digests = digests(server, enrichment) if enrichment.input.many else []
    return [asked for asked in server.asked if asked not in of_digests]


def test_an_endpoint_that_is_away_buries_no_row(asking: Asking, server: ChatServer, enrichment: Enrichment) -> None:
    load_worthy(asking, enrichment)
    server.__exit__(None, None, None)
    with pytest.raises(EngineUnreachable, match=rf"{enrichment.name} of .*{server.base_url} does not answer"):
        asking.run(enrichment)
    assert asking.letters() == []
    with ChatServer(port=int(server.base_url.split(":")[2].removesuffix("/v1"))):
        assert asking.run(enrichment).failed == 0


def test_a_model_without_a_price_is_not_asked(tmp_path: Path, server: ChatServer, enrichment: Enrichment) -> None:
    asking = asking_at(server, tmp_path, price="")
    load_worthy(asking, enrichment)
    with pytest.raises(WarehouseError, match=r"no price is known for .* by the model 'small-rules'"):
        asking.run(enrichment)
    assert server.asked == []

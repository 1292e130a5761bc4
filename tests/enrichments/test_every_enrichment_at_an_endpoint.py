"""What holds of every enrichment where an OpenAI-compatible endpoint answers: the same, and who counts the tokens."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hnintel.enrichment import Enrichment
from hnintel.errors import WarehouseError
from hnintel.warehouse.engines.base import EngineUnreachable
from hnintel.warehouse.engines.openai import OpenAIEngine
from tests.enrichments.subjects import load_worthy
from tests.enrichments.test_every_enrichment import (  # noqa: F401 - the same tests, on the fixture below
    test_a_text_cannot_close_its_fence,
    test_every_column_holds_what_it_promises_over_a_whole_day,
    test_hostile_texts_are_answered_and_harm_nobody_else,
    test_what_was_asked_is_accounted_for,
)
from tests.servers.chat import ChatServer
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


def test_a_row_is_one_request_and_a_second_run_none(asking: Asking, server: ChatServer, enrichment: Enrichment) -> None:
    ids = load_worthy(asking, enrichment)
    asking.run(enrichment, "first")
    assert len(server.asked) == len(ids)
    asking.run(enrichment, "second")
    assert len(server.asked) == len(ids)


def test_tokens_are_those_that_the_endpoint_counted(asking: Asking, server: ChatServer, enrichment: Enrichment) -> None:
    load_worthy(asking, enrichment)
    asking.run(enrichment)
    (usage,) = asking.rows("SELECT * FROM ops.ai_usage")
    assert (usage["input_tokens"], usage["counting"]) == (sum(asked.tokens for asked in server.asked), "counted")


def test_tokens_are_estimated_where_the_endpoint_did_not_count_each(
    asking: Asking, server: ChatServer, enrichment: Enrichment
) -> None:
    server.mood.first = ("no_usage", 1)
    load_worthy(asking, enrichment)
    assert asking.run(enrichment).failed == 0
    (usage,) = asking.rows("SELECT * FROM ops.ai_usage")
    assert usage["counting"] == "estimated"


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

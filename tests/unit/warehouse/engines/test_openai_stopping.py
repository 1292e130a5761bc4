"""The openai engine where the run is to end: no new question, answers kept, waits ended, and waits spoken of."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from hnintel.engines.base import Answer, AskingStopped
from hnintel.engines.openai import OpenAIEngine, backoff
from hnintel.enrich.declaration import load_enrichments
from hnintel.errors import Stopped
from hnintel.process import progress, stopping
from tests.enrichments.subjects import load_worthy
from tests.servers.chat import ChatServer, Mood
from tests.unit.warehouse.engines.test_openai_engine import GOOD, PROMPT, SCHEMA, engine_at
from tests.warehouse.world import Asking

TAKEAWAY, DISCUSSION = (load_enrichments()[name] for name in ("takeaway", "discussion"))
PRICES = '[[price]]\nmodel = "small-rules"\nfrom = 2026-01-01\ninput = 1000\noutput = 1000\ncurrency = "USD"\n'
_PATIENCE = 20.0


@pytest.fixture
def server() -> Iterator[ChatServer]:
    with ChatServer() as server:
        yield server


def begin() -> None:
    with stopping.on_signals():
        pass


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + _PATIENCE
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def in_thread(ask: Callable[[], Any]) -> Callable[[], Any]:
    """Run *ask* in a thread, as a task does; a function that waits for what it came to, or raises."""
    came: list[Any] = []

    def run() -> None:
        try:
            came.append(ask())
        except Exception as error:
            came.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()

    def result() -> Any:
        thread.join(_PATIENCE)
        assert came, "it asks still"
        return came[0]

    return result


def asked_in_thread(engine: OpenAIEngine, *prompts: str) -> Callable[[], Any]:
    return in_thread(lambda: engine.complete("any", prompts, {"temperature": 0}, SCHEMA))


def test_answers_that_are_there_are_given_and_the_rest_is_nobody_s_fault(server: ChatServer) -> None:
    server.mood.always = {"SLOW": "hang"}
    ended = asked_in_thread(engine_at(server, openai_concurrency=2), *[PROMPT] * 4, *[f"{PROMPT} SLOW"] * 10)
    until(lambda: len(server.asked) == 6)
    stopping.stop()
    answers = ended()
    assert [one.value for one in answers[:4]] == [GOOD] * 4
    assert all(isinstance(one.lost, AskingStopped) and one == Answer(lost=one.lost) for one in answers[4:])
    spent = answers[-1].lost.spent
    assert (spent.calls, spent.in_flight) == (2, 2)
    assert spent.usage.input_tokens > 2 * len(PROMPT) / 4
    assert not spent.usage.is_counted
    assert len(server.asked) == 6


def test_nothing_is_asked_once_the_run_is_to_end(server: ChatServer) -> None:
    stopping.stop()
    with pytest.raises(Stopped):
        engine_at(server).complete("any", [PROMPT], {}, SCHEMA)
    assert server.asked == []


def test_a_run_that_begins_asks_whatever_ended_the_one_before(server: ChatServer) -> None:
    with stopping.on_signals():
        stopping.stop()
        assert stopping.is_stopping()
    assert stopping.is_stopping(), "its threads are to end too"
    with stopping.on_signals():
        assert engine_at(server).complete("any", [PROMPT], {"temperature": 0}, SCHEMA)[0].value == GOOD


@pytest.mark.parametrize("stage", ["backoff", "slot"])
def test_a_question_that_only_waits_is_not_under_way(server: ChatServer, stage: str) -> None:
    server.mood = Mood(always={"": "429"}, retry_after="30") if stage == "backoff" else Mood(always={"": "hang"})
    ended = asked_in_thread(engine_at(server, openai_concurrency=1), PROMPT, PROMPT)
    until(lambda: len(server.asked) == 1 and (stage == "slot" or server.inside == 0))
    time.sleep(0.2)
    stopping.stop()
    error = ended()
    assert isinstance(error, AskingStopped)
    assert error.spent.in_flight == (stage == "slot")
    assert len(server.asked) == 1


def test_a_second_try_that_was_under_way_is_added_to_what_the_first_cost(server: ChatServer) -> None:
    server.mood.first, server.mood.always = ("misfit", 1), {"": "hang"}
    ended = asked_in_thread(engine_at(server), PROMPT)
    until(lambda: len(server.asked) == 2)
    stopping.stop()
    spent = ended().spent
    assert spent.in_flight == 1
    assert spent.usage.input_tokens > server.asked[0].tokens
    assert spent.usage.output_tokens > 0


def test_parts_of_a_digest_that_is_given_up_are_accounted_for(server: ChatServer) -> None:
    server.mood.always = {"SLOW": "hang"}
    engine = engine_at(server, openai_prompt_tokens=200, openai_concurrency=1)
    ended = in_thread(lambda: engine.aggregate(["word " * 180, "SLOW " * 100], None))
    until(lambda: len(server.asked) == 2)
    stopping.stop()
    error = ended()
    assert isinstance(error, AskingStopped)
    assert (error.spent.calls, error.spent.in_flight) == (2, 1)
    assert error.spent.usage.input_tokens > server.asked[0].tokens


def paid(server: ChatServer, folder: Path) -> Asking:
    (folder / "prices.toml").write_text(PRICES, encoding="utf-8")
    told: dict[str, Any] = {"openai_base_url": server.base_url, "openai_model": "small-rules"}
    asking = Asking(folder, prices_path=folder / "prices.toml", openai_concurrency=2, **told)
    asking.settings = asking.settings.model_copy(update={"engine": "openai"})
    asking.engine.engine = OpenAIEngine(asking.settings)
    return asking


def test_a_chunk_that_is_stopped_keeps_its_answers_and_books_what_was_under_way(
    server: ChatServer, tmp_path: Path
) -> None:
    asking = paid(server, tmp_path)
    worthy = len(load_worthy(asking, TAKEAWAY, 12))
    server.mood.latency = 0.3
    ended = in_thread(lambda: asking.run(TAKEAWAY, budget_run=1000))
    until(lambda: len(server.asked) >= 6)
    server.mood.always = {"": "hang"}
    until(lambda: len(server.asked) >= 8)
    time.sleep(1)
    asked = len(server.asked)
    stopping.stop()
    error = ended()
    assert isinstance(error, Stopped)
    assert "2 questions under way were given up" in str(error)
    assert len(asking.answers(TAKEAWAY)) == asked - 2 < worthy
    assert asking.letters() == []
    assert asking.rows("SELECT calls, counting FROM ops.ai_usage") == [{"calls": asked, "counting": "estimated"}]
    assert asking.rows("SELECT * FROM ops.ai_reservations") == []
    assert len(server.asked) == asked

    server.mood = Mood()
    begin()
    assert asking.run(TAKEAWAY, "next").asked == worthy - (asked - 2)


def test_digests_whose_question_was_never_asked_are_booked(server: ChatServer, tmp_path: Path) -> None:
    asking = paid(server, tmp_path)
    worthy = len(load_worthy(asking, DISCUSSION, 6))
    server.mood.latency = 0.1
    ended = in_thread(lambda: asking.run(DISCUSSION, budget_run=1000))
    until(lambda: len(server.asked) >= worthy)
    server.mood.always = {"": "hang"}
    until(lambda: len(server.asked) > worthy)
    time.sleep(0.5)
    stopping.stop()
    assert isinstance(ended(), Stopped)
    booked = {row["function"]: row["calls"] for row in asking.rows("SELECT function, calls FROM ops.ai_usage")}
    assert sum(booked.values()) == len(server.asked)


class Heard:
    """A reporter that keeps its lines."""

    def __init__(self) -> None:
        self.notes: list[str] = []

    def update(self, stage: str, done: int, total: int | None = None, note: str = "") -> None:
        self.notes.append(f"{stage}: {note}")

    def finish(self, stage: str, note: str = "") -> None:
        self.notes.append(f"{stage}: {note}")


@pytest.fixture
def heard() -> Iterator[Heard]:
    heard = Heard()
    progress.use(heard)
    yield heard
    progress.use(progress.Silent())


def test_an_endpoint_that_asks_to_wait_long_is_spoken_of_once_with_its_seconds_and_the_time(
    server: ChatServer, heard: Heard, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backoff, "REPORTED_AFTER", 0.2)
    server.mood.always, server.mood.retry_after = {"": "429"}, "30"
    ended = asked_in_thread(engine_at(server, openai_concurrency=8), *[PROMPT] * 8)
    until(lambda: bool(heard.notes))
    time.sleep(0.5)
    stopping.stop()
    assert isinstance(ended(), AskingStopped)
    (told,) = heard.notes
    assert told.startswith(f"endpoint: {server.base_url} asks to wait 30 s (HTTP 429, error); it is asked again at ")
    assert told.endswith(" UTC")


def test_a_short_wait_is_not_spoken_of(server: ChatServer, heard: Heard) -> None:
    server.mood.first = ("429", 2)
    assert engine_at(server).complete("any", [PROMPT], {"temperature": 0}, SCHEMA)[0].value == GOOD
    assert heard.notes == []

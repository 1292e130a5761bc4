"""Waiting for a task that asks: a cancel or a signal stops the asking, and is passed on once the answers are stored."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future
from pathlib import Path
from uuid import uuid4

import pytest
from prefect.client.schemas.objects import State
from prefect.futures import PrefectConcurrentFuture
from prefect.states import Completed

from flows.asking import await_answers
from hnintel.engines.openai import OpenAIEngine
from hnintel.enrich.declaration import load_enrichments
from hnintel.errors import Stopped
from hnintel.process import stopping
from tests.conftest import ROOT
from tests.enrichments.subjects import load_worthy
from tests.servers.chat import ChatServer, Mood
from tests.warehouse.world import Asking

TAKEAWAY = load_enrichments()["takeaway"]
PRICES = '[[price]]\nmodel = "small-rules"\nfrom = 2026-01-01\ninput = 1\noutput = 10\ncurrency = "USD"\n'
AT_ONCE = 2

#: An event loop as a flow has it, which waits for a chunk that a thread asks about.
LOOP = """
import asyncio, sys, threading
from concurrent.futures import Future
from pathlib import Path
from uuid import uuid4
from prefect.futures import PrefectConcurrentFuture
from prefect.states import Completed, Failed
from flows.asking import await_answers
from hnintel.process import stopping
from hnintel.enrich.run import EnrichmentRun
from hnintel.enrich.declaration import load_enrichments
from hnintel.settings import load_settings
from hnintel.warehouse import open_warehouse
from tests.warehouse.world import DAY

settings = load_settings()
run = EnrichmentRun(open_warehouse(settings), load_enrichments()["takeaway"], DAY, settings, "run")
run.begin()
future = Future()
def ask():
    try:
        future.set_result(Completed(data=run.next_chunk(0)))
    except Exception as error:
        print(error, flush=True)
        future.set_result(Failed(data=error))
async def main():
    with stopping.on_signals():
        threading.Thread(target=ask, daemon=True).start()
        try:
            await await_answers(PrefectConcurrentFuture(uuid4(), future))
        finally:
            print("kept" if future.done() else "not kept", flush=True)
try:
    asyncio.run(main())
except KeyboardInterrupt:
    print("interrupted", flush=True)
"""


@pytest.fixture(autouse=True)
def _forgotten() -> Iterator[None]:
    yield
    with stopping.on_signals():
        pass


@pytest.fixture
def server() -> Iterator[ChatServer]:
    with ChatServer(Mood(latency=0.5)) as server:
        yield server


@pytest.mark.slow
@pytest.mark.parametrize("hangs", [False, True])
def test_an_interrupt_asks_nothing_more_and_is_passed_on_with_the_answers_kept(
    tmp_path: Path, server: ChatServer, hangs: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "prices.toml").write_text(PRICES, encoding="utf-8")
    told = {
        "HOME": tmp_path,
        "ENGINE": "openai",
        "OPENAI_BASE_URL": server.base_url,
        "OPENAI_MODEL": "small-rules",
        "OPENAI_CONCURRENCY": AT_ONCE,
        "PRICES_PATH": tmp_path / "prices.toml",
    }
    for name, value in told.items():
        monkeypatch.setenv(f"HNINTEL_{name}", str(value))
    asking = Asking(tmp_path)
    asking.engine.engine = OpenAIEngine(asking.settings.model_copy(update={"openai_model": "small-rules"}))
    worthy = len(load_worthy(asking, TAKEAWAY, 20))
    process = subprocess.Popen([sys.executable, "-c", LOOP], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 60
    while len(server.asked) < 3 * AT_ONCE:
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.02)
    if hangs:
        server.mood.always = {"": "hang"}
        time.sleep(1.5)
    number = len(server.asked)
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=30)

    assert f"{AT_ONCE} questions under way were given up" in out
    assert out.splitlines()[-2:] == ["kept", "interrupted"]
    assert len(server.asked) == number
    assert len(asking.answers(TAKEAWAY)) == number - AT_ONCE < worthy
    assert asking.rows("SELECT sum(calls) AS calls FROM ops.ai_usage") == [{"calls": number}]


def test_a_cancel_stops_the_asking_and_waits_until_it_has_ended() -> None:
    ended: Future[State[int]] = Future()
    seen: list[bool] = []

    def ask() -> None:
        try:
            stopping.sleep(60)
        except Stopped:
            time.sleep(0.2)  # as long as answers take to be kept
            seen.append(stopping.is_stopping())
            ended.set_result(Completed(data=1))

    async def run() -> None:
        with stopping.on_signals():
            threading.Thread(target=ask, daemon=True).start()
            waiting = asyncio.ensure_future(await_answers(PrefectConcurrentFuture(uuid4(), ended)))
            await asyncio.sleep(0.1)
            waiting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await waiting
            assert ended.done()

    asyncio.run(run())
    assert seen == [True]


def test_what_the_task_came_to_is_given() -> None:
    ended: Future[State[int]] = Future()
    ended.set_result(Completed(data=7))
    assert asyncio.run(await_answers(PrefectConcurrentFuture(uuid4(), ended))) == 7
    assert not stopping.is_stopping()

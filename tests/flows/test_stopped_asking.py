"""A signal during questions: no further question is asked, answers are stored, and the process ends."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests.conftest import ROOT
from tests.flows.own_prefect import api, bare_environ
from tests.servers.chat import ChatServer, Mood

pytestmark = pytest.mark.slow

PRICES = '[[price]]\nmodel = "small-rules"\nfrom = 2026-01-01\ninput = 1\noutput = 10\ncurrency = "USD"\n'
#: Questions under way at once; one enrichment at a time.
AT_ONCE = 2
#: Seconds of one answer: long enough that none is given while a signal is on its way.
SLOW = 2.0
#: For a process to end in. An answer that hangs takes two minutes, and a chunk of answers longer than this.
ENDS_WITHIN = 40.0
DAY = "2026-10-22"


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a Prefect server that these runs share."""
    with api(tmp_path_factory.mktemp("server")) as (url, _):
        yield url


@pytest.fixture
def server() -> Iterator[ChatServer]:
    with ChatServer(Mood(latency=SLOW)) as server:
        yield server


class Home:
    """A home with a day to enrich, and chunks larger than the pending items."""

    def __init__(self, folder: Path, url: str, server: ChatServer, dump: Path) -> None:
        (folder / "prices.toml").write_text(PRICES, encoding="utf-8")
        self.folder, self.server, self.dump = folder, server, dump
        told = {
            "HOME": folder / "home",
            "SOURCE": f"replay:{dump}",
            "ENGINE": "openai",
            "OPENAI_BASE_URL": server.base_url,
            "OPENAI_MODEL": "small-rules",
            "OPENAI_CONCURRENCY": AT_ONCE,
            "PRICES_PATH": folder / "prices.toml",
            "BUDGET_RUN": 1000,
            "ENRICH_CHUNK": 200,
            "ENRICH_CONCURRENCY": 1,
            "CACHE_HOURS": 0,
        }
        self.environ = {
            **bare_environ(folder),
            "PREFECT_HOME": str(folder / "prefect"),
            "PREFECT_API_URL": url,
            **{f"HNINTEL_{name}": str(value) for name, value in told.items()},
        }

    def start(self, *command: str) -> subprocess.Popen[str]:
        """Start Python with these words."""
        return subprocess.Popen(
            [sys.executable, *command],
            cwd=ROOT,
            env=self.environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def day(self) -> subprocess.Popen[str]:
        """Start a run of the day."""
        return self.start("flows/main.py", "--day", DAY)

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """Return rows of the warehouse."""
        with duckdb.connect(str(self.folder / "home" / "hnintel.duckdb"), read_only=True) as connection:
            return connection.execute(sql).fetchall()

    def answers(self) -> int:
        """Count the stored answers of all enrichments."""
        tables = self.rows(
            "SELECT table_name FROM information_schema.tables WHERE table_schema = 'enriched' "
            "AND table_type = 'BASE TABLE' AND table_name <> 'briefings'"
        )
        return sum(self.rows(f"SELECT count(*) FROM enriched.{name}")[0][0] for (name,) in tables)


@pytest.fixture
def home(tmp_path: Path, url: str, server: ChatServer, small_dump: Path) -> Home:
    return Home(tmp_path, url, server, small_dump)


def until(condition: Callable[[], bool], process: subprocess.Popen[str]) -> None:
    """Wait until the process has done something."""
    deadline = time.monotonic() + 180
    while not condition():
        assert process.poll() is None, process.stderr.read() if process.stderr else ""
        assert time.monotonic() < deadline
        time.sleep(0.02)


def questions(server: ChatServer) -> Counter[str]:
    """Count each question."""
    return Counter(json.dumps(one.body["messages"]) for one in server.asked)


def end(process: subprocess.Popen[str], *signals: signal.Signals) -> tuple[int, str]:
    """Send the signals and wait for the end; return the exit code and the output."""
    for one in signals:
        process.send_signal(one)
        time.sleep(0.05)
    try:
        _, err = process.communicate(timeout=ENDS_WITHIN)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
    return process.returncode, err


@pytest.mark.parametrize(
    ("number", "code"), [pytest.param(signal.SIGINT, 130, marks=pytest.mark.long), (signal.SIGTERM, 143)]
)
def test_a_signal_ends_the_asking_keeps_the_answers_and_books_what_was_under_way(
    home: Home, server: ChatServer, number: signal.Signals, code: int
) -> None:
    process = home.day()
    until(lambda: len(server.asked) >= 3 * AT_ONCE and server.inside == AT_ONCE, process)
    asked = len(server.asked)
    ended, err = end(process, number)

    assert ended == code, err
    assert "items and answers so far are stored" in err
    assert f"{AT_ONCE} questions under way were given up" in err
    assert len(server.asked) == asked
    assert home.answers() == asked - AT_ONCE
    assert home.rows("SELECT sum(calls), min(credits) > 0 FROM ops.ai_usage") == [(asked, True)]
    assert home.rows("SELECT count(*) FROM ops.ai_reservations") == [(0,)]

    before = set(questions(server))
    server.mood.latency = 0.0
    again = home.day()
    assert again.communicate(timeout=300) is not None
    assert again.returncode == 0
    twice = [question for question, times in questions(server).items() if times > 1 and question in before]
    assert len(twice) == AT_ONCE


@pytest.mark.parametrize(
    "signals",
    [
        [signal.SIGINT] * 3,
        *(pytest.param([one], marks=pytest.mark.long) for one in (signal.SIGINT, signal.SIGTERM)),
    ],
)
def test_a_run_at_an_endpoint_that_hangs_ends_on_a_signal(
    home: Home, server: ChatServer, signals: list[signal.Signals]
) -> None:
    server.mood.latency = 0.0
    process = home.day()
    until(lambda: len(server.asked) >= 4, process)
    server.mood.always = {"": "hang"}
    until(lambda: server.inside == AT_ONCE, process)
    time.sleep(0.5)
    asked = len(server.asked)
    ended, err = end(process, *signals)

    assert ended in (130, 143), err
    assert len(server.asked) == asked
    assert home.answers() == asked - AT_ONCE

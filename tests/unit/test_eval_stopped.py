"""``python -m hnintel eval`` stopped by a signal: it sends no further question, and books the questions sent."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import duckdb
import pytest

from tests.conftest import ROOT
from tests.flows.own_prefect import bare_environ
from tests.servers.chat import ChatServer, Mood

pytestmark = pytest.mark.slow

PRICES = '[[price]]\nmodel = "small-rules"\nfrom = 2026-01-01\ninput = 1\noutput = 10\ncurrency = "USD"\n'
AT_ONCE = 2


@pytest.mark.parametrize(("number", "hangs"), [(signal.SIGINT, False), (signal.SIGINT, True), (signal.SIGTERM, True)])
def test_a_signal_ends_the_asking_and_books_what_was_asked(tmp_path: Path, number: signal.Signals, hangs: bool) -> None:
    (tmp_path / "prices.toml").write_text(PRICES, encoding="utf-8")
    (tmp_path / "sets").mkdir()
    lines = [{"text": f"A text about pump number {one}.", "topic": "hardware"} for one in range(40)]
    (tmp_path / "sets" / "own.jsonl").write_text("\n".join(map(json.dumps, lines)) + "\n", encoding="utf-8")
    with ChatServer(Mood(latency=0.5)) as server:
        told = {
            "HOME": tmp_path / "home",
            "ENGINE": "openai",
            "OPENAI_BASE_URL": server.base_url,
            "OPENAI_MODEL": "small-rules",
            "OPENAI_CONCURRENCY": AT_ONCE,
            "PRICES_PATH": tmp_path / "prices.toml",
        }
        environ = {**bare_environ(tmp_path), **{f"HNINTEL_{name}": str(value) for name, value in told.items()}}
        process = subprocess.Popen(
            [sys.executable, "-m", "hnintel", "eval", "--labelled", str(tmp_path / "sets")],
            cwd=ROOT,
            env=environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        deadline = time.monotonic() + 120
        while len(server.asked) < 4:
            assert process.poll() is None, process.communicate()[1]
            assert time.monotonic() < deadline
            time.sleep(0.02)
        if hangs:
            server.mood.always = {"": "hang"}
            time.sleep(1.5)
        asked = len(server.asked)
        process.send_signal(number)
        try:
            _, err = process.communicate(timeout=20)
        finally:
            if process.poll() is None:
                os.kill(process.pid, signal.SIGKILL)
                process.communicate()
        assert process.returncode == 130, err
        assert f"{AT_ONCE} questions under way were given up" in err
        assert len(server.asked) == asked
        with duckdb.connect(str(tmp_path / "home" / "hnintel.duckdb"), read_only=True) as connection:
            assert connection.execute("SELECT sum(calls) FROM ops.ai_usage").fetchall() == [(asked,)]
            assert connection.execute("SELECT count(*) FROM ops.ai_reservations").fetchall() == [(0,)]

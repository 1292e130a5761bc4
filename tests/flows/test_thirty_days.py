"""Thirty days of real stories, killed twice on the way and started again: complete, and paid for once."""

from __future__ import annotations

import json
import lzma
import os
import signal
import subprocess
import sys
from datetime import date
from pathlib import Path

import duckdb
import pytest

from tests.conftest import ROOT
from tests.servers.chat import ChatServer

pytestmark = pytest.mark.slow

FIRST, LAST = date(2018, 6, 1), date(2018, 6, 30)
_PRICES = '[[price]]\nmodel = "small-rules"\nfrom = 2026-01-01\ninput = 0\noutput = 0\ncurrency = "USD"\n'
_CHUNK = 20
#: After so many days of a start it is killed.
_KILLED_AFTER = (9, 12)


def start(environ: dict[str, str], source: str) -> subprocess.Popen[str]:
    script = str(ROOT / "flows" / "backfill.py")
    argv = [sys.executable, script, "--source", source, "--from", str(FIRST), "--to", str(LAST), "--concurrency", "1"]
    return subprocess.Popen(
        argv, env=environ, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, start_new_session=True
    )


def test_a_backfill_that_is_killed_twice_ends_complete_and_asks_each_question_once(
    test_data: Path, tmp_path: Path, environ: dict[str, str]
) -> None:
    whole = test_data / "hn_firebase" / "stories" / "hackernews_parents_17000000.json.xz"
    if not whole.is_file():
        pytest.skip("the stories are not among the real material")
    dump = tmp_path / "dump.json"  # a hundred stories a day would take the test ten minutes: every fourth
    dump.write_text(json.dumps(json.loads(lzma.decompress(whole.read_bytes()))[::4]), encoding="utf-8")
    (tmp_path / "prices.toml").write_text(_PRICES, encoding="utf-8")
    with ChatServer() as endpoint:
        told = {
            "ENGINE": "openai",
            "OPENAI_BASE_URL": endpoint.base_url,
            "OPENAI_MODEL": "small-rules",
            "PRICES_PATH": tmp_path / "prices.toml",
            "ENRICH_CHUNK": _CHUNK,
            "ENRICH_CONCURRENCY": 1,
        }
        environ |= {f"HNINTEL_{name}": str(value) for name, value in told.items()}
        for days in _KILLED_AFTER:
            process = start(environ, f"replay:{dump}")
            assert process.stderr is not None
            seen = 0
            for line in process.stderr:
                seen += "read and enriched" in line
                if seen == days:
                    break
            assert seen == days
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()

        process = start(environ, f"replay:{dump}")
        _, err = process.communicate(timeout=1_500)

        assert process.returncode == 0, err
        assert err.count("read and enriched") == 30 - sum(_KILLED_AFTER)
        with duckdb.connect(str(tmp_path / "home" / "hnintel.duckdb"), read_only=True) as connection:
            statuses = connection.execute(
                "SELECT status, count(DISTINCT day) FROM ops.partitions GROUP BY 1"
            ).fetchall()
            stories = connection.execute(
                "SELECT count(*) FROM raw.items AS i WHERE status = 'ok' AND title IS NOT NULL"
            ).fetchall()[0][0]
            texts = connection.execute("SELECT count(DISTINCT input_hash) FROM enriched.topic").fetchall()[0][0]
            asked = connection.execute(
                "SELECT enrichment, sum(calls) FROM ops.ai_usage WHERE enrichment <> 'briefing' GROUP BY 1"
            ).fetchall()
            briefings = connection.execute(
                "SELECT coalesce(sum(calls), 0) FROM ops.ai_usage WHERE enrichment = 'briefing'"
            ).fetchall()[0][0]
        assert statuses == [("complete", 30)]
        # Stories of one text are asked about once, but for those of two days that are asked side by side.
        assert all(texts <= calls <= stories for _, calls in asked)
        assert texts > 0.9 * stories
        questions = sum(int(calls) for _, calls in asked) + int(briefings)
        assert questions <= len(endpoint.asked) <= questions + len(_KILLED_AFTER) * _CHUNK

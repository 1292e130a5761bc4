"""A backfill of a month (or some days) of real stories, killed twice: complete, and each question paid once."""

from __future__ import annotations

import json
import lzma
import os
import signal
import subprocess
import sys
from datetime import date, timedelta
from pathlib import Path

import duckdb
import pytest

from tests.conftest import ROOT
from tests.servers.chat import ChatServer

pytestmark = pytest.mark.slow

FIRST = date(2018, 6, 1)
_PRICES = '[[price]]\nmodel = "small-rules"\nfrom = 2026-01-01\ninput = 0\noutput = 0\ncurrency = "USD"\n'
_CHUNK = 20


def start(environ: dict[str, str], source: str, last: date) -> subprocess.Popen[str]:
    script = str(ROOT / "flows" / "backfill.py")
    argv = [sys.executable, script, "--source", source, "--from", str(FIRST), "--to", str(last), "--concurrency", "1"]
    return subprocess.Popen(
        argv, env=environ, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, start_new_session=True
    )


@pytest.mark.parametrize(
    ("days", "killed_after"),  # how many days of a start, for each that is killed
    [(4, (1, 1)), pytest.param(30, (9, 12), marks=pytest.mark.long)],
    ids=["some days", "a month"],
)
def test_a_backfill_that_is_killed_twice_ends_complete_and_asks_each_question_once(
    test_data: Path, tmp_path: Path, environ: dict[str, str], days: int, killed_after: tuple[int, ...]
) -> None:
    last = FIRST + timedelta(days=days - 1)
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
        for before in killed_after:
            process = start(environ, f"replay:{dump}", last)
            assert process.stderr is not None
            seen = 0
            for line in process.stderr:
                seen += "read and enriched" in line
                if seen == before:
                    break
            assert seen == before
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()

        process = start(environ, f"replay:{dump}", last)
        _, err = process.communicate(timeout=1_500)

        assert process.returncode == 0, err
        assert err.count("read and enriched") == days - sum(killed_after)
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
        assert statuses == [("complete", days)]
        # Stories of one text are asked about once, but for those of two days that are asked side by side.
        assert all(texts <= calls <= stories for _, calls in asked)
        assert texts > 0.9 * stories
        questions = sum(int(calls) for _, calls in asked) + int(briefings)
        assert questions <= len(endpoint.asked) <= questions + len(killed_after) * _CHUNK

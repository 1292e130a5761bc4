"""A real run killed at many points: the next run ends with the same rows, for at most a chunk more."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import duckdb
import pytest

from hnintel.warehouse.table_hashes import VOLATILE
from tests.conftest import ROOT
from tests.flows.own_prefect import api, bare_environ
from tests.servers.chat import ChatServer

pytestmark = pytest.mark.slow

_PRICES = '[[price]]\nmodel = "small-rules"\nfrom = 2026-01-01\ninput = 0\noutput = 0\ncurrency = "USD"\n'
#: Of an item of the discussions there are two questions; a briefing is six.
_CHUNK, _CALLS_A_CHUNK = 10, 20
#: Where a run is killed, one after the other: soon after it says that it is there.
_POINTS = (
    "list",
    "scrape",
    "scrape",
    "articles",
    "enrich discussion",
    "enrich sentiment",
    "enrich takeaway",
    "enrich topic",
    "enrich entities",
    "transform",
    "transform",
    "brief",
)
#: Some of them, for each part of a run.
_SOME = ("scrape", "enrich topic", "transform")
#: When an article that failed is tried again hangs on chance; the text of a briefing tells of the run that wrote it.
_OF_THE_RUN = VOLATILE | {"retry_at"}


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a Prefect server that these runs share."""
    with api(tmp_path_factory.mktemp("server")) as (url, _):
        yield url


class Runs:
    """Runs of a day in a home, with an endpoint that counts questions."""

    def __init__(self, folder: Path, url: str, endpoint: ChatServer) -> None:
        folder.mkdir()
        (folder / "prices.toml").write_text(_PRICES, encoding="utf-8")
        self.home, self.log = folder / "home", folder / "log.txt"
        told = {
            "HOME": self.home,
            "ENGINE": "openai",
            "OPENAI_BASE_URL": endpoint.base_url,
            "OPENAI_MODEL": "small-rules",
            "PRICES_PATH": folder / "prices.toml",
            "CHUNK_SIZE": 20,
            "ENRICH_CHUNK": _CHUNK,
            "ENRICH_CONCURRENCY": 1,
            "CACHE_HOURS": 0,
        }
        self._environ = {
            **bare_environ(folder),
            "PREFECT_HOME": str(folder / "prefect"),
            "PREFECT_API_URL": url,
            **{f"HNINTEL_{name}": str(value) for name, value in told.items()},
        }

    def start(self) -> subprocess.Popen[str]:
        """Start a run of the newest day of the sample."""
        return subprocess.Popen(
            [sys.executable, str(ROOT / "flows" / "main.py"), "--source", "sample"],
            cwd=self.home.parent,
            env=self._environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def kill_at(self, stages: Sequence[str], seconds: float) -> bool:
        """Start a run and kill it some seconds after it reaches one of *stages*; False if it ended before."""
        process = self.start()
        assert process.stderr is not None
        for line in process.stderr:
            if line.startswith(tuple(stages)):
                break
        drained = threading.Thread(target=process.stderr.read, daemon=True)
        drained.start()  # it must not wait for who reads its lines
        time.sleep(seconds)
        killed = process.poll() is None
        if killed:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        drained.join(10)
        return killed

    def finish(self) -> None:
        """Run to the end."""
        process = self.start()
        _, err = process.communicate(timeout=600)
        assert process.returncode == 0, err

    def tables(self) -> dict[str, list[tuple[Any, ...]]]:
        """Return every table of raw, enriched and marts, and the ledger, without volatile columns."""
        with duckdb.connect(str(self.home / "hnintel.duckdb"), read_only=True) as connection:
            columns = connection.execute(
                "SELECT c.table_schema || '.' || c.table_name, c.column_name FROM information_schema.columns AS c "
                "JOIN information_schema.tables AS t USING (table_schema, table_name) "
                "WHERE t.table_type = 'BASE TABLE' "
                "AND table_schema IN ('raw', 'enriched', 'marts') ORDER BY 1, c.ordinal_position"
            ).fetchall()
            kept: dict[str, list[str]] = {}
            for table, column in columns:
                if column not in _OF_THE_RUN and (table, column) != ("enriched.briefings", "text"):
                    kept.setdefault(table, []).append(column)
            found = {
                table: connection.execute(f"SELECT {', '.join(names)} FROM {table} ORDER BY ALL").fetchall()
                for table, names in kept.items()
            }
            found["ops.partitions"] = connection.execute(
                "SELECT day, stage, status, row_count, fingerprint, inputs FROM ops.partitions ORDER BY ALL"
            ).fetchall()
            return found


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory, url: str) -> tuple[dict[str, list[tuple[Any, ...]]], int]:
    """Return the rows and the number of questions of a run that is never killed."""
    with ChatServer() as endpoint:
        runs = Runs(tmp_path_factory.mktemp("whole") / "runs", url, endpoint)
        runs.finish()
        return runs.tables(), len(endpoint.asked)


@pytest.mark.parametrize(
    ("points", "seed"),
    [(_SOME, 1), *(pytest.param(_POINTS, seed, marks=pytest.mark.long) for seed in (1, 2))],
    ids=["some", "all-1", "all-2"],
)
def test_a_run_killed_again_and_again_ends_with_the_rows_of_one_that_never_was(
    whole: tuple[dict[str, list[tuple[Any, ...]]], int], tmp_path: Path, url: str, points: Sequence[str], seed: int
) -> None:
    chance = random.Random(seed)
    rows, questions = whole
    with ChatServer() as endpoint:
        runs = Runs(tmp_path / "runs", url, endpoint)

        # A stage that was done before its turn came is passed over: the next is in its place.
        killed = sum(runs.kill_at(points[place:], chance.uniform(0, 1.2)) for place in range(len(points)))
        runs.finish()

        found = runs.tables()
        assert {name for name in rows if rows[name] != found.get(name)} == set()
        assert questions <= len(endpoint.asked) <= questions + killed * _CALLS_A_CHUNK
        assert killed >= len(points) - len(points) // 6

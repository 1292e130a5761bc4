"""An answer that has arrived is never paid for again, whenever its process was killed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hnintel.engines.journal import Answered, Journal, Sent, read
from hnintel.enrich.declaration import load_enrichments
from hnintel.warehouse import open_warehouse
from tests.conftest import ROOT
from tests.enrichments.subjects import load_worthy
from tests.servers.chat import ChatServer
from tests.warehouse.world import Asking

TAKEAWAY = load_enrichments()["takeaway"]
ABOUT = {"run_id": "killed", "day": "2026-10-21", "stage": "enrich:takeaway"}
ANSWER = Answered("AI_COMPLETE", '{"takeaway": "Ä \ud83d half a pair"}', "stop", 10, 5, True)
PRICES = '[[price]]\nmodel = "small-rules"\nfrom = 2026-01-01\ninput = 1\noutput = 10\ncurrency = "USD"\n'
#: Runs the enrichment over the home that the settings name, as a process of its own.
RUN = """
import sys
from hnintel.enrich.declaration import load_enrichments
from hnintel.enrich.run import enrich
from hnintel.settings import load_settings
from hnintel.warehouse import open_warehouse
from tests.warehouse.world import DAY
settings = load_settings()
enrich(open_warehouse(settings), load_enrichments()["takeaway"], DAY, settings, sys.argv[1])
"""


@pytest.fixture
def server() -> Iterator[ChatServer]:
    with ChatServer() as server:
        yield server


@pytest.fixture
def asking(tmp_path: Path, server: ChatServer) -> Asking:
    """A home whose warehouse asks an endpoint that is paid."""
    (tmp_path / "prices.toml").write_text(PRICES, encoding="utf-8")
    told: dict[str, Any] = {"openai_base_url": server.base_url, "openai_model": "small-rules"}
    asking = Asking(tmp_path, prices_path=tmp_path / "prices.toml", **told)
    asking.settings = asking.settings.model_copy(update={"engine": "openai"})
    asking.warehouse = open_warehouse(asking.settings)
    return asking


def start(asking: Asking, run_id: str) -> subprocess.Popen[str]:
    settings = asking.settings
    environ = os.environ | {
        "HNINTEL_HOME": str(settings.home),
        "HNINTEL_DUCKDB_PATH": str(settings.warehouse_file),
        "HNINTEL_ENGINE": "openai",
        "HNINTEL_OPENAI_BASE_URL": settings.openai_base_url,
        "HNINTEL_OPENAI_MODEL": settings.openai_model,
        "HNINTEL_OPENAI_CONCURRENCY": "4",
        "HNINTEL_PRICES_PATH": str(settings.prices_path),
    }
    return subprocess.Popen([sys.executable, "-c", RUN, run_id], cwd=ROOT, env=environ, text=True)


def questions(server: ChatServer) -> list[str]:
    return [json.dumps(asked.body["messages"]) for asked in server.asked]


def journals(asking: Asking) -> list[Path]:
    return sorted((asking.settings.folder / "journal").glob("*"))


def usage(asking: Asking) -> dict[str, float]:
    (row,) = asking.rows(
        "SELECT sum(calls) AS calls, sum(input_tokens) AS read, sum(output_tokens) AS wrote FROM ops.ai_usage"
    )
    return {name: float(value or 0) for name, value in row.items()}


@pytest.mark.slow  # processes that are killed
@pytest.mark.parametrize("arrived", [1, 9, 25])
def test_a_killed_run_is_asked_nothing_again_that_had_arrived(asking: Asking, server: ChatServer, arrived: int) -> None:
    load_worthy(asking, TAKEAWAY, 40)
    server.mood.latency = 0.05
    process = start(asking, "killed")
    while len(server.billed) < arrived + 4:
        assert process.poll() is None
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    process.wait()
    (left,) = [read(path) for path in journals(asking)]
    assert left is not None
    assert len(left.answers) >= arrived
    assert len(left.under_way) <= 4
    before = set(questions(server))

    assert start(asking, "again").wait() == 0
    asked_again = [question for question in questions(server)[len(before) :] if question in before]
    assert len(asked_again) <= len(left.under_way), "only what was under way"
    assert len(asking.answers(TAKEAWAY)) == 40
    # One that was noted and not yet sent counts too: nobody can know that it was not.
    assert len(server.asked) <= usage(asking)["calls"] <= len(server.asked) + len(left.under_way)
    assert usage(asking)["wrote"] >= sum(wrote for _, wrote in server.billed)
    assert asking.rows("SELECT * FROM ops.ai_reservations") == []
    assert journals(asking) == []


def test_a_run_that_ends_leaves_no_journal(asking: Asking) -> None:
    load_worthy(asking, TAKEAWAY, 5)
    asking.run(TAKEAWAY)
    assert journals(asking) == []


def test_answers_whose_storing_failed_are_stored_by_the_next_try_without_a_request(
    asking: Asking, server: ChatServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    from hnintel.errors import WarehouseError
    from hnintel.warehouse.duckdb.adapter import DuckDBWarehouse

    load_worthy(asking, TAKEAWAY, 5)

    def fails(*_: object) -> None:
        raise WarehouseError("the file is held")

    with monkeypatch.context() as patched:
        patched.setattr(DuckDBWarehouse, "_hand_over", fails)
        with pytest.raises(WarehouseError, match="the file is held"):
            asking.run(TAKEAWAY)
    asked = len(server.asked)
    assert asking.run(TAKEAWAY).asked == 5
    assert len(server.asked) == asked
    assert usage(asking)["calls"] == asked


def journal_with(folder: Path, *answers: str, about: dict[str, str] = ABOUT) -> Journal:
    journal = Journal(folder, about)
    for key in answers:
        journal.answered(journal.sent(Sent("AI_COMPLETE", 100, 50)), key, ANSWER)
    return journal


def test_what_a_killed_asking_got_is_known_to_the_next_about_the_same_day_and_stage(tmp_path: Path) -> None:
    journal_with(tmp_path, "a", "b").end(stored=False)
    following = Journal(tmp_path, {**ABOUT, "run_id": "next"})
    (left,) = following.take_over()
    assert set(left.answers) == {"a", "b"}
    assert (following.find("a"), following.find("c")) == (ANSWER, None)
    following.end(stored=True)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("about", [{**ABOUT, "day": "2026-10-22"}, {**ABOUT, "stage": "enrich:topic"}])
def test_the_journal_of_another_day_or_stage_is_left_alone(tmp_path: Path, about: dict[str, str]) -> None:
    journal_with(tmp_path, "a", about=about).end(stored=False)
    following = Journal(tmp_path, ABOUT)
    assert following.take_over() == []
    following.end(stored=True)
    assert len(list(tmp_path.iterdir())) == 1


def test_the_journal_of_a_living_process_is_left_alone(tmp_path: Path) -> None:
    living = journal_with(tmp_path, "a")
    assert Journal(tmp_path, ABOUT).take_over() == []
    living.end(stored=True)


@pytest.mark.parametrize("lost", range(2, 400, 37))
def test_a_torn_end_loses_the_torn_line_alone(tmp_path: Path, lost: int) -> None:
    journal_with(tmp_path, "a", "b").end(stored=False)
    (path,) = tmp_path.iterdir()
    whole = path.read_bytes()
    path.write_bytes(whole[:-lost])
    left = read(path)
    lines = whole[:-lost].count(b"\n")
    kept = [key for key, line in (("a", 3), ("b", 5)) if lines >= line]
    assert (list(left.answers) if left else []) == (kept if lines >= 1 else [])


@pytest.mark.parametrize("place", [5, 60, 200, 300])
def test_a_damaged_line_is_no_answer(tmp_path: Path, place: int) -> None:
    journal_with(tmp_path, "a", "b").end(stored=False)
    (path,) = tmp_path.iterdir()
    content = bytearray(path.read_bytes())
    content[place] ^= 1
    path.write_bytes(content)
    left = read(path)
    assert all(answer == ANSWER for answer in (left.answers if left else {}).values())


def test_a_request_that_costs_nothing_is_not_under_way(tmp_path: Path) -> None:
    journal = Journal(tmp_path, ABOUT)
    journal.unbilled(journal.sent(Sent("AI_COMPLETE", 100, 50)))
    journal.sent(Sent("AI_COMPLETE", 7, 8))
    journal.end(stored=False)
    (left,) = Journal(tmp_path, ABOUT).take_over()
    assert list(left.under_way.values()) == [Sent("AI_COMPLETE", 7, 8)]


@pytest.mark.parametrize("content", [b"", b"\n\n", b"nonsense", b"00000000 {}\n", b"\xff" * 100])
def test_a_file_that_is_no_journal_is_left_alone(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x.journal").write_bytes(content)
    assert Journal(tmp_path, ABOUT).take_over() == []
    assert (tmp_path / "x.journal").exists()


def test_a_folder_that_cannot_be_written_is_reported_once_and_asking_goes_on(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "journal").write_text("a file")
    journal_with(tmp_path / "journal", "a", "b").end(stored=True)
    assert [record.getMessage().split(" cannot ")[0] for record in caplog.records] == [str(tmp_path / "journal")]

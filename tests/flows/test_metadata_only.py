"""In metadata-only mode no text reaches Prefect: a whole run, and then every record on the server."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pytest
from prefect import flow
from prefect.events.worker import EventsWorker
from prefect.logging.handlers import APILogWorker
from prefect.settings import PREFECT_API_DATABASE_CONNECTION_URL, PREFECT_LOGGING_TO_API_ENABLED, temporary_settings

from flows.run_log import InRunLog
from hnintel.process import progress
from hnintel.transform import could_not_run
from tasks import brief

DAY = date(2026, 10, 22)
#: Words that are nowhere else: in titles, an address, a post and a comment.
CANARIES = ("zyxcanarytitle", "zyxcanaryaddress", "zyxcanarytext", "zyxcanarycomment")
TITLE, ADDRESS, TEXT, COMMENT = CANARIES


@pytest.fixture
def dump(tmp_path: Path) -> Path:
    """Stories of a day with a canary in every text, and a linked page."""
    posted = 1792656000  # 2026-10-22 08:00 UTC
    usual = {"time": posted, "score": 50, "type": "story", "by": "keeper"}
    items: list[dict[str, Any]] = [
        {**usual, "id": 100 + n, "title": f"{TITLE} {n}: a pump", "url": f"https://pump.example/{ADDRESS}/{n}"}
        for n in range(3)
    ]
    items.append({**usual, "id": 201, "title": f"Ask HN: {TITLE}?", "text": f"{TEXT} leaks.", "kids": [301]})
    items.append({"id": 301, "parent": 201, "type": "comment", "by": "c", "time": posted, "text": f"{COMMENT} holds."})
    path = tmp_path / "dump.ndjson"
    path.write_text("\n".join(map(json.dumps, items)) + "\n", encoding="utf-8")
    return path


@pytest.fixture
def told_all(prefect_server: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Send logs to Prefect too, as in production, including those of the stages."""
    progress.use(InRunLog())
    with temporary_settings({PREFECT_LOGGING_TO_API_ENABLED: True}):
        yield


def kept_by_prefect() -> dict[str, list[str]]:
    """Return every row of every table of the server's database, as text."""
    APILogWorker.drain_all(timeout=30)
    EventsWorker.drain_all(timeout=30)
    url = str(PREFECT_API_DATABASE_CONNECTION_URL.value())
    with sqlite3.connect(f"file:{url.partition(':///')[2]}?mode=ro", uri=True) as connection:
        names = [row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return {name: [repr(row) for row in connection.execute(f'SELECT * FROM "{name}"')] for name in names}


def leaks(records: dict[str, list[str]]) -> set[tuple[str, str]]:
    """Return which canary is in which table."""
    return {(one, table) for table, rows in records.items() for one in CANARIES if any(one in row for row in rows)}


@pytest.mark.slow  # two runs of a day
def test_no_text_reaches_prefect_in_metadata_only_mode(
    home: Path, dump: Path, told_all: None, run: Callable[..., dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HNINTEL_METADATA_ONLY", "true")
    told = run(DAY, f"replay:{dump}")
    with duckdb.connect(str(home / "hnintel.duckdb"), read_only=True) as warehouse:
        titles = warehouse.execute("SELECT count(*) FROM raw.items WHERE title LIKE '%' || ? || '%'", [TITLE])
        assert titles.fetchall() == [(4,)]
        (page,) = warehouse.execute("SELECT text FROM enriched.briefings").fetchall()
    assert TITLE in page[0], "the briefing itself, in the warehouse, has its words"
    records = kept_by_prefect()
    ran = [row for row in records["log"] + records["task_run"] + records["artifact"] if "2026-10-22" in row]
    assert len(ran) > 20, "the records of this very run were read"
    assert any("md5 of the claim" in row for row in records["artifact"])
    assert any("list: 4 stories, jobs and polls of 2026-10-22" in row for row in records["log"])
    assert leaks(records) == set()

    monkeypatch.setenv("HNINTEL_METADATA_ONLY", "false")
    flow(lambda: brief.publish(DAY), name="publish-again")()
    assert (TITLE, "artifact") in leaks(kept_by_prefect()), "the same reading finds it where it is allowed"
    assert told["status"] in ("complete", "partial")


def test_dbt_tells_its_events_by_name_there() -> None:
    from dbt_common.events.base_types import msg_from_base_event  # dbt loads for seconds
    from dbt_common.events.types import Note
    from prefect_dbt import PrefectDbtRunner

    from tasks.dbt_runner import WordlessDbtRunner

    event = msg_from_base_event(Note(msg=f"Could not convert '{TEXT}'"))
    assert TEXT in PrefectDbtRunner.get_dbt_event_msg(event)
    assert WordlessDbtRunner.get_dbt_event_msg(event) == "dbt: Note"


def test_what_keeps_dbt_from_running_is_told_without_its_words_but_with_a_code_of_snowflake() -> None:
    quoted = f"Failed to invoke dbt command 'build': Runtime Error\n  Database Error\n    no such '{TEXT}'"
    assert str(could_not_run(quoted, "logs")) == f"dbt could not run: no such '{TEXT}'; see logs/dbt.log"
    assert str(could_not_run(quoted, "logs", in_its_words=False)) == "dbt could not run; see logs/dbt.log"
    refused = f"Database Error\n  003001 (42501): SQL access control error: '{TEXT}'"
    assert "the role may not do that [error 003001]" in str(could_not_run(refused, "logs", in_its_words=False))
    assert TEXT not in str(could_not_run(refused, "logs"))

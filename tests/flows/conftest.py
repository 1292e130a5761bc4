"""A real Prefect server for all flow tests of a session, and small days to run."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import shutil
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

from flows.local.server import SETTINGS, plain_http

_QUIET = {
    **{name: SETTINGS[name] for name in SETTINGS if "BLOCK" in name},
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_BATCH_SIZE": "200",
    "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_FLUSH_INTERVAL": "1",
    "PREFECT_SERVER_SERVICES_EVENT_PERSISTER_FLUSH_INTERVAL": "0.2",
    "PREFECT_LOGGING_TO_API_ENABLED": "false",
    "PREFECT_LOGGING_INTERNAL_LEVEL": "CRITICAL",
}
for _name, _value in _QUIET.items():  # before Prefect is imported anywhere
    os.environ.setdefault(_name, _value)


@pytest.hookimpl(tryfirst=True)  # before -m chooses
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark as ``slow`` the tests that use the server, which takes longer to start than they take."""
    for item in items:
        if "prefect_server" in getattr(item, "fixturenames", ()) and item.get_closest_marker("slow") is None:
            item.add_marker(pytest.mark.slow)
            item.add_marker(pytest.mark.server)


@pytest.fixture(scope="session")
def prefect_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A server with a separate database and separate results."""
    os.environ["PREFECT_LOCAL_STORAGE_PATH"] = str(tmp_path_factory.mktemp("prefect-results"))
    os.environ.update(plain_http(tmp_path_factory.mktemp("certificate")))
    from prefect.events.worker import EventsWorker
    from prefect.logging.handlers import PrefectConsoleHandler
    from prefect.testing import utilities

    from tests.flows.own_prefect import seed

    folder = tmp_path_factory.mktemp("prefect-server")
    seed(folder)
    (folder / "prefect.db").rename(folder / "prefect-test.db")  # the name that the harness gives it
    with patch.object(utilities, "mkdtemp", lambda: str(folder)), utilities.prefect_test_harness(120):
        for name in [None, *logging.root.manager.loggerDict]:
            logger = logging.getLogger(name)
            for handler in list(logger.handlers):  # it holds pytest's stream, which is closed before the server is
                if isinstance(handler, PrefectConsoleHandler):
                    logger.removeHandler(handler)
        yield
        EventsWorker.drain_all(timeout=30)  # while there is a server to send them to


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    """Return the environment of a process of a test: a separate home, without the developer's settings."""
    from tests.flows.own_prefect import bare_environ, seed

    home = tmp_path / "home"
    seed(home / "prefect")
    return {**bare_environ(tmp_path), "HNINTEL_HOME": str(home)}


@pytest.fixture(scope="session")
def parsed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Keep dbt's parsed project for the next home: parsing takes longer than building the marts."""
    return tmp_path_factory.mktemp("parsed") / "partial_parse.msgpack"


@pytest.fixture
def home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A separate home folder, always at the same path: dbt parses its project again for another path."""
    folder = tmp_path_factory.getbasetemp() / "home"
    monkeypatch.setenv("HNINTEL_HOME", str(folder))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def run(prefect_server: None, parsed: Path) -> Callable[..., dict[str, Any]]:
    """Run the parent flow as a caller in Python does, and return its summary."""
    from flows.main import hacker_news
    from hnintel.settings import load_settings

    def run_day(day: date | None = None, source: str = "sample") -> dict[str, Any]:
        own = load_settings().folder / "dbt" / "target" / parsed.name
        if parsed.exists() and not own.exists():
            own.parent.mkdir(parents=True)
            shutil.copy(parsed, own)
        told = asyncio.run(hacker_news(day, source))
        if own.exists():
            shutil.copy(own, parsed)
        return told

    return run_day


@pytest.fixture
def small_dump(tmp_path: Path) -> Path:
    """Twelve stories of 2026-10-22 as a dump: links, a text post, a job, a dead and a deleted one."""
    posted = 1792656000  # 2026-10-22 08:00 UTC
    stories: list[dict[str, Any]] = [
        {
            "by": f"user{number}",
            "descendants": 0,
            "id": 100 + number,
            "score": 10 + number,
            "time": posted + number,
            "title": f"A lighthouse keeper's notes on pump number {number}",
            "type": "story",
            "url": f"https://pump{number}.example/notes",
        }
        for number in range(8)
    ]
    stories += [
        {
            "by": "asker",
            "id": 201,
            "score": 3,
            "time": posted,
            "title": "Ask HN: Which pump?",
            "type": "story",
            "text": "It leaks.<p>Still.",
        },
        {"by": "boss", "id": 202, "score": 1, "time": posted, "title": "Pumpworks is hiring", "type": "job"},
        {"by": "spam", "dead": True, "id": 203, "score": 1, "time": posted, "type": "story"},
        {"deleted": True, "id": 204, "time": posted, "type": "story"},
    ]
    path = tmp_path / "dump.ndjson"
    path.write_text("\n".join(json.dumps(story) for story in stories) + "\n", encoding="utf-8")
    return path


@pytest.fixture(autouse=True)
def _client_retries(monkeypatch: pytest.MonkeyPatch) -> None:
    """Restore Prefect's client retries after a test: ending a run for a lost server disables them."""
    from prefect.settings import get_current_settings

    client = get_current_settings().client
    monkeypatch.setattr(client, "max_retries", client.max_retries)

"""Events of a run: the facts of the outbox at its end, and its failure, whatever the reason."""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import duckdb
import httpx
import pytest
from prefect.exceptions import ParameterTypeError, PrefectHTTPStatusError
from prefect.settings import PREFECT_API_URL, temporary_settings

from hnintel.errors import BudgetReached, WarehouseError, of_several
from hnintel.events import StoryTrending
from hnintel.ledger import outbox
from hnintel.settings import load_settings
from hnintel.warehouse import open_warehouse

DAY = date(2026, 10, 22)


def emitted(event: str, **payload: str) -> dict[str, Any]:
    """Return the event of that name with this payload, as the server has it."""
    now = datetime.now(UTC)
    since = {"since": (now - timedelta(days=60)).isoformat(), "until": (now + timedelta(hours=1)).isoformat()}
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        answer = httpx.post(
            f"{PREFECT_API_URL.value()}/events/filter",
            json={"filter": {"event": {"name": [event]}, "occurred": since}, "limit": 50},
        )
        for found in answer.json()["events"]:
            if payload.items() <= found["payload"].items():
                return dict(found)
        time.sleep(0.2)
    raise AssertionError(f"no {event} with {payload}")


def told(home: Path) -> list[tuple[str, bool]]:
    """Return the events of the outbox, without checks, and whether each was emitted."""
    with duckdb.connect(str(home / "hnintel.duckdb"), read_only=True) as connection:
        return connection.execute(
            "SELECT event, emitted_at IS NOT NULL FROM ops.outbox WHERE event <> 'hn.check.failed' ORDER BY event"
        ).fetchall()


@pytest.mark.slow
def test_a_run_announces_its_tables_and_that_it_continues_itself(
    run: Callable[..., dict[str, Any]], home: Path, small_dump: Path
) -> None:
    source = f"replay:{small_dump}"
    listed = run(None, source)["listed"]
    assert told(home) == [("hn.day.enriched", True), ("hn.day.published", True), ("hn.items.landed", True)]
    landed = emitted("hn.items.landed", source=source)
    assert landed["resource"]["prefect.resource.id"] == "hn.day.2026-10-22"
    assert landed["resource"]["hn.continue_by"] == "parent"
    assert emitted("hn.day.published")["resource"]["hn.recent"] == "false"  # the sample's days are long past
    assert landed["payload"]["items"] == listed


@pytest.mark.slow
def test_a_single_stage_announces_that_an_event_continues(prefect_server: None, home: Path, small_dump: Path) -> None:
    from flows.main import hacker_news

    source = f"replay:{small_dump}"
    for stages in (["ingest", "articles"], ["enrich"]):
        asyncio.run(hacker_news(None, source, stages, continue_by="event"))
    assert emitted("hn.items.landed", source=source)["resource"]["hn.continue_by"] == "event"
    assert emitted("hn.day.enriched", source=source)["resource"]["hn.continue_by"] == "event"
    assert told(home) == [("hn.day.enriched", True), ("hn.items.landed", True)]


def test_what_cannot_be_emitted_waits_for_the_next_run(prefect_server: None, home: Path) -> None:
    from tasks import events

    story = StoryTrending(story_id=4_711, score=120, comments=3, points_per_hour=80)
    with open_warehouse(load_settings()).transaction(stage="enrich") as session:
        outbox.put(session, story, datetime(2026, 10, 22, 12, 0))
    with temporary_settings({PREFECT_API_URL: "http://127.0.0.1:1/api"}):
        assert asyncio.run(events.emit_waiting()) == 0
    assert told(home) == [("hn.story.trending", False)]
    assert asyncio.run(events.emit_waiting()) == 1
    assert told(home) == [("hn.story.trending", True)]
    assert emitted("hn.story.trending")["id"] == str(story.id)
    assert asyncio.run(events.emit_waiting()) == 0


def test_many_pending_events_are_recorded_as_they_are_emitted(
    prefect_server: None, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tasks import events

    monkeypatch.setattr(events, "_BATCH", 2)
    send, batches = events.send, []

    async def for_a_while(told: list[Any]) -> None:
        batches.append(len(told))
        if len(batches) == 3:
            raise ConnectionError("gone")
        await send(told)

    monkeypatch.setattr(events, "send", for_a_while)
    with open_warehouse(load_settings()).transaction(stage="enrich") as session:
        for number in range(5):
            story = StoryTrending(story_id=5_000 + number, score=120, comments=3, points_per_hour=80)
            outbox.put(session, story, datetime(2026, 10, 22, 12, number))
    assert asyncio.run(events.emit_waiting()) == 4
    assert [was for _, was in told(home)].count(True) == 4
    assert asyncio.run(events.emit_waiting()) == 1
    assert batches == [2, 2, 1, 1]


def test_an_unavailable_warehouse_is_a_line_in_the_log_of_the_hook(
    home: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    from prefect import flow
    from prefect.client.schemas.objects import FlowRun
    from prefect.states import Completed

    from tasks import events

    monkeypatch.setenv("HNINTEL_LOCK_WAIT", "0.1")
    with open_warehouse(load_settings()).transaction(stage="enrich"):
        pass
    log = logging.getLogger("prefect.hnintel.events")
    log.addHandler(caplog.handler)
    try:
        with duckdb.connect() as another:
            another.execute(f"ATTACH '{home / 'hnintel.duckdb'}'")
            asyncio.run(events.ended(flow(lambda: None, name="daily"), FlowRun(flow_id=uuid4()), Completed()))
    finally:
        log.removeHandler(caplog.handler)
    (line,) = {one.getMessage() for one in caplog.records if one.name == log.name}
    assert line.startswith("events may wait in the outbox, for the next run: ")
    assert "is held by this process" in line
    assert "\n" not in line


@pytest.mark.parametrize(
    ("error", "event", "payload"),
    [
        (WarehouseError("the file is gone: mend it"), "hn.run.failed", {"error": "WarehouseError", "state": "Failed"}),
        (BudgetReached("a question may cost too much"), "hn.budget.reached", {}),
        (ValueError("words of a page"), "hn.run.failed", {"error": "ValueError"}),
    ],
)
def test_a_failed_run_is_announced_without_any_text_that_was_read(
    prefect_server: None, home: Path, error: Exception, event: str, payload: dict[str, str]
) -> None:
    from prefect import flow

    from tasks.events import FAILURE_ANNOUNCED

    name = f"fails-{type(error).__name__.lower()}"

    @flow(name=name, **FAILURE_ANNOUNCED)
    async def fails(day: date) -> None:
        raise error

    with pytest.raises(type(error)):
        asyncio.run(fails(DAY))
    found = emitted(event, flow=name, **payload)
    assert found["resource"]["prefect.resource.id"] == f"hn.flow.{name}"
    assert found["payload"]["day"] == "2026-10-22"
    assert ("words of a page" in json.dumps(found)) is False
    assert found["payload"]["told"] == ("" if isinstance(error, ValueError) else str(error))


def answered(status: int) -> Exception:
    """Return the error that Prefect's client raises for an answer."""
    response = httpx.Response(status, request=httpx.Request("POST", "http://a.example/"), text="words of a page")
    return PrefectHTTPStatusError("words of a page", request=response.request, response=response)


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (answered(503), "Prefect's API at {api} fails to answer: see its log; items and answers so far are stored"),
        (httpx.ConnectError("words of a page"), "Prefect's API at {api} does not answer: start it"),
        (answered(404), ""),
    ],
    ids=["503", "not there", "404"],
)
def test_a_run_that_fails_because_of_prefect_reports_it_in_a_line(
    prefect_server: None, home: Path, error: Exception, line: str
) -> None:
    from prefect import flow

    from tasks.events import FAILURE_ANNOUNCED

    home.mkdir()
    name = f"fails-of-prefect-{len(line)}"

    @flow(name=name, **FAILURE_ANNOUNCED)
    async def fails() -> None:
        raise error

    with pytest.raises(type(error)):
        asyncio.run(fails())
    payload = emitted("hn.run.failed", flow=name)["payload"]
    assert payload["error"] == type(error).__name__
    assert payload["told"].startswith(line.format(api=PREFECT_API_URL.value()))
    assert bool(payload["told"]) is bool(line)
    assert "words of a page" not in json.dumps(payload)


def test_a_run_with_an_invalid_parameter_names_it(prefect_server: None, home: Path) -> None:
    from prefect import flow

    from tasks.events import FAILURE_ANNOUNCED

    @flow(name="fails-of-its-parameters", **FAILURE_ANNOUNCED)
    async def fails(day: date) -> None:
        raise AssertionError

    with pytest.raises(ParameterTypeError):
        asyncio.run(fails("words of a page"))  # type: ignore[arg-type]
    payload = emitted("hn.run.failed", flow="fails-of-its-parameters")["payload"]
    assert payload["told"].startswith("the run's parameters are not valid: day: Input should be a valid date")
    assert "words of a page" not in json.dumps(payload)


def test_texts_of_notifications_mention_nobody_and_contain_no_link(prefect_server: None, home: Path) -> None:
    from prefect import flow

    from tasks.events import FAILURE_ANNOUNCED

    @flow(name="fails-loudly", **FAILURE_ANNOUNCED)
    async def fails() -> None:
        raise WarehouseError("no /d/<!channel> <https://evil.example|click here>\n\x1b[31m is there")

    with pytest.raises(WarehouseError):
        asyncio.run(fails())
    told = emitted("hn.run.failed", flow="fails-loudly")["payload"]["told"]
    assert told == "no /d/‹!channel› ‹https://evil.example|click here› [31m is there"


def test_the_state_of_a_poll_names_what_was_left_out_beside_what_was_announced(
    prefect_server: None, home: Path, small_dump: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from flows.watch import watch
    from hnintel.ingest import poller as thinking

    monkeypatch.setattr(thinking, "_QUIET", timedelta(0))
    monkeypatch.setenv("HNINTEL_SOURCE", "sample")
    monkeypatch.setenv("HNINTEL_WATCH_DUMPS", str(small_dump.parent))
    (small_dump.parent / "broken.ndjson").write_text('{"broken', encoding="utf-8")
    state: Any = asyncio.run(watch(return_state=True))  # type: ignore[call-overload]
    assert (state.type, state.name) == ("COMPLETED", "Completed")
    assert state.message.startswith("hn.day.requested hn.day.2026-10-22; ")
    assert "broken.ndjson is left out: it is not readable as JSON lines" in state.message
    state = asyncio.run(watch(return_state=True))  # type: ignore[call-overload]
    assert state.name == "Skipped"
    assert state.message.endswith(f"no dump is new in {small_dump.parent}")


@pytest.mark.parametrize("announced", [[True, True], [True, False]])
def test_a_run_that_fails_only_by_its_children_says_it_was_announced(
    prefect_server: None, home: Path, announced: list[bool]
) -> None:
    from prefect import flow

    from tasks.events import FAILURE_ANNOUNCED

    name = f"fails-of-others-{all(announced)}".lower()

    @flow(name=name, **FAILURE_ANNOUNCED)
    async def fails() -> None:
        days = [WarehouseError("the file is gone") for _ in announced]
        for error, is_told in zip(days, announced, strict=True):
            error.announced = is_told
        raise of_several(days, "two days failed")

    with pytest.raises(WarehouseError, match="two days failed"):
        asyncio.run(fails())
    assert emitted("hn.run.failed", flow=name)["resource"]["hn.told_before"] == str(all(announced)).lower()


def test_a_failure_that_cannot_be_announced_now_is_announced_by_the_next_run(
    prefect_server: None, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from prefect import flow

    from tasks import events

    @flow(name="fails-unheard", **events.FAILURE_ANNOUNCED)
    async def fails() -> None:
        raise WarehouseError("it is full: make room")

    send = events.send

    async def nowhere(told: list[Any]) -> None:
        with temporary_settings({PREFECT_API_URL: "http://127.0.0.1:1/api"}):
            await send(told)

    monkeypatch.setattr(events, "send", nowhere)
    with pytest.raises(WarehouseError):
        asyncio.run(fails())
    assert told(home) == [("hn.run.failed", False)]


def test_a_failed_check_is_announced(prefect_server: None, home: Path) -> None:
    from tasks import checks

    warehouse = open_warehouse(load_settings())
    with warehouse.transaction(stage="enrich") as session:
        for name, passed in (("topic: drift", False), ("topic: keys", True)):
            found = ["run", DAY, name, False, passed, "moved", datetime(2026, 10, 22)]
            session.execute("INSERT INTO ops.checks VALUES (?, ?, ?, ?, ?, ?, ?)", found)
    checks.show(DAY, "run")
    with warehouse.transaction(stage="enrich") as session:
        (waiting,) = outbox.waiting(session, 100)
    assert (waiting.event, waiting.payload["check"]) == ("hn.check.failed", "topic: drift")

"""Announce events: the outbox is sent to Prefect, and the hooks of a flow announce how its run ended.

We announce failures ourselves: Prefect's own state events may be delayed by fifteen minutes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any

from prefect import Flow
from prefect.client.schemas.objects import FlowRun, State
from prefect.events import Event as PrefectEvent
from prefect.events.clients import get_events_client
from prefect.events.schemas.events import Resource
from prefect.logging import get_logger
from prefect.settings import PREFECT_API_URL
from prefect.states import get_state_exception

from hnintel import errors
from hnintel.events import BudgetReached, Event, RunFailed
from hnintel.ledger import outbox
from hnintel.settings import Settings, load_settings
from hnintel.warehouse import open_warehouse
from hnintel.window import parse_day, utc_now
from tasks import prefect_errors

#: Seconds that sending a batch may take, and events per batch: the run has ended, and its process waits to exit.
_PATIENCE, _BATCH = 20.0, 100
_LONGEST_LINE = 300
#: No overrides: the settings of the environment.
_DEFAULTS: dict[str, Any] = {}
#: Payload fields that are also labels of the resource: a trigger matches the resource, not the payload.
MATCHED = ("continue_by", "recent", "told_before")


async def send(events: Sequence[PrefectEvent]) -> None:
    """Emit *events*, and return when the server has received all of them.

    Raises:
        Exception: an event could not be sent; the server may have received some of them.
    """
    async with asyncio.timeout(_PATIENCE), get_events_client(reconnection_attempts=1, checkpoint_every=1) as client:
        for event in events:
            await client.emit(event)


def as_prefect(event: Event) -> PrefectEvent:
    """Convert *event*, as occurring now, to Prefect's form; its id identifies the fact."""
    return _event(str(event.id), event.name, event.resource_id, event.payload, datetime.now(UTC))


async def emit_waiting() -> int:
    """Emit the events in the outbox and mark them as emitted; return how many.

    They are marked batch by batch, so that each run makes progress on a long outbox. After a crash in between, a batch
    is emitted again, with the same ids. Events that cannot be emitted now are left to the next run.
    """
    emitted = 0
    while waiting := await asyncio.to_thread(_waiting):
        try:
            await send([_event(row.id, row.event, row.resource, row.payload, row.occurred_at) for row in waiting])
        except Exception as error:
            _log().warning(
                "%d events or more wait in the outbox: Prefect does not take them (%s)", len(waiting), _kind(error)
            )
            break
        await asyncio.to_thread(_note, [row.id for row in waiting])
        emitted += len(waiting)
    return emitted


async def ended(flow: Flow[Any, Any], run: FlowRun, state: State[Any]) -> None:
    """Hook of a flow that ended: announce the events that it put into the outbox.

    Where the warehouse cannot be opened, one line is logged, and the events are left to the next run.
    """
    try:
        await emit_waiting()
    except errors.HnIntelError as error:
        _log().warning("events may wait in the outbox, for the next run: %s", errors.first_line(error))


async def failed(flow: Flow[Any, Any], run: FlowRun, state: State[Any]) -> None:
    """Hook of a flow that failed or crashed: announce it without the warehouse, which may be the cause.

    Where Prefect does not accept the event, it is put into the outbox.
    """
    error = await _error(state)
    event = failure(flow.name, run, state, error, await asyncio.to_thread(_line, error))
    try:
        await send([as_prefect(event)])
    except Exception as error:
        _log().warning("%s is put into the outbox: Prefect does not take it (%s)", event.name, _kind(error))
        try:
            await asyncio.to_thread(_put, event)
        except errors.HnIntelError as unstored:
            _log().warning("%s is not announced: %s", event.name, errors.first_line(unstored))


#: Arguments of a flow's decorator that announce a failure: ``@flow(..., **FAILURE_ANNOUNCED)``. The result is not
#: stored, whatever Prefect's settings say: it would be read back by the serializer that its record names.
FAILURE_ANNOUNCED: dict[str, Any] = {"on_failure": [failed], "on_crashed": [failed], "persist_result": False}
#: The same, and also announce the events in the outbox, however the run ended.
ANNOUNCED: dict[str, Any] = FAILURE_ANNOUNCED | {
    "on_completion": [ended],
    "on_failure": [failed, ended],
    "on_crashed": [failed, ended],
}


def failure(flow: str, run: FlowRun, state: State[Any], error: BaseException | None, line: str) -> Event:
    """Return the event for a run that failed; *line* is the part of its error that may be published."""
    day, message = _day(run.parameters.get("day")), line[:_LONGEST_LINE]
    if isinstance(error, errors.BudgetReached):
        return BudgetReached(flow=flow, run_id=str(run.id), day=day, told=message)
    return RunFailed(
        flow=flow,
        run_id=str(run.id),
        day=day,
        state=state.name or "Failed",
        error=_kind(error) if error else "unknown",
        told=message,
        told_before=isinstance(error, errors.HnIntelError) and error.announced,
    )


async def _error(state: State[Any]) -> BaseException | None:
    try:
        error: BaseException | None = await get_state_exception(state)  # type: ignore[misc]  # here it is a coroutine
        return error
    except Exception:  # the error is not stored or not readable: the failure is announced without it
        return None


def _line(error: BaseException | None) -> str:
    """Return the line of an error of ours or Prefect's, else "": other errors may quote text that was read."""
    if error is None or isinstance(error, errors.HnIntelError):
        return str(error or "")
    try:
        # Not by load_settings: it may load a block from Prefect, which may not be reachable.
        return str(prefect_errors.in_one_line(error, Settings(**_DEFAULTS).folder, PREFECT_API_URL.value()) or "")
    except Exception:  # the failure is announced without a line
        return ""


def _day(given: object) -> date | None:
    try:
        return given if isinstance(given, date) else parse_day(str(given))
    except errors.UsageError:
        return None


def _event(event_id: str, name: str, resource: str, payload: dict[str, Any], occurred: datetime) -> PrefectEvent:
    about = {"prefect.resource.id": resource, "prefect.resource.name": resource.removeprefix("hn.")}
    for field in MATCHED:
        if field in payload:
            about[f"hn.{field}"] = str(payload[field]).lower()
    return PrefectEvent.model_validate(
        {"id": event_id, "event": name, "resource": Resource(about), "payload": payload, "occurred": occurred}
    )


def _waiting() -> list[outbox.Waiting]:
    with open_warehouse(load_settings()).transaction(stage="enrich") as session:
        return outbox.waiting(session, _BATCH)


def _put(event: Event) -> None:
    with open_warehouse(load_settings()).transaction(stage="enrich") as session:
        outbox.put(session, event, utc_now())


def _note(ids: Sequence[str]) -> None:
    with open_warehouse(load_settings()).transaction(stage="enrich") as session:
        outbox.emitted(session, ids, utc_now())


def _kind(error: BaseException) -> str:
    return type(error).__name__


def _log() -> Any:
    return get_logger("hnintel.events")

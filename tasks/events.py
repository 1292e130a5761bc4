"""Announcing: what waits in the outbox goes to Prefect, and how a run ended is told by the hooks of its flow.

A failure is announced by us, not read off Prefect's own state events: those may be held back for fifteen minutes.
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

#: Seconds that Prefect may take over so many events at most: the run has ended, and its process wants to.
_PATIENCE, _BATCH = 20.0, 100
_LONGEST_LINE = 300
#: As the environment has them.
_DEFAULTS: dict[str, Any] = {}
#: Fields of the payload that are labels of the resource too: a trigger matches what the resource says, not the payload.
MATCHED = ("continue_by", "recent", "told_before")


async def send(events: Sequence[PrefectEvent]) -> None:
    """Emit *events*, and come back when the server has them all.

    Raises:
        Exception: whatever keeps them from it; some of them may be there.
    """
    async with asyncio.timeout(_PATIENCE), get_events_client(reconnection_attempts=1, checkpoint_every=1) as client:
        for event in events:
            await client.emit(event)


def as_prefect(event: Event) -> PrefectEvent:
    """*event* as of now, in Prefect's form; its id is the fact's."""
    return _event(str(event.id), event.name, event.resource_id, event.payload, datetime.now(UTC))


async def emit_waiting() -> int:
    """Emit what waits in the outbox and note it as emitted; how many.

    They are noted a batch at a time, so that many of them get on with each run. A crash in between has a batch emitted
    again, with the same ids. What cannot be emitted now is left to the next run.
    """
    told = 0
    while waiting := await asyncio.to_thread(_waiting):
        try:
            await send([_event(one.id, one.event, one.resource, one.payload, one.occurred_at) for one in waiting])
        except Exception as error:
            _log().warning(
                "%d events or more wait in the outbox: Prefect does not take them (%s)", len(waiting), _kind(error)
            )
            break
        await asyncio.to_thread(_note, [one.id for one in waiting])
        told += len(waiting)
    return told


async def ended(flow: Flow[Any, Any], run: FlowRun, state: State[Any]) -> None:
    """Hook of a flow that ended: announce what it put into the outbox.

    Where the warehouse cannot be had, that is logged in one line, and what waits is left to the next run.
    """
    try:
        await emit_waiting()
    except errors.HnIntelError as error:
        _log().warning("events may wait in the outbox, for the next run: %s", errors.first_line(error))


async def failed(flow: Flow[Any, Any], run: FlowRun, state: State[Any]) -> None:
    """Hook of a flow that failed or crashed: announce that, with no need of the warehouse, which may be the reason.

    Where Prefect does not take it, it waits in the outbox like all else.
    """
    error = await _error(state)
    event = failure(flow.name, run, state, error, await asyncio.to_thread(_line, error))
    try:
        await send([as_prefect(event)])
    except Exception as error:
        _log().warning("%s is put into the outbox: Prefect does not take it (%s)", event.name, _kind(error))
        try:
            await asyncio.to_thread(_put, event)
        except errors.HnIntelError as unkept:
            _log().warning("%s is not announced: %s", event.name, errors.first_line(unkept))


#: What a flow's decorator takes, so that a failure is announced: ``@flow(..., **FAILURE_TOLD)``. Its result is not
#: kept, whatever Prefect's settings say: a kept one would be read back by the serializer that its record names.
FAILURE_TOLD: dict[str, Any] = {"on_failure": [failed], "on_crashed": [failed], "persist_result": False}
#: The same, and what the run put into the outbox, however it ended.
ANNOUNCED: dict[str, Any] = FAILURE_TOLD | {
    "on_completion": [ended],
    "on_failure": [failed, ended],
    "on_crashed": [failed, ended],
}


def failure(flow: str, run: FlowRun, state: State[Any], error: BaseException | None, line: str) -> Event:
    """How a run ended, as the event that tells it; *line* is what may be said of its error."""
    day, told = _day(run.parameters.get("day")), line[:_LONGEST_LINE]
    if isinstance(error, errors.BudgetReached):
        return BudgetReached(flow=flow, run_id=str(run.id), day=day, told=told)
    return RunFailed(
        flow=flow,
        run_id=str(run.id),
        day=day,
        state=state.name or "Failed",
        error=_kind(error) if error else "unknown",
        told=told,
        told_before=isinstance(error, errors.HnIntelError) and error.announced,
    )


async def _error(state: State[Any]) -> BaseException | None:
    try:
        error: BaseException | None = await get_state_exception(state)  # type: ignore[misc]  # here it is a coroutine
        return error
    except Exception:  # it is not kept, or cannot be read: that the run failed is told all the same
        return None


def _line(error: BaseException | None) -> str:
    """What is said of an error, where it is one of ours or Prefect's: others may quote what was read."""
    if error is None or isinstance(error, errors.HnIntelError):
        return str(error or "")
    try:
        # Not by load_settings: a block would have to be asked of Prefect, which may be what is away.
        return str(prefect_errors.in_one_line(error, Settings(**_DEFAULTS).folder, PREFECT_API_URL.value()) or "")
    except Exception:  # that the run failed is told all the same
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

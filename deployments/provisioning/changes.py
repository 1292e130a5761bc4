"""What of our resources a Prefect server lacks, or has otherwise, and the means to make it so."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, get_args
from uuid import UUID

import yaml
from prefect.blocks.core import Block
from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.actions import (
    GlobalConcurrencyLimitCreate,
    VariableCreate,
    WorkPoolCreate,
    WorkPoolUpdate,
)
from prefect.events.schemas.automations import AutomationCore
from prefect.exceptions import ObjectNotFound

from deployments.provisioning import channels
from deployments.provisioning.models import Alert, Automation, AutomationsFile, Ending
from deployments.provisioning.pools import TARGETS, pool_type, template_of
from deployments.provisioning.resources import ALERTS, CHANNELS, LIMITS, VARIABLES, Channel, Tell
from hnintel.errors import UsageError
from tasks.prefect_private import block_id

#: In place of a block's id where it is only planned.
_PLANNED = str(UUID(int=0))
#: A message that was not taken so long after it was due is not under way any more.
_DELIVERED_WITHIN = timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that is to be made or altered."""

    what: str
    how: str
    make: Callable[[], object]


def changes(client: SyncPrefectClient, target: str, pool: str, environ: Mapping[str, str]) -> Iterator[Change]:
    """Everything that is not as it should be, in the order in which it has to be made.

    Each is worked out when the one before it was taken: an automation names the block that was made for it.

    Raises:
        UsageError: the server cannot have what the target wants, or a channel is given by half or by what is none.
    """
    given = channels.given_by(environ)
    yield from _pool(client, target, pool)
    yield from _limits(client)
    yield from _variables(client) if target not in ("local", "cloud") else ()  # they name an image, and its code
    yield from _channels(given)
    yield from _automations(client, given)


def _pool(client: SyncPrefectClient, target: str, name: str) -> Iterator[Change]:
    kind = pool_type(target, client.server_type.value == "cloud")
    template = template_of(client.read_worker_metadata(), kind, TARGETS[target].defaults, TARGETS[target].manifest)
    try:
        there = client.read_work_pool(name)
    except ObjectNotFound:
        wanted = WorkPoolCreate(name=name, type=kind, base_job_template=template)
        yield Change(f"work pool {name}", f"create ({kind})", partial(client.create_work_pool, wanted))
        return
    if there.type != kind:
        raise UsageError(f"work pool {name} is there and is a {there.type} pool, not {kind}: give another --pool")
    if there.base_job_template != template:
        update = WorkPoolUpdate(base_job_template=template)
        yield Change(f"work pool {name}", "change its job template", partial(client.update_work_pool, name, update))


def _limits(client: SyncPrefectClient) -> Iterator[Change]:
    for name, slots in LIMITS.items():
        try:
            client.read_global_concurrency_limit_by_name(name)  # what somebody has made of it stays
        except ObjectNotFound:
            wanted = GlobalConcurrencyLimitCreate(name=name, limit=slots)
            yield Change(
                f"limit {name}",
                f"create ({slots})",
                partial(client.create_global_concurrency_limit, wanted),
            )


def _variables(client: SyncPrefectClient) -> Iterator[Change]:
    for name, value in VARIABLES.items():
        if client.read_variable_by_name(name) is None:
            wanted = VariableCreate(name=name, value=value)
            yield Change(f"variable {name}", f"create ({value})", partial(client.create_variable, wanted))


def _channels(given: Sequence[tuple[Channel, Block]]) -> Iterator[Change]:
    for channel, wanted in given:
        there = channels.there(channel)
        if there is None or not channels.is_as(there, wanted):
            yield Change(
                f"block {channel.slug}/{ALERTS}",
                "change" if there else "create",
                partial(wanted.save, ALERTS, overwrite=True),
            )


def declared_automations(path: Path) -> AutomationsFile:
    """The automations that are declared."""
    return AutomationsFile.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))


def _automations(client: SyncPrefectClient, given: Sequence[tuple[Channel, Block]]) -> Iterator[Change]:
    blocks = {tell: _blocks(tell, [channel for channel, _ in given]) for tell in get_args(Tell)}
    ours = declared_automations(Path(__file__).resolve().parents[1] / "automations.yaml")
    sent = [alert.name for alert in ours.automations if blocks[alert.tell] and not alert.of_alerts]
    for alert in ours.automations:
        if alert.of_alerts and not sent:
            yield from _without(client, alert.name)
        else:
            yield from _as_wanted(client, automation(alert, blocks[alert.tell], sent))
    for ending in ours.endings:
        yield from _as_wanted(client, ending_automation(ending))


def _as_wanted(client: SyncPrefectClient, wanted: AutomationCore) -> Iterator[Change]:
    what, there = f"automation {wanted.name}", client.read_automations_by_name(wanted.name)
    for extra in there[1:]:
        yield Change(what, "delete one of two", partial(client.delete_automation, extra.id))
    if not there:
        yield Change(what, "create", partial(client.create_automation, wanted))
    elif _compared(there[0]) != _compared(wanted):
        yield Change(what, "change", partial(client.update_automation, there[0].id, wanted))


def _without(client: SyncPrefectClient, name: str) -> Iterator[Change]:
    """Where no alert is sent, Prefect is done with one before it waits for that, and would page for nothing."""
    for there in client.read_automations_by_name(name):
        yield Change(f"automation {name}", "delete (no channel)", partial(client.delete_automation, there.id))


def automation(alert: Alert, blocks: list[str], sent: Sequence[str] = ()) -> AutomationCore:
    """An alert as Prefect has it: a message to each of *blocks*; to none, it is seen on the server alone.

    Args:
        alert: as it is declared.
        blocks: the ids of the blocks that it is sent by.
        sent: the names of the alerts that are sent somewhere, for one that is of alerts. Prefect takes each of a list
            by itself, so that one which leaves a name out would match all the same: they are named one by one.
    """
    if alert.of_alerts:
        match = {**alert.trigger.match, "prefect.resource.name": list(sent)}
        alert = alert.model_copy(update={"trigger": alert.trigger.model_copy(update={"match": match})})
    told = {"type": "send-notification", "subject": alert.subject, "body": alert.body}
    return _as_prefect_has_it(
        alert, [{**told, "block_document_id": block} for block in blocks] or [{"type": "do-nothing"}]
    )


def ending_automation(ending: Ending) -> AutomationCore:
    """An ending as Prefect has it: the run's state, changed for it."""
    action = {"type": "change-flow-run-state", "state": ending.end_as, "message": ending.message}
    return _as_prefect_has_it(ending, [action])


def _as_prefect_has_it(one: Automation, actions: list[dict[str, Any]]) -> AutomationCore:
    return AutomationCore.model_validate(
        {
            "name": one.name,
            "description": one.description,
            "enabled": one.enabled,
            "tags": ["hn-intelligence"],
            "trigger": one.trigger.model_dump(),
            "actions": actions,
        }
    )


def _blocks(tell: Tell, given: Sequence[Channel]) -> list[str]:
    """The ids of the blocks of the channels that *tell*; *given* are those that are there or would be."""
    found = {channel.slug: channels.there(channel) for channel in CHANNELS if tell in channel.tells}
    planned = {channel.slug for channel in given}
    return [str(block_id(block)) if block else _PLANNED for slug, block in found.items() if block or slug in planned]


def _compared(one: AutomationCore) -> dict[str, Any]:
    told = one.model_dump(mode="json", exclude={"id", "owner_resource"})
    told["trigger"].pop("id", None)
    return told


def undelivered(client: SyncPrefectClient, now: datetime) -> list[str]:
    """The alerts of the last day that reached nobody, one line each, so that they are seen where nobody was told.

    Of a webhook that refuses, Prefect emits no event: an alert that was due and was not delivered since is one.
    """
    declared = declared_automations(Path(__file__).resolve().parents[1] / "automations.yaml")
    ours = {alert.name for alert in declared.automations}
    due: dict[str, str] = {}
    for event in _told_of_automations(client, now):  # the oldest first
        name = event["resource"].get("prefect.resource.name", "")
        if event["event"] == "prefect.automation.triggered":
            due[name] = event["occurred"]
        else:
            due.pop(name, None)
    patient = (now - _DELIVERED_WITHIN).isoformat()
    return [f"{when[:19]} UTC, {name}" for name, when in due.items() if name in ours and when < patient]


def _told_of_automations(client: SyncPrefectClient, now: datetime) -> list[dict[str, Any]]:
    names = ["prefect.automation.triggered", "prefect.automation.action.executed"]
    within = {"since": (now - timedelta(days=1)).isoformat(), "until": now.isoformat()}
    wanted = {"filter": {"event": {"name": names}, "occurred": within, "order": "DESC"}, "limit": 50}
    found: list[dict[str, Any]] = client.request("POST", "/events/filter", json=wanted).json()["events"]
    return sorted(found, key=lambda event: (event["occurred"], event["event"] != "prefect.automation.triggered"))

"""The changes that bring the resources of a Prefect server in line with our declarations."""

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

#: Stands for the id of a block that is only planned.
_PLANNED = str(UUID(int=0))
#: A message that is not delivered within this time after it was due counts as undelivered.
_DELIVERED_WITHIN = timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class Change:
    """A resource to create or to change."""

    what: str
    how: str
    make: Callable[[], object]


def changes(client: SyncPrefectClient, target: str, pool: str, environ: Mapping[str, str]) -> Iterator[Change]:
    """Yield the needed changes in the order in which to make them.

    Each change is computed after the caller has handled the change before: an automation names a block created earlier.

    Raises:
        UsageError: the server does not support the target, or a channel's variables are incomplete or invalid.
    """
    given = channels.given_by(environ)
    yield from _pool(client, target, pool)
    yield from _limits(client)
    yield from (
        _variables(client) if target not in ("local", "cloud") else ()
    )  # the variables name an image and its code
    yield from _channels(given)
    yield from _automations(client, given)


def _pool(client: SyncPrefectClient, target: str, name: str) -> Iterator[Change]:
    kind = pool_type(target, client.server_type.value == "cloud")
    template = template_of(client.read_worker_metadata(), kind, TARGETS[target].defaults, TARGETS[target].manifest)
    try:
        existing = client.read_work_pool(name)
    except ObjectNotFound:
        created = WorkPoolCreate(name=name, type=kind, base_job_template=template)
        yield Change(f"work pool {name}", f"create ({kind})", partial(client.create_work_pool, created))
        return
    if existing.type != kind:
        raise UsageError(f"work pool {name} is a {existing.type} pool, not {kind}: give another --pool")
    if existing.base_job_template != template:
        update = WorkPoolUpdate(base_job_template=template)
        yield Change(f"work pool {name}", "change its job template", partial(client.update_work_pool, name, update))


def _limits(client: SyncPrefectClient) -> Iterator[Change]:
    for name, slots in LIMITS.items():
        try:
            client.read_global_concurrency_limit_by_name(name)  # an existing limit keeps its slots
        except ObjectNotFound:
            created = GlobalConcurrencyLimitCreate(name=name, limit=slots)
            yield Change(
                f"limit {name}",
                f"create ({slots})",
                partial(client.create_global_concurrency_limit, created),
            )


def _variables(client: SyncPrefectClient) -> Iterator[Change]:
    for name, value in VARIABLES.items():
        if client.read_variable_by_name(name) is None:
            created = VariableCreate(name=name, value=value)
            yield Change(f"variable {name}", f"create ({value})", partial(client.create_variable, created))


def _channels(given: Sequence[tuple[Channel, Block]]) -> Iterator[Change]:
    for channel, declared in given:
        existing = channels.there(channel)
        if existing is None or not channels.is_as(existing, declared):
            yield Change(
                f"block {channel.slug}/{ALERTS}",
                "change" if existing else "create",
                partial(declared.save, ALERTS, overwrite=True),
            )


def declared_automations(path: Path) -> AutomationsFile:
    """Load the declared automations."""
    return AutomationsFile.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))


def _automations(client: SyncPrefectClient, given: Sequence[tuple[Channel, Block]]) -> Iterator[Change]:
    blocks = {tell: _blocks(tell, [channel for channel, _ in given]) for tell in get_args(Tell)}
    ours = declared_automations(Path(__file__).resolve().parents[1] / "automations.yaml")
    sent = [alert.name for alert in ours.automations if blocks[alert.tell] and not alert.of_alerts]
    for alert in ours.automations:
        if alert.of_alerts and not sent:
            yield from _without(client, alert.name)
        else:
            yield from _in_line_with(client, automation(alert, blocks[alert.tell], sent))
    for ending in ours.endings:
        yield from _in_line_with(client, ending_automation(ending))


def _in_line_with(client: SyncPrefectClient, declared: AutomationCore) -> Iterator[Change]:
    what, existing = f"automation {declared.name}", client.read_automations_by_name(declared.name)
    for extra in existing[1:]:
        yield Change(what, "delete one of two", partial(client.delete_automation, extra.id))
    if not existing:
        yield Change(what, "create", partial(client.create_automation, declared))
    elif _compared(existing[0]) != _compared(declared):
        yield Change(what, "change", partial(client.update_automation, existing[0].id, declared))


def _without(client: SyncPrefectClient, name: str) -> Iterator[Change]:
    """Delete an automation about alerts where no alert is sent, since it would page for no reason."""
    for existing in client.read_automations_by_name(name):
        yield Change(f"automation {name}", "delete (no channel)", partial(client.delete_automation, existing.id))


def automation(alert: Alert, blocks: list[str], sent: Sequence[str] = ()) -> AutomationCore:
    """Return an alert as a Prefect automation: a message to each of *blocks*; without blocks only the server shows it.

    Args:
        alert: the declared alert.
        blocks: the ids of the blocks that send it.
        sent: the names of the alerts that are sent, for an alert about alerts. Prefect matches each pattern of a list
            by itself, so that a pattern excluding a name would match all the same: the list has only plain names.
    """
    if alert.of_alerts:
        match = {**alert.trigger.match, "prefect.resource.name": list(sent)}
        alert = alert.model_copy(update={"trigger": alert.trigger.model_copy(update={"match": match})})
    message = {"type": "send-notification", "subject": alert.subject, "body": alert.body}
    return _as_prefect_has_it(
        alert, [{**message, "block_document_id": block} for block in blocks] or [{"type": "do-nothing"}]
    )


def ending_automation(ending: Ending) -> AutomationCore:
    """Return an ending as a Prefect automation that changes the run's state."""
    action = {"type": "change-flow-run-state", "state": ending.end_as, "message": ending.message}
    return _as_prefect_has_it(ending, [action])


def _as_prefect_has_it(declared: Automation, actions: list[dict[str, Any]]) -> AutomationCore:
    return AutomationCore.model_validate(
        {
            "name": declared.name,
            "description": declared.description,
            "enabled": declared.enabled,
            "tags": ["hn-intelligence"],
            "trigger": declared.trigger.model_dump(),
            "actions": actions,
        }
    )


def _blocks(tell: Tell, given: Sequence[Channel]) -> list[str]:
    """Return the ids of the blocks of the channels for *tell*; *given* are the channels set now."""
    existing = {channel.slug: channels.there(channel) for channel in CHANNELS if tell in channel.tells}
    planned = {channel.slug for channel in given}
    return [str(block_id(block)) if block else _PLANNED for slug, block in existing.items() if block or slug in planned]


def _compared(core: AutomationCore) -> dict[str, Any]:
    dumped = core.model_dump(mode="json", exclude={"id", "owner_resource"})
    dumped["trigger"].pop("id", None)
    return dumped


def undelivered(client: SyncPrefectClient, now: datetime) -> list[str]:
    """Return the undelivered alerts of the last day, a line for each.

    Prefect emits no event for a webhook that refuses: an alert that was due and has no delivery since counts as
    undelivered.
    """
    declared = declared_automations(Path(__file__).resolve().parents[1] / "automations.yaml")
    ours = {alert.name for alert in declared.automations}
    due: dict[str, str] = {}
    for event in _events_of_automations(client, now):  # the oldest first
        name = event["resource"].get("prefect.resource.name", "")
        if event["event"] == "prefect.automation.triggered":
            due[name] = event["occurred"]
        else:
            due.pop(name, None)
    patient = (now - _DELIVERED_WITHIN).isoformat()
    return [f"{when[:19]} UTC, {name}" for name, when in due.items() if name in ours and when < patient]


def _events_of_automations(client: SyncPrefectClient, now: datetime) -> list[dict[str, Any]]:
    names = ["prefect.automation.triggered", "prefect.automation.action.executed"]
    within = {"since": (now - timedelta(days=1)).isoformat(), "until": now.isoformat()}
    query = {"filter": {"event": {"name": names}, "occurred": within, "order": "DESC"}, "limit": 50}
    events: list[dict[str, Any]] = client.request("POST", "/events/filter", json=query).json()["events"]
    return sorted(events, key=lambda event: (event["occurred"], event["event"] != "prefect.automation.triggered"))

"""What prefect.yaml and automations.yaml may say. Prefect ignores a key it does not know; here it is a mistake."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

Text = Annotated[str, Field(min_length=1)]


class Strict(BaseModel):
    """Knows its keys, and takes no text for a number."""

    model_config = ConfigDict(extra="forbid", strict=True, populate_by_name=True)


class Schedule(Strict):
    """When a deployment starts by itself."""

    slug: Text
    cron: str | None = None
    #: Seconds.
    interval: int | None = Field(None, gt=0)
    timezone: str | None = None
    active: bool = True
    parameters: dict[str, Any] = {}

    @model_validator(mode="after")
    def _is_one(self) -> Schedule:
        from prefect.client.schemas.schedules import CronSchedule

        if (self.cron is None) == (self.interval is None):
            raise ValueError("give one of cron and interval")
        if self.cron is not None:
            if self.timezone is None:
                raise ValueError("a cron needs its timezone: without one it is UTC's")
            CronSchedule(cron=self.cron, timezone=self.timezone)
        return self


class ConcurrencyLimit(Strict):
    """How many runs of a deployment there are at once, and what becomes of one more."""

    limit: int = Field(gt=0)
    collision_strategy: Literal["ENQUEUE", "CANCEL_NEW"]
    grace_period_seconds: int | None = Field(None, ge=60, le=86_400)


class EventTrigger(Strict):
    """Events that are expected (``Reactive``), or missed where none comes ``within`` seconds (``Proactive``)."""

    type: Literal["event"] = "event"
    posture: Literal["Reactive", "Proactive"] = "Reactive"
    expect: list[Text] = Field(min_length=1)
    after: list[Text] = []
    match: dict[str, str | list[str]] = {}
    match_related: dict[str, str | list[str]] = {}
    for_each: list[Text] = []
    threshold: int = Field(1, ge=1)
    #: Seconds.
    within: int = Field(0, ge=0)

    @model_validator(mode="after")
    def _waits(self) -> EventTrigger:
        if self.posture == "Proactive" and self.within < 10:
            raise ValueError("a Proactive trigger waits at least ten seconds: give `within`")
        return self


class DeploymentTrigger(EventTrigger):
    """An event that starts a run, with the parameters that it gives."""

    name: Text
    description: str = ""
    enabled: bool = True
    parameters: dict[str, Any] = {}
    job_variables: dict[str, Any] = {}
    schedule_after: int = Field(0, ge=0)


class WorkPool(Strict):
    """Where runs go; without a name, to the default pool."""

    name: str | None = None
    work_queue_name: str | None = None
    job_variables: dict[str, Any] = {}


class Deployment(Strict):
    """One flow, ready to be run: by whom, when, with what."""

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]*$")]
    entrypoint: Annotated[str, Field(pattern=r"^[\w/]+\.py:\w+$")]
    description: Text
    version: str | None = None
    tags: list[Text] = []
    parameters: dict[str, Any] = {}
    enforce_parameter_schema: bool = True
    schedules: list[Schedule] = []
    paused: bool = False
    concurrency_limit: ConcurrencyLimit | None = None
    triggers: list[DeploymentTrigger] = []
    work_pool: WorkPool | None = None
    build: list[dict[str, dict[str, Any]]] | None = None
    push: list[dict[str, dict[str, Any]]] | None = None
    pull: list[dict[str, dict[str, Any]]] | None = None


class PrefectFile(Strict):
    """prefect.yaml, and its like for a platform."""

    name: Text
    prefect_version: Text = Field(alias="prefect-version")
    #: Only to be pointed at by anchors.
    definitions: Any = None
    build: list[dict[str, dict[str, Any]]] | None = None
    push: list[dict[str, dict[str, Any]]] | None = None
    pull: list[dict[str, dict[str, Any]]] | None = None
    deployments: list[Deployment] = Field(min_length=1)

    @field_validator("deployments")
    @classmethod
    def _are_told_apart(cls, value: list[Deployment]) -> list[Deployment]:
        names = [one.name for one in value]
        if doubled := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"two deployments are named '{doubled[0]}'")
        return value


class Automation(Strict):
    """What every automation of ours says, whatever it does."""

    name: Annotated[str, Field(pattern=r"^hn [a-z ,-]+$")]
    description: Text
    enabled: bool = True
    trigger: EventTrigger


class Ending(Automation):
    """An automation that ends the run its event is about, since nobody else will."""

    end_as: Literal["CRASHED"]
    message: Text


class Alert(Automation):
    """An automation that tells somebody: what of, whom, and in which words."""

    #: ``page`` wakes somebody; ``inform`` can wait until morning.
    tell: Literal["page", "inform"]
    subject: Text
    body: Text
    #: Of the other alerts: provision.py has it match the names of those that are sent somewhere.
    of_alerts: bool = False

    @model_validator(mode="after")
    def _is_not_of_itself(self) -> Alert:
        waits = any(name.startswith("prefect.automation.") for name in (*self.trigger.expect, *self.trigger.after))
        if waits and not self.of_alerts:
            raise ValueError("what waits for an automation would wait for itself as well: say `of_alerts: true`")
        if self.of_alerts and not waits:
            raise ValueError("`of_alerts` is for what waits for prefect.automation.*")
        if self.of_alerts and "prefect.resource.name" in self.trigger.match:
            raise ValueError("with `of_alerts`, provision.py says which prefect.resource.name are matched")
        return self


class AutomationsFile(Strict):
    """deployments/automations.yaml."""

    definitions: Any = None
    automations: list[Alert] = Field(min_length=1)
    endings: list[Ending] = []

    @model_validator(mode="after")
    def _are_told_apart(self) -> AutomationsFile:
        names = [one.name for one in (*self.automations, *self.endings)]
        if doubled := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"two automations are named '{doubled[0]}'")
        return self

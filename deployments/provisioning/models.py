"""Models of prefect.yaml and automations.yaml. Prefect ignores unknown keys; here they are errors."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

Text = Annotated[str, Field(min_length=1)]


class Strict(BaseModel):
    """A model that forbids unknown keys, and does not convert text to numbers."""

    model_config = ConfigDict(extra="forbid", strict=True, populate_by_name=True)


class Schedule(Strict):
    """A schedule of a deployment."""

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
            raise ValueError("give either cron or interval")
        if self.cron is not None:
            if self.timezone is None:
                raise ValueError("a cron needs its timezone: without it UTC applies")
            CronSchedule(cron=self.cron, timezone=self.timezone)
        return self


class ConcurrencyLimit(Strict):
    """The most concurrent runs of a deployment, and what happens to a further run."""

    limit: int = Field(gt=0)
    collision_strategy: Literal["ENQUEUE", "CANCEL_NEW"]
    grace_period_seconds: int | None = Field(None, ge=60, le=86_400)


class EventTrigger(Strict):
    """A trigger on an expected event (``Reactive``), or on its absence for ``within`` seconds (``Proactive``)."""

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
    """A trigger that starts a run, with the run's parameters."""

    name: Text
    description: str = ""
    enabled: bool = True
    parameters: dict[str, Any] = {}
    job_variables: dict[str, Any] = {}
    schedule_after: int = Field(0, ge=0)


class WorkPool(Strict):
    """The work pool of a deployment; without a name, the default pool."""

    name: str | None = None
    work_queue_name: str | None = None
    job_variables: dict[str, Any] = {}


class Deployment(Strict):
    """A flow with its parameters, schedules, triggers and work pool."""

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
    """prefect.yaml, or the same file for another platform."""

    name: Text
    prefect_version: Text = Field(alias="prefect-version")
    #: Anchors for the rest of the file.
    definitions: Any = None
    build: list[dict[str, dict[str, Any]]] | None = None
    push: list[dict[str, dict[str, Any]]] | None = None
    pull: list[dict[str, dict[str, Any]]] | None = None
    deployments: list[Deployment] = Field(min_length=1)

    @field_validator("deployments")
    @classmethod
    def _have_unique_names(cls, value: list[Deployment]) -> list[Deployment]:
        names = [deployment.name for deployment in value]
        if doubled := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"two deployments are named '{doubled[0]}'")
        return value


class Automation(Strict):
    """The fields that all our automations have."""

    name: Annotated[str, Field(pattern=r"^hn [a-z ,-]+$")]
    description: Text
    enabled: bool = True
    trigger: EventTrigger


class Ending(Automation):
    """An automation that ends the run of its event, which no other process will end."""

    end_as: Literal["CRASHED"]
    message: Text


class Alert(Automation):
    """An automation that sends a message: its trigger, its audience and its text."""

    #: ``page`` wakes a person; ``inform`` can wait until morning.
    tell: Literal["page", "inform"]
    subject: Text
    body: Text
    #: An alert about other alerts: provision.py makes it match the names of the alerts that are sent.
    of_alerts: bool = False

    @model_validator(mode="after")
    def _is_not_of_itself(self) -> Alert:
        waits = any(name.startswith("prefect.automation.") for name in (*self.trigger.expect, *self.trigger.after))
        if waits and not self.of_alerts:
            raise ValueError("a trigger on automations would also match itself: set `of_alerts: true`")
        if self.of_alerts and not waits:
            raise ValueError("`of_alerts` is only for triggers on prefect.automation.*")
        if self.of_alerts and "prefect.resource.name" in self.trigger.match:
            raise ValueError("with `of_alerts`, provision.py sets prefect.resource.name: remove it from match")
        return self


class AutomationsFile(Strict):
    """deployments/automations.yaml."""

    definitions: Any = None
    automations: list[Alert] = Field(min_length=1)
    endings: list[Ending] = []

    @model_validator(mode="after")
    def _have_unique_names(self) -> AutomationsFile:
        names = [automation.name for automation in (*self.automations, *self.endings)]
        if doubled := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"two automations are named '{doubled[0]}'")
        return self

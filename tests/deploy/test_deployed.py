"""The deployments of ``prefect deploy --all`` on a real server, and the runs that its worker starts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest

from hnintel.window import yesterday
from tests.deploy.service import STORY, Service, eventually

if TYPE_CHECKING:
    from prefect.events.schemas.automations import AutomationCore

    from deployments.provisioning.models import Ending

pytestmark = pytest.mark.slow

ZONE = "America/New_York"
DAILY = "hacker-news/daily"
REQUESTED = "hacker-news/requested"


@contextmanager
def automations(service: Service, *made: Callable[[str], AutomationCore]) -> Iterator[None]:
    """Create automations that post to the webhook, until the block ends."""
    with service.client() as client:
        block = str(client.read_block_document_by_name("hn-alerts", "custom-webhook").id)
        ids = [client.create_automation(one(block)) for one in made]
        try:
            yield
        finally:
            for one in ids:
                client.delete_automation(one)


def quickly_crashed() -> list[Callable[[str], AutomationCore]]:
    """The automations that end runs, after one missed heartbeat instead of six."""
    from deployments.checking.check import AUTOMATIONS
    from deployments.provisioning.changes import declared_automations, ending_automation

    def quick(one: Ending) -> Callable[[str], AutomationCore]:
        trigger = one.trigger.model_copy(update={"within": 60})
        return lambda _: ending_automation(one.model_copy(update={"name": f"{one.name}, quickly", "trigger": trigger}))

    return [quick(one) for one in declared_automations(AUTOMATIONS).endings]


def test_the_daily_deployment_is_on_the_default_pool_with_its_cron(service: Service) -> None:
    daily = service.deployment(DAILY)

    assert daily["work_pool_name"] == "hnintel"
    assert daily["entrypoint"] == "flows/main.py:hacker_news"
    assert [(one["schedule"]["cron"], one["schedule"]["timezone"]) for one in daily["schedules"]] == [
        ("0 2 * * *", ZONE)
    ]


def test_only_scheduled_deployments_start_by_themselves(service: Service) -> None:
    found = service.get("deployments/filter", {})
    active = {one["name"] for one in found if any(schedule["active"] for schedule in one["schedules"])}
    assert active == {"daily", "watch", "reconcile"}


@pytest.mark.parametrize(
    ("first", "days"),
    [(date(2027, 11, 5), 5), (date(2027, 3, 12), 5)],  # well ahead: a worker takes up what is overdue
    ids=["the clock goes back", "the clock goes forward"],
)
def test_the_cron_gives_one_run_a_date_each_with_the_day_before(service: Service, first: date, days: int) -> None:
    daily = service.deployment(DAILY)["id"]
    begin = datetime(first.year, first.month, first.day, tzinfo=ZoneInfo(ZONE))
    end = begin + timedelta(days=days)
    asked = {"start_time": begin.isoformat(), "end_time": end.isoformat(), "min_runs": days, "max_runs": 50}
    service.get(f"deployments/{daily}/schedule", asked)
    within = {"after_": begin.isoformat(), "before_": end.isoformat()}
    wanted = {"deployments": {"id": {"any_": [daily]}}, "flow_runs": {"expected_start_time": within}}

    runs = [run for run in service.get("flow_runs/filter", wanted) if run["auto_scheduled"]]

    starts = sorted(datetime.fromisoformat(run["expected_start_time"].replace("Z", "+00:00")) for run in runs)
    assert [yesterday(start, ZONE) for start in starts] == [first + timedelta(days=n - 1) for n in range(days)]


def test_a_requested_day_is_run_and_a_failed_run_reaches_the_webhook(service: Service) -> None:
    service.emit("hn.day.requested", "hn.day.2026-10-21", day="2026-10-21", source="replay:/nowhere")

    (run,) = eventually(lambda: service.runs(REQUESTED, "FAILED"), "the run that the event asked for")
    assert {name: run["parameters"][name] for name in ("day", "source")} == {
        "day": "2026-10-21",
        "source": "replay:/nowhere",
    }
    (told,) = eventually(lambda: service.webhook.about("failed"), "the alert")
    assert told["subject"] == "hn-intelligence: hacker-news failed for 2026-10-21"
    assert "UsageError. /nowhere does not exist" in told["body"]


def test_the_pollers_trending_event_starts_one_spotlight(service: Service) -> None:
    def polled(times: int) -> list[dict[str, Any]]:
        runs = service.runs("watch/watch", "COMPLETED")
        return runs if len(runs) >= times else []

    for times in (1, 2):
        service.request("watch/watch")
        eventually(lambda times=times: polled(times), "a poll")  # type: ignore[misc]
    (run,) = eventually(lambda: service.runs("spotlight/spotlight", "COMPLETED"), "the spotlight")

    assert run["parameters"]["story_id"] == STORY
    assert service.rows(f"SELECT DISTINCT item_id FROM enriched.topic WHERE item_id = {STORY}") == [(STORY,)]
    eventually(lambda: polled(2) and polled(2)[-1]["state"]["name"] == "Skipped", "a poll with nothing new")
    assert len(service.runs("spotlight/spotlight")) == 1


def test_stages_follow_each_other_by_events_each_once(service: Service) -> None:
    given = {"day": "2026-10-22", "source": "sample"}
    service.request("hacker-news/hourly", **given)

    (last,) = eventually(lambda: service.runs("hacker-news/transform", "COMPLETED", "FAILED"), "the marts")

    assert last["state"]["type"] == "COMPLETED"
    assert {name: last["parameters"][name] for name in given} == given
    (asked,) = service.runs("hacker-news/enrich")
    assert asked["parameters"]["stages"] == ["enrich"]
    assert (service.home / "site" / "2026-10-22.html").is_file()
    assert len(service.runs("hacker-news/transform")) == len(service.runs("hacker-news/enrich")) == 1
    told = service.rows("SELECT event, emitted_at IS NOT NULL FROM ops.outbox WHERE resource = 'hn.day.2026-10-22'")
    assert sorted(told) == [("hn.day.enriched", True), ("hn.day.published", True), ("hn.items.landed", True)]


def test_a_cancelled_backfill_leaves_no_child_running_and_a_second_start_does_the_rest(service: Service) -> None:
    days = {"from_day": "2026-10-20", "to_day": "2026-10-20", "source": "sample"}
    cancelled = service.request("backfill/backfill", **days)
    eventually(lambda: service.runs("hacker-news/day", "RUNNING"), "a child that runs")

    service.get(f"flow_runs/{cancelled}/set_state", {"state": {"type": "CANCELLING"}})

    service.ended(cancelled, "CANCELLED")
    eventually(lambda: not service.runs("hacker-news/day", "RUNNING", "CANCELLING"), "the end of the children")
    assert {run["state"]["type"] for run in service.runs("hacker-news/day")} <= {"CANCELLED", "COMPLETED"}
    eventually(lambda: not service.children_of_the_worker(), "the end of their processes")
    again = service.ended(service.request("backfill/backfill", **days), "COMPLETED", "FAILED", "CRASHED")
    assert again["state"]["type"] == "COMPLETED", again["state"]["message"]
    assert (service.home / "site" / "2026-10-20.html").is_file()


def test_a_run_of_a_killed_worker_is_ended_and_reconcile_completes_it(service: Service) -> None:
    with automations(service, *quickly_crashed()):
        killed = service.request("hacker-news/daily", day="2026-10-21", source="sample")
        left = "SELECT stage FROM ops.partitions WHERE day = '2026-10-21' AND status = 'running'"
        eventually(lambda: service.home.is_dir() and service.rows(left), "a stage under way")

        service.kill_the_worker()
        service.start_worker()

        assert "Nothing was heard of it" in service.ended(killed, "CRASHED")["state"]["message"]
        eventually(lambda: service.webhook.about("a run crashed"), "the alert")
    made_good = service.ended(service.request("reconcile/reconcile", source="sample"), "COMPLETED", "FAILED")
    assert made_good["state"]["type"] == "COMPLETED", made_good["state"]["message"]
    stages = dict(service.rows("SELECT stage, status FROM ops.partitions WHERE day = '2026-10-21'"))
    assert stages.pop("articles") == "partial"  # some of the sample's pages cannot be had
    assert set(stages.values()) == {"complete"}
    assert (service.home / "site" / "2026-10-21.html").is_file()


def test_a_late_run_reaches_the_webhook(service: Service) -> None:
    from deployments.checking.check import AUTOMATIONS
    from deployments.provisioning.changes import automation, declared_automations

    (never,) = [alert for alert in declared_automations(AUTOMATIONS).automations if alert.name == "hn never ran"]
    soon = never.trigger.model_copy(update={"within": 10, "expect": ["hn.day.published"], "match": {"x": "never"}})
    quick = never.model_copy(update={"name": "hn never ran, quickly", "trigger": soon, "subject": "nothing came"})
    with automations(service, lambda block: automation(quick, [block])):
        (told, *_) = eventually(lambda: service.webhook.about("nothing came"), "the alert")
    assert "No page was written for two days" in told["body"]


def test_an_undelivered_alert_is_detected(service: Service) -> None:
    from deployments.provisioning.changes import undelivered

    service.webhook.refuse = True
    service.emit("hn.budget.reached", "hn.flow.test", flow="test", run_id="1", told="")
    with service.client() as client:
        found = eventually(lambda: undelivered(client, datetime.now(UTC)), "the failed delivery")
    service.webhook.refuse = False
    assert any("hn budget reached" in line for line in found)


def test_provisioning_and_deploying_again_changes_nothing(service: Service) -> None:
    before = service.deployment(DAILY)["id"]
    automations = {one["id"]: one["name"] for one in service.get("automations/filter", {}) if one["name"][:3] == "hn "}

    assert "nothing to change" in service.call("deployments/provision.py")
    service.call("-m", "prefect", "--no-prompt", "deploy", "--all")

    assert service.deployment(DAILY)["id"] == before
    after = service.get("automations/filter", {})
    assert {one["id"]: one["name"] for one in after if one["name"][:3] == "hn "} == automations
    triggers = sorted(one["name"] for one in after if "→" in one["name"])
    assert triggers == sorted(set(triggers))
    assert len(triggers) == 4

"""Provisioning a real server: what it creates, repairs, and leaves unchanged the second time."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from prefect.events.schemas.automations import AutomationCore

from hnintel.errors import UsageError
from tests.conftest import ROOT
from tests.flows.own_prefect import bare_environ

_WEBHOOK = {"HN_ALERTS_WEBHOOK_URL": "http://127.0.0.1:9/alerts"}


@pytest.fixture
def client(prefect_server: None) -> Iterator[Any]:
    from prefect.client.orchestration import get_client

    with get_client(sync_client=True) as opened:
        for block in opened.read_block_documents():  # the server is one for the tests of a file
            if block.name == "hn-alerts":
                opened.delete_block_document(block.id)
        yield opened


@pytest.fixture
def provision(client: Any) -> Callable[..., list[str]]:
    """Create what is missing, and return it."""
    from deployments.provisioning.changes import changes

    def run(environ: dict[str, str] | None = None, target: str = "local", pool: str = "test-pool") -> list[str]:
        made = []
        for change in changes(client, target, pool, environ or {}):
            change.make()
            made.append(f"{change.what}: {change.how}")
        return made

    return run


@pytest.mark.slow
def test_a_second_time_changes_nothing_and_a_channel_only_what_tells(
    provision: Callable[..., list[str]], client: Any
) -> None:
    first = provision()
    assert "work pool test-pool: create (process)" in first
    assert "limit hacker-news: create (4)" in first
    assert "automation hn stale: create" in first
    assert provision() == []
    (stale,) = client.read_automations_by_name("hn stale")
    assert [action.type for action in stale.actions] == ["do-nothing"]

    with_channel = provision(_WEBHOOK)
    assert with_channel[0] == "block custom-webhook/hn-alerts: create"
    ending = "automation hn run without a sign of life: create"  # it tells nobody: its run's crash is told
    of_alerts = "automation hn alert not delivered: create"
    assert set(with_channel[1:]) == {of_alerts} | {
        line.replace("create", "change") for line in first if line.startswith("automation") and line != ending
    }
    assert provision(_WEBHOOK) == provision() == []  # what is not given stays as it is
    (told,) = client.read_automations_by_name("hn stale")
    assert (told.id, told.actions[0].type) == (stale.id, "send-notification")
    assert provision({"HN_ALERTS_WEBHOOK_URL": "http://127.0.0.1:9/other"}) == [
        "block custom-webhook/hn-alerts: change"
    ]


def test_what_was_changed_by_hand_is_mended_but_for_limits(provision: Callable[..., list[str]], client: Any) -> None:
    provision()
    (failed,) = client.read_automations_by_name("hn run failed")
    other = AutomationCore.model_validate(failed.model_dump(exclude={"id", "owner_resource"}) | {"description": "mine"})
    client.update_automation(failed.id, other)
    client.create_automation(other)  # `prefect automation create` makes a second one
    client.upsert_global_concurrency_limit_by_name("hn-ai", 9)
    assert provision() == ["automation hn run failed: delete one of two", "automation hn run failed: change"]
    assert provision() == []
    assert len(client.read_automations_by_name("hn run failed")) == 1
    assert client.read_global_concurrency_limit_by_name("hn-ai").limit == 9


def test_a_secret_of_a_channel_is_not_in_plain_sight(provision: Callable[..., list[str]], client: Any) -> None:
    provision(_WEBHOOK)
    block = client.read_block_document_by_name("hn-alerts", "custom-webhook", include_secrets=False)
    assert "/alerts" not in str(block.data)


def test_a_channel_that_is_given_by_half_and_a_pool_of_another_type_are_refused(
    provision: Callable[..., list[str]],
) -> None:
    with pytest.raises(UsageError, match="alerts by pager-duty-webhook need HN_ALERTS_PAGERDUTY_API_KEY too"):
        provision({"HN_ALERTS_PAGERDUTY_KEY": "x"})
    provision()
    with pytest.raises(UsageError, match="work pool test-pool is a process pool, not kubernetes"):
        provision(target="kubernetes")
    made = provision(target="kubernetes", pool="test-kubernetes")
    assert "work pool test-kubernetes: create (kubernetes)" in made


@pytest.mark.slow
def test_that_an_alert_is_not_delivered_is_waited_for_only_of_those_that_are_sent(
    provision: Callable[..., list[str]], client: Any
) -> None:
    from prefect.server.events.schemas.events import Resource, ResourceSpecification

    from deployments.provisioning.changes import changes

    name = "hn alert not delivered"
    provision()
    assert client.read_automations_by_name(name) == []  # Prefect would page for what is sent nowhere
    planned = {f"{one.what}: {one.how}" for one in changes(client, "local", "test-pool", _WEBHOOK)}
    assert {f"automation {name}: create", "automation hn stale: change"} <= planned
    provision(_WEBHOOK)
    (made,) = client.read_automations_by_name(name)
    matched = ResourceSpecification.model_validate(made.trigger.match.model_dump())

    def hears_of(other: str) -> bool:
        about = {"prefect.resource.id": "prefect.automation.1", "prefect.resource.name": other}
        return matched.includes([Resource.model_validate(about)])

    ours = {one.name for one in client.read_automations() if one.name.startswith("hn ")}
    assert {one for one in ours if not hears_of(one)} == {name, "hn run without a sign of life"}
    assert not hears_of("of somebody else")
    block = client.read_block_document_by_name("hn-alerts", "custom-webhook")
    client.delete_block_document(block.id)
    assert f"automation {name}: delete (no channel)" in provision()
    assert client.read_automations_by_name(name) == []
    assert provision() == []


def test_what_pages_alone_is_waited_for_alone(provision: Callable[..., list[str]], client: Any) -> None:
    provision({"HN_ALERTS_PAGERDUTY_KEY": "x", "HN_ALERTS_PAGERDUTY_API_KEY": "y"})
    (made,) = client.read_automations_by_name("hn alert not delivered")
    watched = made.trigger.match.get("prefect.resource.name")
    assert "hn stale" in watched
    assert "hn run failed" not in watched


_MAIL = {
    "HN_ALERTS_SENDGRID_KEY": "SG.CANARY",
    "HN_ALERTS_EMAIL_FROM": "from@example.com",
    "HN_ALERTS_EMAIL_TO": "one@example.com, two@example.com",
}
_SLACK = "https://hooks.slack.com/services/T0123ABCD/B0123ABCD/abcdefghijklmnopqrstuvwx"


@pytest.mark.parametrize(
    ("environ", "named"),
    [
        ({"HN_ALERTS_WEBHOOK_URL": "CANARY"}, "HN_ALERTS_WEBHOOK_URL is not a URL"),
        ({"HN_ALERTS_WEBHOOK_URL": "https:///CANARY"}, "HN_ALERTS_WEBHOOK_URL is not a URL"),
        ({"HN_ALERTS_WEBHOOK_URL": "https://x:99999/CANARY"}, "HN_ALERTS_WEBHOOK_URL is not a URL"),
        ({"HN_ALERTS_WEBHOOK_URL": "https://x y/CANARY"}, "HN_ALERTS_WEBHOOK_URL is not a URL"),
        ({"HN_ALERTS_WEBHOOK_URL": "https://x/CANARY\n"}, "HN_ALERTS_WEBHOOK_URL is not a URL"),
        ({"HN_ALERTS_SLACK_URL": "CANARYnotaurl"}, "HN_ALERTS_SLACK_URL is not a Slack webhook"),
        ({"HN_ALERTS_SLACK_URL": "https://example.com/CANARY"}, "HN_ALERTS_SLACK_URL is not a Slack webhook"),
        (
            {"HN_ALERTS_SLACK_URL": "https://discord.com/api/webhooks/1/CANARY"},
            "HN_ALERTS_SLACK_URL is not a Slack webhook",
        ),
        ({**_MAIL, "HN_ALERTS_EMAIL_FROM": "CANARY"}, "HN_ALERTS_EMAIL_FROM is not an e-mail address"),
        ({**_MAIL, "HN_ALERTS_EMAIL_TO": "a@example.com,CANARY"}, "HN_ALERTS_EMAIL_TO is not e-mail addresses"),
        ({**_MAIL, "HN_ALERTS_SENDGRID_KEY": "CANARY!"}, "HN_ALERTS_SENDGRID_KEY cannot be used for alerts by"),
        (
            {"HN_ALERTS_PAGERDUTY_KEY": " ", "HN_ALERTS_PAGERDUTY_API_KEY": "CANARY"},
            "HN_ALERTS_PAGERDUTY_KEY and HN_ALERTS_PAGERDUTY_API_KEY cannot be used",
        ),
    ],
)
def test_a_channel_that_is_none_is_refused_before_anything_is_made(
    client: Any, environ: dict[str, str], named: str, caplog: pytest.LogCaptureFixture
) -> None:
    from deployments.provisioning.changes import changes

    with pytest.raises(UsageError) as refused:
        next(changes(client, "local", "another-pool", {"HN_ALERTS_SLACK_URL": _SLACK, **environ}))
    assert str(refused.value).startswith(named)
    assert "CANARY" not in str(refused.value) + caplog.text
    assert "\n" not in str(refused.value)


def test_a_block_that_nothing_can_be_sent_by_is_no_channel(
    provision: Callable[..., list[str]], client: Any, caplog: pytest.LogCaptureFixture
) -> None:
    from prefect.blocks.notifications import SlackWebhook

    SlackWebhook(url="CANARY").save("hn-alerts")
    caplog.clear()
    provision()
    (stale,) = client.read_automations_by_name("hn stale")
    assert [action.type for action in stale.actions] == ["do-nothing"]
    assert "CANARY" not in caplog.text
    assert "block slack-webhook/hn-alerts: create" in provision({"HN_ALERTS_SLACK_URL": _SLACK})


@pytest.mark.slow
def test_every_channel_that_is_one_is_taken(provision: Callable[..., list[str]]) -> None:
    government = _SLACK.replace("slack.com", "slack-gov.com")
    made = provision({**_WEBHOOK, **_MAIL, "HN_ALERTS_SLACK_URL": _SLACK})
    assert [line for line in made if line.startswith("block")] == [
        "block custom-webhook/hn-alerts: create",
        "block slack-webhook/hn-alerts: create",
        "block sendgrid-email/hn-alerts: create",
    ]
    assert provision({**_MAIL, "HN_ALERTS_SLACK_URL": _SLACK}) == []
    assert provision({"HN_ALERTS_SLACK_URL": government}) == ["block slack-webhook/hn-alerts: change"]


@pytest.mark.parametrize(
    ("argv", "url", "told"),
    [
        (
            ["--pool", "a/b <c>"],
            "http://127.0.0.1:9/api",
            "error: 'a/b <c>' is not a valid work pool name: give another",
        ),
        ([], "garbage", "error: PREFECT_API_URL=garbage is not a URL: set it to one like"),
        ([], "http://", "error: PREFECT_API_URL=http:// is not a URL: set it to one like"),
        ([], "http://[x", "error: PREFECT_API_URL=http://[x is not a URL: set it to one like"),
        ([], "http://127.0.0.1:9/api", "error: http://127.0.0.1:9/api does not answer (ConnectError)"),
    ],
)
@pytest.mark.slow  # processes that import Prefect
def test_an_unusable_argument_of_provision_is_reported_in_a_line(
    argv: list[str], url: str, told: str, tmp_path: Path
) -> None:
    environ = {**bare_environ(tmp_path), "PREFECT_HOME": str(tmp_path), "PREFECT_API_URL": url}
    command = [sys.executable, "deployments/provision.py", "--plan", *argv]
    ended = subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True)
    assert ended.returncode == 2
    (line,) = ended.stderr.splitlines()
    assert line.startswith(told)

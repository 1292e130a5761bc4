"""Provisioning a real server: what it makes, that a second time changes nothing, and what it mends."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from prefect.events.schemas.automations import AutomationCore

from hnintel.errors import UsageError

_WEBHOOK = {"HN_ALERTS_WEBHOOK_URL": "http://127.0.0.1:9/alerts"}


@pytest.fixture
def client(prefect_server: None) -> Iterator[Any]:
    from prefect.client.orchestration import get_client

    with get_client(sync_client=True) as opened:
        yield opened


@pytest.fixture
def provision(client: Any) -> Callable[..., list[str]]:
    """Make what is not there; what that was."""
    from deployments.provisioning import changes

    def run(environ: dict[str, str] | None = None, target: str = "local", pool: str = "test-pool") -> list[str]:
        made = []
        for change in changes(client, target, pool, environ or {}):
            change.make()
            made.append(f"{change.what}: {change.how}")
        return made

    return run


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
    assert set(with_channel[1:]) == {
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
    with pytest.raises(UsageError, match="alerts by pager-duty-webhook want HN_ALERTS_PAGERDUTY_API_KEY too"):
        provision({"HN_ALERTS_PAGERDUTY_KEY": "x"})
    provision()
    with pytest.raises(UsageError, match="work pool test-pool is there and is a process pool, not kubernetes"):
        provision(target="kubernetes")
    made = provision(target="kubernetes", pool="test-kubernetes")
    assert "work pool test-kubernetes: create (kubernetes)" in made

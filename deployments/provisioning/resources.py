"""The resources of a Prefect server besides the deployments, as plain data: limits, variables, alert channels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from tasks.concurrency import AI, HACKER_NEWS

Tell = Literal["page", "inform"]


@dataclass(frozen=True, slots=True)
class Channel:
    """A channel of alerts, as a notification block.

    The block is created from environment variables and stays on the server without them; so does a block created in the
    UI. No file contains its secrets.
    """

    #: The slug of the block type in Prefect.
    slug: str
    #: Fields of the block, each with the environment variable of its value.
    given_by: dict[str, str]
    tells: tuple[Tell, ...]


#: The name of every channel's block.
ALERTS = "hn-alerts"
CHANNELS = (
    Channel("custom-webhook", {"url": "HN_ALERTS_WEBHOOK_URL"}, ("page", "inform")),
    Channel("slack-webhook", {"url": "HN_ALERTS_SLACK_URL"}, ("page", "inform")),
    Channel(
        "sendgrid-email",
        {
            "api_key": "HN_ALERTS_SENDGRID_KEY",
            "sender_email": "HN_ALERTS_EMAIL_FROM",
            "to_emails": "HN_ALERTS_EMAIL_TO",
        },
        ("page", "inform"),
    ),
    Channel(
        "pager-duty-webhook",
        {"integration_key": "HN_ALERTS_PAGERDUTY_KEY", "api_key": "HN_ALERTS_PAGERDUTY_API_KEY"},
        ("page",),
    ),
)

#: Global concurrency limits: the most chunks under way at once, over all runs of a server (tasks/concurrency.py).
LIMITS = {HACKER_NEWS: 4, AI: 4}

#: Prefect variables with their initial values; a value that is set on the server stays.
VARIABLES = {
    "hn_image": "ghcr.io/example/hn-intelligence",
    "hn_repository": "https://github.com/example/hn-intelligence.git",
    "hn_branch": "main",
}

#: Blocks that a prefect.yaml may name, as ``{{ prefect.blocks.<slug>.<name> }}``.
BLOCKS = frozenset(f"{channel.slug}.{ALERTS}" for channel in CHANNELS)

"""What must exist on a Prefect server beside the deployments: limits, variables, and where alerts go. Plain data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from tasks.concurrency import AI, HACKER_NEWS

Tell = Literal["page", "inform"]


@dataclass(frozen=True, slots=True)
class Channel:
    """Somewhere that alerts go, as a notification block.

    The block is made of environment variables, and kept: without them the one that is there stays, also one that
    somebody made in the UI. Its secrets are in no file.
    """

    #: Of the block type, as Prefect has it.
    slug: str
    #: Field of the block, and the variable that gives it.
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

#: Global concurrency limits: how many chunks are under way at once, over all runs of a server (tasks/concurrency.py).
LIMITS = {HACKER_NEWS: 4, AI: 4}

#: Prefect Variables with what they are where nobody has set them; what somebody has set stays.
VARIABLES = {
    "hn_image": "ghcr.io/example/hn-intelligence",
    "hn_repository": "https://github.com/example/hn-intelligence.git",
    "hn_branch": "main",
}

#: Blocks that a prefect.yaml may name, as ``{{ prefect.blocks.<slug>.<name> }}``.
BLOCKS = frozenset(f"{channel.slug}.{ALERTS}" for channel in CHANNELS)

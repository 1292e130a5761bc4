"""Where alerts go: the notification blocks that the environment gives, each checked before any of them is saved.

Prefect takes what is no URL without a word, and writes it, secrets and all, into the server's log with every alert.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from apprise.plugins.slack import NotifySlack
from apprise.utils.parse import is_email
from prefect.blocks import notifications
from prefect.blocks.core import Block

from deployments.provisioning.resources import ALERTS, CHANNELS, Channel
from hnintel.errors import UsageError
from hnintel.settings.http_url import is_http_url
from tasks.prefect_private import apprise_targets

_BLOCKS: dict[str, type[Block]] = {
    "custom-webhook": notifications.CustomWebhookNotificationBlock,
    "slack-webhook": notifications.SlackWebhook,
    "sendgrid-email": notifications.SendgridEmail,
    "pager-duty-webhook": notifications.PagerDutyWebHook,
}
#: A URL that a message can be posted to is a secret: the block's own field for it is none, so it takes it from there.
_WEBHOOK = {"name": ALERTS, "url": "{{url}}", "json_data": {"subject": "{{subject}}", "body": "{{body}}"}}


def given_by(environ: Mapping[str, str]) -> list[tuple[Channel, Block]]:
    """The channels that *environ* gives, with the block of each.

    Raises:
        UsageError: one is given by half, or by what is none; the value is not told, which may be a secret.
    """
    return [(channel, _block(channel, environ)) for channel in CHANNELS if _given(channel, environ)]


def there(channel: Channel) -> Block | None:
    """The block that the server has; None where it has none, or one that cannot be used."""
    with _without_a_word():
        try:
            found: Block = _BLOCKS[channel.slug].load(ALERTS)  # type: ignore[assignment]  # no coroutine here
        except (ValueError, TypeError):  # "Unable to find block document"; what is in it is refused
            return None
    return None if apprise_targets(found) == [] else found


def is_as(one: Block, other: Block) -> bool:
    """Whether both say the same."""
    return _plain(one) == _plain(other)


def _given(channel: Channel, environ: Mapping[str, str]) -> dict[str, str]:
    return {field: environ[name] for field, name in channel.given_by.items() if environ.get(name)}


def _block(channel: Channel, environ: Mapping[str, str]) -> Block:
    given = _given(channel, environ)
    for field, name in channel.given_by.items():
        if field not in given:
            raise UsageError(f"alerts by {channel.slug} want {name} too: set it, or take the others away")
        wanted, is_one = _WANTED.get(name, ("", None))
        if is_one is not None and not is_one(given[field]):
            raise UsageError(f"{name} is not {wanted}: nothing was made")
    fields: dict[str, Any] = dict(given)
    if channel.slug == "custom-webhook":
        fields = {**_WEBHOOK, "secrets": given}
    if "to_emails" in fields:
        fields["to_emails"] = _addresses(fields["to_emails"])
    block = _made(channel.slug, fields)
    if block is None:
        names = " and ".join(name for name in channel.given_by.values() if name not in _WANTED)
        raise UsageError(f"{names} cannot be used for alerts by {channel.slug}: give what its page shows")
    return block


def _made(slug: str, fields: Mapping[str, Any]) -> Block | None:
    """The block; None where it, or apprise, which sends for most, takes it for nothing to send to."""
    with _without_a_word():
        try:
            block = _BLOCKS[slug](**fields)
        except (ValueError, TypeError):
            return None
    return None if apprise_targets(block) == [] else block


@contextmanager
def _without_a_word() -> Iterator[None]:
    """Keep apprise from telling what it cannot read, which is all of a URL with the secret in it."""
    logger = logging.getLogger("apprise")
    before, logger.disabled = logger.disabled, True
    try:
        yield
    finally:
        logger.disabled = before


def _is_slack(value: str) -> bool:
    block = _made("slack-webhook", {"url": value})
    return block is not None and [type(one) for one in apprise_targets(block) or []] == [NotifySlack]


def _addresses(value: str) -> list[str]:
    return [one.strip() for one in value.split(",")]


def _are_addresses(value: str) -> bool:
    return all(_is_address(value) for value in _addresses(value))


def _is_address(value: str) -> bool:
    return bool(is_email(value))  # type: ignore[no-untyped-call]  # Apprise does not annotate it


#: By variable: what it has to be, in words, and whether a value is. Of a key, only who gave it knows.
_WANTED: dict[str, tuple[str, Callable[[str], bool]]] = {
    "HN_ALERTS_WEBHOOK_URL": ("a URL that begins with http:// or https:// and names a host", is_http_url),
    "HN_ALERTS_SLACK_URL": ("a Slack webhook, https://hooks.slack.com/services/T.../B.../...", _is_slack),
    "HN_ALERTS_EMAIL_FROM": ("an e-mail address", lambda value: _is_address(value) and "," not in value),
    "HN_ALERTS_EMAIL_TO": ("e-mail addresses with commas between", _are_addresses),
}


def _plain(block: Block) -> dict[str, Any]:
    return {name: _bare(value) for name, value in block.model_dump().items() if not name.startswith("_")}


def _bare(value: Any) -> Any:
    return value.get_secret_value() if hasattr(value, "get_secret_value") else value

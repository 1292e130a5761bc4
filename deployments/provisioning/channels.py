"""The notification blocks of alerts, from environment variables; all are checked before any is saved.

Prefect accepts a value that is not a URL, and logs it with its secrets on the server for every alert.
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
#: A webhook's URL is a secret: the block's field for the URL is not, so the URL comes from the block's secrets.
_WEBHOOK = {"name": ALERTS, "url": "{{url}}", "json_data": {"subject": "{{subject}}", "body": "{{body}}"}}


def given_by(environ: Mapping[str, str]) -> list[tuple[Channel, Block]]:
    """Return the channels that *environ* sets, with their blocks.

    Raises:
        UsageError: a channel's variables are incomplete or invalid; the message has no values, which may be secrets.
    """
    return [(channel, _block(channel, environ)) for channel in CHANNELS if _given(channel, environ)]


def there(channel: Channel) -> Block | None:
    """Return the server's block; None if the server has no block, or an unusable block."""
    with _without_a_word():
        try:
            block: Block = _BLOCKS[channel.slug].load(ALERTS)  # type: ignore[assignment]  # not a coroutine here
        except (ValueError, TypeError):  # "Unable to find block document", or invalid values
            return None
    return None if apprise_targets(block) == [] else block


def is_as(first: Block, second: Block) -> bool:
    """Return whether both blocks have the same values."""
    return _plain(first) == _plain(second)


def _given(channel: Channel, environ: Mapping[str, str]) -> dict[str, str]:
    return {field: environ[name] for field, name in channel.given_by.items() if environ.get(name)}


def _block(channel: Channel, environ: Mapping[str, str]) -> Block:
    given = _given(channel, environ)
    for field, name in channel.given_by.items():
        if field not in given:
            raise UsageError(f"alerts by {channel.slug} need {name} too: set it, or unset the others")
        description, is_valid = _VALID.get(name, ("", None))
        if is_valid is not None and not is_valid(given[field]):
            raise UsageError(f"{name} is not {description}: nothing was created")
    fields: dict[str, Any] = dict(given)
    if channel.slug == "custom-webhook":
        fields = {**_WEBHOOK, "secrets": given}
    if "to_emails" in fields:
        fields["to_emails"] = _addresses(fields["to_emails"])
    block = _usable_block(channel.slug, fields)
    if block is None:
        names = " and ".join(name for name in channel.given_by.values() if name not in _VALID)
        raise UsageError(f"{names} cannot be used for alerts by {channel.slug}: copy the value from the service's page")
    return block


def _usable_block(slug: str, fields: Mapping[str, Any]) -> Block | None:
    """Return the block; None if the block, or apprise, which sends most messages, rejects the values."""
    with _without_a_word():
        try:
            block = _BLOCKS[slug](**fields)
        except (ValueError, TypeError):
            return None
    return None if apprise_targets(block) == [] else block


@contextmanager
def _without_a_word() -> Iterator[None]:
    """Keep apprise from logging a URL that it cannot parse, which contains a secret."""
    logger = logging.getLogger("apprise")
    before, logger.disabled = logger.disabled, True
    try:
        yield
    finally:
        logger.disabled = before


def _is_slack(value: str) -> bool:
    block = _usable_block("slack-webhook", {"url": value})
    return block is not None and [type(target) for target in apprise_targets(block) or []] == [NotifySlack]


def _addresses(value: str) -> list[str]:
    return [address.strip() for address in value.split(",")]


def _are_addresses(value: str) -> bool:
    return all(_is_address(value) for value in _addresses(value))


def _is_address(value: str) -> bool:
    return bool(is_email(value))  # type: ignore[no-untyped-call]  # Apprise does not annotate it


#: By variable: a description of valid values, and their test. A key cannot be tested.
_VALID: dict[str, tuple[str, Callable[[str], bool]]] = {
    "HN_ALERTS_WEBHOOK_URL": ("a URL that begins with http:// or https:// and names a host", is_http_url),
    "HN_ALERTS_SLACK_URL": ("a Slack webhook, https://hooks.slack.com/services/T.../B.../...", _is_slack),
    "HN_ALERTS_EMAIL_FROM": ("an e-mail address", lambda value: _is_address(value) and "," not in value),
    "HN_ALERTS_EMAIL_TO": ("e-mail addresses with commas between", _are_addresses),
}


def _plain(block: Block) -> dict[str, Any]:
    return {name: _bare(value) for name, value in block.model_dump().items() if not name.startswith("_")}


def _bare(value: Any) -> Any:
    return value.get_secret_value() if hasattr(value, "get_secret_value") else value

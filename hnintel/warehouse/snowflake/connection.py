"""What a connection to Snowflake is made with: the one place that knows the arguments of the connector.

Settings in, arguments of ``snowflake.connector.connect`` out; nothing is connected here. A wrong or missing setting is
told before any request is made.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from hnintel.errors import UsageError
from hnintel.settings import Settings, variable
from hnintel.settings.snowflake import Stage
from hnintel.warehouse.snowflake.login import login

#: Snowflake's own limit on a QUERY_TAG.
_LONGEST_TAG = 2_000
#: What is not shown where arguments are.
_SECRETS = frozenset({"password", "private_key", "token"})


class ConnectionArguments(dict[str, Any]):
    """Arguments of ``snowflake.connector.connect``; their ``repr`` holds no secret, for it gets into tracebacks."""

    def __repr__(self) -> str:
        return repr({name: "..." if name in _SECRETS else value for name, value in self.items()})

    __str__ = __repr__


def connection_arguments(settings: Settings, stage: Stage, query_tag: Mapping[str, object]) -> dict[str, Any]:
    """Arguments of ``snowflake.connector.connect`` for a stage of the pipeline.

    Args:
        query_tag: what the session's statements are for (run, day, enrichment, fingerprint); None values are left out.

    Raises:
        UsageError: a setting is missing, does not fit, or contradicts another; or the identity is a Prefect block's,
            and there is no Prefect here to read it.
    """
    return ConnectionArguments(
        {
            **address(settings),
            **login(settings),
            **_given(
                role=settings.snowflake_role_of(stage),
                warehouse=settings.snowflake_warehouse_of(stage),
                database=settings.snowflake_database_name,
            ),
            "application": "hn_intelligence",
            "paramstyle": "qmark",
            # Every statement commits by itself; what belongs together is between an explicit BEGIN and COMMIT.
            "autocommit": True,
            "session_parameters": {
                "TIMEZONE": "UTC",
                # What TIMESTAMP means, whatever the account has set: UTC without a zone.
                "TIMESTAMP_TYPE_MAPPING": "TIMESTAMP_NTZ",
                # The same of dates and times as text: ISO 8601, which AUTO reads, and which a date is written in.
                "DATE_INPUT_FORMAT": "AUTO",
                "TIMESTAMP_INPUT_FORMAT": "AUTO",
                "DATE_OUTPUT_FORMAT": "YYYY-MM-DD",
                # A row that an AI function fails on is answered with its error, and does not sink the statement.
                "AI_SQL_ERROR_HANDLING_USE_FAIL_ON_ERROR": False,
                "QUERY_TAG": tag(stage, query_tag),
                "STATEMENT_TIMEOUT_IN_SECONDS": settings.statement_timeout,
            },
            # A run may wait hours for a model; without heartbeats a session that says nothing ends after four.
            "client_session_keep_alive": True,
            "login_timeout": settings.network_timeout,
            # The connector cancels a statement that runs longer than its network timeout (SnowflakeCursor's time bomb),
            # so what the server allows a statement comes on top.
            "network_timeout": settings.statement_timeout + settings.network_timeout,
            # Have a database or warehouse that is not there refused at login, by its name, not at the first query.
            "validate_default_parameters": True,
            # Otherwise every login asks the metadata addresses of three clouds where it is running.
            "platform_detection_timeout_seconds": 0.0,
            "log_imported_packages_in_telemetry": False,
        }
    )


def tag(stage: Stage, query_tag: Mapping[str, object]) -> str:
    """A QUERY_TAG: the JSON by which statements are found again in Snowflake's history, and added up."""
    told = {"app": "hn-intelligence", "stage": stage, **{k: v for k, v in query_tag.items() if v is not None}}
    text = json.dumps(told, default=str, separators=(",", ":"))
    if len(text) > _LONGEST_TAG:
        longest = max(told, key=lambda name: len(str(told[name])))
        raise UsageError(f"the query tag is over {_LONGEST_TAG} characters, most of them its {longest}: shorten that")
    return text


def address(settings: Settings) -> dict[str, Any]:
    """Where the account is: ``account``, and ``host``, ``port`` and ``protocol`` where they are not the usual ones."""
    if settings.snowflake_block:
        raise UsageError(
            f"HNINTEL_SNOWFLAKE_BLOCK={settings.snowflake_block} is read by Prefect, which this command does without: "
            "give SNOWFLAKE_ACCOUNT, SNOWFLAKE_USER and what logs in here"
        )
    if not settings.snowflake_account:
        raise UsageError("HNINTEL_WAREHOUSE=snowflake needs SNOWFLAKE_ACCOUNT: give ORGANIZATION-ACCOUNT")
    protocol = settings.snowflake_protocol
    if protocol not in (None, "https", "http"):
        raise UsageError(f"{variable('snowflake_protocol')}={protocol}: it is https or http")
    return _given(
        account=settings.snowflake_account,
        user=settings.snowflake_user,
        host=settings.snowflake_host,
        port=_port(settings.snowflake_port),
        protocol=protocol,
    )


def _port(text: str | None) -> int | None:
    if text is None:
        return None
    if not text.strip().isdecimal() or not 0 < int(text) < 65_536:
        raise UsageError(f"{variable('snowflake_port')}={text}: it is a number from 1 to 65535")
    return int(text)


def _given(**values: Any) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}

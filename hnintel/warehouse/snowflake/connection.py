"""Build the arguments of ``snowflake.connector.connect`` from the settings; only this module knows them.

This module makes no connection, and raises for a wrong or missing setting before any request is sent.
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
#: Arguments that ``repr`` hides.
_SECRETS = frozenset({"password", "private_key", "token"})


class ConnectionArguments(dict[str, Any]):
    """Arguments of ``snowflake.connector.connect``; their ``repr`` hides secrets, since it appears in tracebacks."""

    def __repr__(self) -> str:
        return repr({name: "..." if name in _SECRETS else value for name, value in self.items()})

    __str__ = __repr__


def connection_arguments(settings: Settings, stage: Stage, query_tag: Mapping[str, object]) -> dict[str, Any]:
    """Arguments of ``snowflake.connector.connect`` for a stage of the pipeline.

    Args:
        query_tag: the purpose of the session's statements (run, day, enrichment, fingerprint); None is left out.

    Raises:
        UsageError: a setting is missing, invalid, or contradicts another; or the identity is in a Prefect block,
            which only a flow can read.
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
            # Every statement commits by itself; transactions have an explicit BEGIN and COMMIT.
            "autocommit": True,
            "session_parameters": {
                "TIMEZONE": "UTC",
                # TIMESTAMP is UTC without a zone, whatever the account has set.
                "TIMESTAMP_TYPE_MAPPING": "TIMESTAMP_NTZ",
                # Likewise dates and times as text: ISO 8601, which AUTO reads; dates are written in it.
                "DATE_INPUT_FORMAT": "AUTO",
                "TIMESTAMP_INPUT_FORMAT": "AUTO",
                "DATE_OUTPUT_FORMAT": "YYYY-MM-DD",
                # An AI function that fails on a row returns an error for it, and does not fail the statement.
                "AI_SQL_ERROR_HANDLING_USE_FAIL_ON_ERROR": False,
                "QUERY_TAG": tag(stage, query_tag),
                "STATEMENT_TIMEOUT_IN_SECONDS": settings.statement_timeout,
            },
            # A run may wait hours for a model; without heartbeats an idle session ends after four hours.
            "client_session_keep_alive": True,
            "login_timeout": settings.network_timeout,
            # The connector cancels a statement that runs longer than its network timeout (SnowflakeCursor's time bomb),
            # so the server's limit for a statement is added.
            "network_timeout": settings.statement_timeout + settings.network_timeout,
            # Reject a missing database or warehouse at login, by name, instead of at the first query.
            "validate_default_parameters": True,
            # Otherwise every login sends requests to the metadata addresses of three clouds.
            "platform_detection_timeout_seconds": 0.0,
            "log_imported_packages_in_telemetry": False,
        }
    )


def tag(stage: Stage, query_tag: Mapping[str, object]) -> str:
    """A QUERY_TAG: JSON that identifies statements in Snowflake's history, where their costs are added up.

    Raises:
        UsageError: the tag is longer than Snowflake allows.
    """
    fields = {"app": "hn-intelligence", "stage": stage, **{k: v for k, v in query_tag.items() if v is not None}}
    text = json.dumps(fields, default=str, separators=(",", ":"))
    if len(text) > _LONGEST_TAG:
        longest = max(fields, key=lambda name: len(str(fields[name])))
        raise UsageError(f"the query tag is over {_LONGEST_TAG} characters, most of them its {longest}: shorten that")
    return text


def address(settings: Settings) -> dict[str, Any]:
    """The account's address: ``account`` and ``user``, and ``host``, ``port`` and ``protocol`` where they are set.

    Raises:
        UsageError: a setting is missing or invalid, or the identity is in a Prefect block.
    """
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

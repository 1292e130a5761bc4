"""What a connection to Snowflake is made with, and that the connector and the server understand it so."""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable

import pytest
import snowflake.connector

from hnintel.errors import UsageError
from hnintel.settings import Settings
from hnintel.settings.snowflake import Stage
from hnintel.warehouse.snowflake.connection import connection_arguments
from tests.servers.snowflake import SnowflakeStandIn

SettingsOf = Callable[..., Settings]


def test_a_connection_is_made_with_this_and_nothing_else(settings_of: SettingsOf) -> None:
    assert dict(connection_arguments(settings_of(snowflake_password="pass"), "ingest", {"run_id": "r1"})) == {
        "account": "acme-hn",
        "user": "LOADER",
        "authenticator": "snowflake",
        "password": "pass",
        "database": "HN_INTELLIGENCE",
        "application": "hn_intelligence",
        "paramstyle": "qmark",
        "autocommit": True,
        "session_parameters": {
            "TIMEZONE": "UTC",
            "TIMESTAMP_TYPE_MAPPING": "TIMESTAMP_NTZ",
            "DATE_INPUT_FORMAT": "AUTO",
            "TIMESTAMP_INPUT_FORMAT": "AUTO",
            "DATE_OUTPUT_FORMAT": "YYYY-MM-DD",
            "AI_SQL_ERROR_HANDLING_USE_FAIL_ON_ERROR": False,
            "QUERY_TAG": '{"app":"hn-intelligence","stage":"ingest","run_id":"r1"}',
            "STATEMENT_TIMEOUT_IN_SECONDS": 3_600,
        },
        "client_session_keep_alive": True,
        "login_timeout": 60,
        "network_timeout": 3_660,
        "validate_default_parameters": True,
        "platform_detection_timeout_seconds": 0.0,
        "log_imported_packages_in_telemetry": False,
    }


def test_the_connector_knows_every_argument_and_its_type(here: SettingsOf, pem: str) -> None:
    for given in ({}, {"snowflake_private_key": pem}, {"snowflake_token": "good-token"}):
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # it only warns of an argument that it does not know
            snowflake.connector.connect(**connection_arguments(here(**given), "ingest", {})).close()


def test_the_server_is_told_who_comes_and_what_for(here: SettingsOf, snowflake: SnowflakeStandIn) -> None:
    tag = {"run_id": "r1", "day": "2026-01-05", "enrichment": "topic", "fingerprint": "f1", "chunk": None}
    with connect(connection_arguments(here(environment="dev"), "enrich", tag)) as connection:
        connection.cursor().execute("select 1")
    (asked,) = snowflake.logins
    assert asked["query"]["databaseName"] == "HN_INTELLIGENCE_DEV"
    assert asked["query"]["warehouse"] == "LOAD_WH"
    assert asked["query"]["roleName"] == "HN_LOADER"
    assert asked["CLIENT_ENVIRONMENT"]["APPLICATION"] == "hn_intelligence"
    parameters = snowflake.statements[0].session.parameters
    assert json.loads(parameters["QUERY_TAG"]) == {
        "app": "hn-intelligence",
        "stage": "enrich",
        "run_id": "r1",
        "day": "2026-01-05",
        "enrichment": "topic",
        "fingerprint": "f1",
    }
    assert parameters["AUTOCOMMIT"] is True
    assert parameters["TIMEZONE"] == "UTC"
    assert parameters["CLIENT_SESSION_KEEP_ALIVE"] is True
    assert parameters["STATEMENT_TIMEOUT_IN_SECONDS"] == 1


def connect(arguments: dict[str, object]) -> snowflake.connector.SnowflakeConnection:
    return snowflake.connector.connect(**arguments)


@pytest.mark.parametrize("stage", ["ingest", "enrich", "transform"])
def test_a_stage_may_have_a_warehouse_and_a_role_of_its_own(settings_of: SettingsOf, stage: Stage) -> None:
    shared = {"snowflake_password": "pass", "snowflake_warehouse": "ALL_WH", "snowflake_role": "ALL"}
    arguments = connection_arguments(settings_of(**shared), stage, {})
    assert (arguments["warehouse"], arguments["role"]) == ("ALL_WH", "ALL")
    own = {f"snowflake_warehouse_{stage}": "OWN_WH", f"snowflake_role_{stage}": "OWN"}
    arguments = connection_arguments(settings_of(**shared, **own), stage, {})
    assert (arguments["warehouse"], arguments["role"]) == ("OWN_WH", "OWN")


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ({}, "HN_INTELLIGENCE"),
        ({"environment": "staging"}, "HN_INTELLIGENCE_STAGING"),
        ({"snowflake_database": "NEWS", "environment": "prod"}, "NEWS_PROD"),
        ({"snowflake_database": "NEWS_PROD", "environment": "prod"}, "NEWS_PROD"),
        ({"snowflake_database": "NEWS"}, "NEWS"),
    ],
)
def test_the_environment_is_the_suffix_of_the_database(
    settings_of: SettingsOf, given: dict[str, str], name: str
) -> None:
    arguments = connection_arguments(settings_of(snowflake_password="pass", **given), "ingest", {})
    assert arguments["database"] == name


def test_the_server_and_the_network_have_their_own_time_limits(settings_of: SettingsOf) -> None:
    settings = settings_of(snowflake_password="pass", statement_timeout=100, network_timeout=7)
    arguments = connection_arguments(settings, "ingest", {})
    assert arguments["session_parameters"]["STATEMENT_TIMEOUT_IN_SECONDS"] == 100
    assert arguments["login_timeout"] == 7
    assert arguments["network_timeout"] == 107, "the connector cancels what runs longer than this"


def test_an_empty_variable_is_no_value(monkeypatch: pytest.MonkeyPatch, settings_of: SettingsOf) -> None:
    names = ["ROLE", "WAREHOUSE", "HOST", "PORT", "PROTOCOL", "TOKEN", "PRIVATE_KEY", "AUTHENTICATOR", "DATABASE"]
    for name in names:
        monkeypatch.setenv(f"SNOWFLAKE_{name}", " ")
    with_blanks = connection_arguments(settings_of(snowflake_password="pass"), "ingest", {})
    for name in names:
        monkeypatch.delenv(f"SNOWFLAKE_{name}")
    assert with_blanks == connection_arguments(settings_of(snowflake_password="pass"), "ingest", {})


@pytest.mark.parametrize(
    ("given", "line"),
    [
        ({"snowflake_account": None}, "needs SNOWFLAKE_ACCOUNT: give ORGANIZATION-ACCOUNT"),
        ({"snowflake_port": "https"}, "SNOWFLAKE_PORT=https: it is a number from 1 to 65535"),
        ({"snowflake_port": "70000"}, "SNOWFLAKE_PORT=70000: it is a number from 1 to 65535"),
        ({"snowflake_protocol": "ftp"}, "SNOWFLAKE_PROTOCOL=ftp: it is https or http"),
        (
            {"snowflake_block": "snowflake-connector/prod"},
            "HNINTEL_SNOWFLAKE_BLOCK=snowflake-connector/prod is read by Prefect, which this command does without",
        ),
    ],
)
def test_an_address_that_does_not_fit_is_told_in_one_line(
    settings_of: SettingsOf, given: dict[str, str | None], line: str
) -> None:
    settings = settings_of(snowflake_password="pass").model_copy(update=given)
    with pytest.raises(UsageError, match=line):
        connection_arguments(settings, "ingest", {})


def test_a_tag_that_snowflake_would_refuse_is_refused_here(settings_of: SettingsOf) -> None:
    settings = settings_of(snowflake_password="pass")
    with pytest.raises(UsageError, match=r"over 2000 characters, most of them its run_id: shorten that"):
        connection_arguments(settings, "ingest", {"run_id": "r" * 2_000})


def test_no_secret_is_shown(settings_of: SettingsOf, pem: str) -> None:
    for given in (
        {"snowflake_password": "a-secret"},
        {"snowflake_token": "a-secret"},
        {"snowflake_private_key": pem},
    ):
        settings = settings_of(**given)
        arguments = connection_arguments(settings, "ingest", {})
        for shown in (repr(arguments), str(arguments), f"{arguments}", repr(settings), settings.model_dump_json()):
            assert "a-secret" not in shown
            assert pem.splitlines()[1] not in shown
        assert "private_key': b" not in repr(arguments)

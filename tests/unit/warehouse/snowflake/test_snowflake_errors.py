"""Whatever goes wrong at Snowflake is told in one line: what happened, to what, and what to do.

The real connector speaks to a stand-in on loopback, which refuses with the codes and words that Snowflake is known to
use. That shows what is made of them; that Snowflake sends them is shown by an account only (tests/live).
"""

from __future__ import annotations

import logging
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
import snowflake.connector
from snowflake.connector import SnowflakeConnection, errors

from hnintel.errors import HnIntelError, ModelUnavailable, Unreachable, WarehouseBusy, WarehouseError, WarehouseLost
from hnintel.settings import Settings
from hnintel.warehouse.snowflake.codes import BY_CODE
from hnintel.warehouse.snowflake.connection import connection_arguments
from hnintel.warehouse.snowflake.errors import translate, translated
from tests.servers.snowflake import Refusal, SnowflakeStandIn

SettingsOf = Callable[..., Settings]
PAGE = "the text of a page"


@contextmanager
def connected(settings: Settings) -> Iterator[SnowflakeConnection]:
    with translated("login"):
        connection = snowflake.connector.connect(**connection_arguments(settings, "ingest", {}))
    try:
        yield connection
    finally:
        connection.close()


def refused(settings: Settings, sql: str = f"merge into raw.items -- {PAGE}") -> HnIntelError:
    """What is told where logging in, or else *sql*, does not go well."""
    with pytest.raises(HnIntelError) as caught, connected(settings) as connection, translated("merge"):
        connection.cursor().execute(sql)
    line = str(caught.value)
    assert line.startswith(("Snowflake, login: ", "Snowflake, merge: "))
    assert "\n" not in line
    assert PAGE not in line
    assert "merge into" not in line
    assert caught.value.__suppress_context__, "a traceback in a log would show the connector's words"
    return caught.value


def test_where_nothing_is_wrong_nothing_is_told(here: SettingsOf) -> None:
    with connected(here()) as connection:
        assert connection.cursor().execute("select 1").fetchall() == [("Statement executed successfully.",)]


@pytest.mark.parametrize(
    ("given", "line"),
    [
        (
            {"snowflake_password": "wrong"},
            "Snowflake, login: wrong user or password [error 390100]: check SNOWFLAKE_USER and what logs in",
        ),
        (
            {"snowflake_token": "stale-token"},
            "Snowflake, login: the OAuth token is refused [error 390303]: "
            "give a token for this account in SNOWFLAKE_TOKEN",
        ),
        (
            {"snowflake_role": "HN_NOBODY"},
            "Snowflake, login: there is no such role (HN_NOBODY) [error 390189]: "
            "set SNOWFLAKE_ROLE to a role of the user",
        ),
        (
            {"snowflake_role": "HN_ADMIN"},
            "Snowflake, login: the user may not take the role (HN_ADMIN) [error 390186]: "
            "grant it, or set SNOWFLAKE_ROLE",
        ),
        (
            {"environment": "prod"},
            "Snowflake, login: it does not exist, or the role may not use it (database) [error 390201]: "
            "check SNOWFLAKE_DATABASE with HNINTEL_ENVIRONMENT, SNOWFLAKE_WAREHOUSE and SNOWFLAKE_ROLE; "
            "python -m hnintel doctor --warehouse snowflake prints the grant",
        ),
        (
            {"snowflake_warehouse": "NO_WH"},
            "Snowflake, login: it does not exist, or the role may not use it (warehouse) [error 390201]: "
            "check SNOWFLAKE_DATABASE with HNINTEL_ENVIRONMENT, SNOWFLAKE_WAREHOUSE and SNOWFLAKE_ROLE; "
            "python -m hnintel doctor --warehouse snowflake prints the grant",
        ),
    ],
    ids=lambda value: next(iter(value.items()))[0] if isinstance(value, dict) else "",
)
def test_a_login_that_is_refused_names_what_to_set(here: SettingsOf, given: dict[str, str], line: str) -> None:
    error = refused(here(**given))
    assert str(error) == line
    assert type(error) is WarehouseError, "it is final: trying again will not help"


def test_a_key_of_somebody_else_is_told_as_that(here: SettingsOf, snowflake: SnowflakeStandIn, pem: str) -> None:
    snowflake.account.public_keys.clear()
    line = str(refused(here(snowflake_private_key=pem)))
    assert "the private key is not this user's [error 390144]" in line
    assert "RSA_PUBLIC_KEY" in line


def statement(code: str, words: str, sqlstate: str = "") -> Refusal:
    return Refusal(code, f"{words} near '{PAGE}'", sqlstate)


@pytest.mark.parametrize(
    ("refusal", "kind", "happened", "mend"),
    [
        (
            statement(
                "002003", "SQL compilation error:\nObject 'HN.RAW.ITEMS' does not exist or not authorized.", "02000"
            ),
            WarehouseError,
            "it does not exist, or the role may not see it (HN.RAW.ITEMS) [error 002003",
            "doctor --warehouse snowflake prints the grant",
        ),
        (
            statement(
                "003001", "SQL access control error:\nInsufficient privileges to operate on schema 'RAW'.", "42501"
            ),
            WarehouseError,
            "the role may not do that (RAW) [error 003001",
            "doctor --warehouse snowflake prints the grant",
        ),
        (
            statement("002140", "SQL compilation error:\nUnknown function AI_CLASSIFY", "42601"),
            WarehouseError,
            "the role has no such function (AI_CLASSIFY) [error 002140",
            "grant DATABASE ROLE SNOWFLAKE.CORTEX_USER, and USE AI FUNCTIONS ON ACCOUNT, to the role",
        ),
        (
            statement(
                "002141", "SQL compilation error:\nUnknown user-defined function SNOWFLAKE.CORTEX.COMPLETE", "42601"
            ),
            WarehouseError,
            "the role has no such function (SNOWFLAKE.CORTEX.COMPLETE) [error 002141",
            "SNOWFLAKE.CORTEX_USER",
        ),
        (
            statement(
                "100351",
                "Request failed for external function COMPLETE$V2 with remote service error: 400 "
                '\'"unknown model \\"claude-haiku-4-5\\""\'',
                "P0000",
            ),
            ModelUnavailable,
            "the model is not in this account or region (claude-haiku-4-5) [error 100351",
            "set HNINTEL_CORTEX_FALLBACK_MODEL or HNINTEL_CORTEX_MODELS",
        ),
        (
            statement(
                "100351",
                "Request failed for external function X with remote service error: 400 '\"The model you requested is "
                "unavailable in your region. To access it, enable cross region inference with AWS_EU",
                "P0000",
            ),
            ModelUnavailable,
            "the model is not in this account or region [error 100351",
            "CORTEX_ENABLED_CROSS_REGION",
        ),
        (
            statement(
                "100351", "Request failed for external function X with remote service error: 429 'slow'", "P0000"
            ),
            Unreachable,
            "Cortex answered 429 [error 100351",
            "run it again",
        ),
        (
            statement("100351", "Request failed for external function X with remote service error: 400 'no'", "P0000"),
            WarehouseError,
            "Cortex refused the question [error 100351",
            "query history",
        ),
        (
            statement(
                "000630",
                "Statement reached its statement or warehouse timeout of 1 second(s) and was canceled.",
                "57014",
            ),
            WarehouseError,
            "the statement reached its time limit [error 000630",
            "HNINTEL_STATEMENT_TIMEOUT",
        ),
        (
            statement("000625", "Statement '01bb1644' has locked table 'ITEMS' in transaction 17", "57014"),
            WarehouseBusy,
            "another transaction holds the table [error 000625",
            "when that transaction has ended",
        ),
        (
            statement(
                "090073",
                "Warehouse 'LOAD_WH' cannot be resumed because resource monitor 'HN' has exceeded its quota.",
                "22000",
            ),
            WarehouseError,
            "the resource monitor leaves the Snowflake warehouse no credits (LOAD_WH) [error 090073",
            "raise its quota",
        ),
        (
            statement("100038", "Numeric value is not recognized", "22018"),
            WarehouseError,
            "it was refused [error 100038",
            "look the query id up",
        ),
    ],
    ids=lambda value: f"{value.code} {value.message[:60]}" if isinstance(value, Refusal) else "",
)
def test_a_statement_that_is_refused_is_told_without_its_text(
    here: SettingsOf, snowflake: SnowflakeStandIn, refusal: Refusal, kind: type[HnIntelError], happened: str, mend: str
) -> None:
    snowflake.refuse["merge into"] = refusal
    error = refused(here())
    assert isinstance(error, kind)
    assert isinstance(error, Unreachable) == (kind is Unreachable), "only what may pass is tried again"
    assert f"Snowflake, merge: {happened}" in str(error)
    assert mend in str(error)
    assert ", query 01b2c3d4-" in str(error)


def test_a_suspended_warehouse_is_named(here: SettingsOf) -> None:
    assert "the Snowflake warehouse is suspended (SLEEPING_WH) [error 000608" in str(
        refused(here(snowflake_warehouse="SLEEPING_WH"))
    )


def test_no_warehouse_at_all_names_the_setting(here: SettingsOf) -> None:
    line = str(refused(here(snowflake_warehouse=" ")))
    assert "no Snowflake warehouse to run on [error 000606" in line
    assert "set SNOWFLAKE_WAREHOUSE" in line


def test_a_statement_that_outlives_both_timeouts_is_cancelled(here: SettingsOf, snowflake: SnowflakeStandIn) -> None:
    snowflake.hold.add("merge into")
    assert "the statement was cancelled [error 000604" in str(refused(here()))
    assert snowflake.met["/queries/v1/abort-request"] == 1, "the server was told, and does not go on paying for it"


def test_a_killed_session_is_lost_and_a_new_one_goes_on(here: SettingsOf, snowflake: SnowflakeStandIn) -> None:
    with connected(here()) as connection:
        snowflake.sessions.clear()
        lost = r"Snowflake, merge: the session has ended \[error 390111"
        with pytest.raises(WarehouseLost, match=lost) as caught, translated("merge"):
            connection.cursor().execute("merge into raw.items")
    assert isinstance(caught.value, Unreachable), "a task that fails with it is tried again"
    with connected(here()) as connection:
        connection.cursor().execute("merge into raw.items")
    assert [one.sql for one in snowflake.statements] == ["merge into raw.items"]


def test_an_expired_token_is_renewed_unseen_and_lost_where_it_cannot_be(
    here: SettingsOf, snowflake: SnowflakeStandIn
) -> None:
    with connected(here()) as connection:
        (session,) = snowflake.sessions.values()
        session.expired = True
        connection.cursor().execute("select 1")
        assert snowflake.met["/session/token-request"] == 1
        session.expired, session.renewable = True, False
        with pytest.raises(WarehouseLost, match=r"the session has ended \[error 390114"), translated("merge"):
            connection.cursor().execute("merge into raw.items")


def test_a_closed_connection_is_lost(here: SettingsOf) -> None:
    with connected(here()) as connection:
        pass
    with pytest.raises(WarehouseLost, match=r"\[error 250002"), translated("merge"):
        connection.cursor().execute("select 1")


def test_an_unwell_server_is_waited_for(here: SettingsOf, snowflake: SnowflakeStandIn) -> None:
    snowflake.unwell["query-request"] = (503, 1)
    with connected(here()) as connection:
        connection.cursor().execute("select 1")
    assert snowflake.met["/queries/v1/query-request"] == 2


def test_a_server_that_stays_unwell_is_lost(here: SettingsOf, snowflake: SnowflakeStandIn) -> None:
    snowflake.unwell["query-request"] = (503, 1_000)
    error = refused(here())
    assert isinstance(error, WarehouseLost)
    assert str(error) == "Snowflake, merge: it answered HTTP 503 [error 580503]: run it again to continue"


def test_an_account_that_is_not_there_is_told_as_that(here: SettingsOf, snowflake: SnowflakeStandIn) -> None:
    snowflake.unwell["login-request"] = (403, 1_000)
    error = refused(here())
    assert "there is no such account, or it does not let this address in" in str(error)
    assert "check SNOWFLAKE_ACCOUNT" in str(error)
    assert not isinstance(error, Unreachable)


def test_nobody_there_at_all_is_lost(settings_of: SettingsOf) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    error = refused(
        settings_of(
            snowflake_password="right",
            snowflake_host="127.0.0.1",
            snowflake_port=str(port),
            snowflake_protocol="http",
            network_timeout=1,
        )
    )
    assert isinstance(error, WarehouseLost)
    assert "Snowflake, login: it cannot be reached [error 250001]" in str(error)


def test_no_secret_is_logged_while_a_login_is_refused(
    here: SettingsOf, pem: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, logger="snowflake.connector")
    refused(here(snowflake_password="a-secret-password"))
    refused(here(snowflake_token="a-secret-token"))
    assert caplog.records
    assert "a-secret" not in caplog.text


@pytest.mark.parametrize("code", BY_CODE)
def test_every_known_code_is_told_with_a_mend(code: int) -> None:
    error = translate(errors.ProgrammingError(msg=f"words with {PAGE}", errno=code, sfqid="01b2"), "load")
    meaning = BY_CODE[code]
    assert str(error) == f"Snowflake, load: {meaning.happened} [error {code:06d}, query 01b2]: {meaning.mend}"


def test_an_error_without_a_code_is_told_by_its_class() -> None:
    assert "it was refused [InterfaceError]" in str(translate(errors.InterfaceError(msg=PAGE), "load"))

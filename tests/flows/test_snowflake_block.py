"""The login to Snowflake in a Prefect block: real blocks, saved to a real server and read by flows."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from prefect import flow, task

from hnintel import transform
from hnintel.errors import TransformError, UsageError
from hnintel.settings import Settings, load_settings
from hnintel.warehouse import open_warehouse
from hnintel.warehouse.snowflake.connection import connection_arguments
from hnintel.warehouse.snowflake.login import login
from tasks.transform import build
from tests.servers.snowflake import Account, SnowflakeStandIn

pytestmark = [pytest.mark.usefixtures("prefect_server"), pytest.mark.slow]

KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
PEM = KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
DER = KEY.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
SHARED = {"account": "acme-hn", "user": "LOADER", "role": "HN_LOADER"}


@pytest.fixture(autouse=True)
def _snowflake(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith("SNOWFLAKE_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HNINTEL_WAREHOUSE", "snowflake")


def saved(name: str, connector: bool = False, **credentials: Any) -> str:
    """Save a block and return the setting's value for it."""
    from prefect_snowflake import SnowflakeConnector, SnowflakeCredentials  # loads for seconds

    block: SnowflakeCredentials | SnowflakeConnector = SnowflakeCredentials(**{**SHARED, **credentials})
    if connector:
        block = SnowflakeConnector(credentials=block, database="NEWS", warehouse="BLOCK_WH", schema="ignored")
    block.save(name, overwrite=True, _sync=True)  # type: ignore[call-arg]
    return f"snowflake-{'connector' if connector else 'credentials'}/{name}"


@pytest.mark.parametrize(
    ("credentials", "yielded"),
    [
        ({"password": "pass"}, {"authenticator": "snowflake", "password": "pass"}),
        ({"private_key": PEM}, {"authenticator": "snowflake_jwt", "private_key": DER}),
        ({"private_key": PEM.replace(b"\n", b" ")}, {"authenticator": "snowflake_jwt", "private_key": DER}),
        ({"token": "token", "authenticator": "oauth"}, {"authenticator": "oauth", "token": "token"}),
        ({"authenticator": "externalbrowser"}, {"authenticator": "externalbrowser"}),
        (
            {"authenticator": "okta_endpoint", "endpoint": "https://acme.okta.com", "password": "pass"},
            {"authenticator": "https://acme.okta.com", "password": "pass"},
        ),
        (
            {"authenticator": "workload_identity", "workload_identity_provider": "oidc", "token": "token"},
            {"authenticator": "workload_identity", "token": "token"},
        ),
    ],
    ids=["password", "key", "key in one line", "oauth", "browser", "okta", "workload identity"],
)
def test_a_credentials_block_logs_in_as_its_own_connection_would(
    credentials: dict[str, Any], yielded: dict[str, Any]
) -> None:
    settings = load_settings(snowflake_block=saved("login", **credentials))
    assert yielded.items() <= login(settings).items()
    assert settings.snowflake_role == "HN_LOADER"


def test_a_key_may_be_in_a_file(tmp_path: Path) -> None:
    (tmp_path / "key.p8").write_bytes(PEM)
    settings = load_settings(snowflake_block=saved("file", private_key_path=tmp_path / "key.p8"))
    assert login(settings)["private_key"] == DER


def test_a_connector_block_names_the_database_and_the_warehouse_too() -> None:
    settings = load_settings(
        snowflake_block=saved("whole", connector=True, password="pass"),
        environment="dev",
        snowflake_warehouse_enrich="ENRICH_WH",
    )
    ingest, enrich = (connection_arguments(settings, stage, {}) for stage in ("ingest", "enrich"))
    assert (ingest["account"], ingest["user"], ingest["role"]) == ("acme-hn", "LOADER", "HN_LOADER")
    assert (ingest["database"], ingest["warehouse"]) == ("NEWS_DEV", "BLOCK_WH")
    assert enrich["warehouse"] == "ENRICH_WH", "a stage's own warehouse comes before the block's"


def test_a_block_is_not_mixed_with_what_the_environment_says_of_somebody_else(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SNOWFLAKE_USER", "SOMEBODY")
    monkeypatch.setenv("SNOWFLAKE_TOKEN", "another")
    monkeypatch.setenv("SNOWFLAKE_WAREHOUSE", "SHARED_WH")
    arguments = connection_arguments(load_settings(snowflake_block=saved("alone", password="pass")), "ingest", {})
    assert (arguments["user"], arguments["password"]) == ("LOADER", "pass")
    assert "token" not in arguments
    assert arguments["warehouse"] == "SHARED_WH", "what a credentials block does not say comes from there"


def test_a_flow_and_its_tasks_read_the_block(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HNINTEL_SNOWFLAKE_BLOCK", saved("flow", password="pass"))

    @task
    def in_a_task() -> str | None:
        return load_settings().snowflake_user

    @flow
    async def in_a_flow() -> list[str | None]:
        return [load_settings().snowflake_user, in_a_task(), in_a_task.submit().result()]

    assert asyncio.run(in_a_flow()) == ["LOADER"] * 3


def test_a_block_that_is_changed_holds_from_the_next_run_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HNINTEL_SNOWFLAKE_BLOCK", saved("rotated", password="old"))

    @flow
    def password(change_to: str | None = None) -> str:
        load_settings()
        if change_to:
            saved("rotated", password=change_to)
        return str(login(load_settings())["password"])

    assert password(change_to="new") == "old", "one run has one identity"
    assert password() == "new"


def test_the_embedded_warehouse_asks_for_no_block(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HNINTEL_WAREHOUSE", "duckdb")
    assert load_settings(snowflake_block="snowflake-connector/none").snowflake_account is None


@pytest.mark.parametrize(
    ("block", "line"),
    [
        (
            "snowflake-connector/none",
            "HNINTEL_SNOWFLAKE_BLOCK=snowflake-connector/none does not exist: `prefect block ls` lists",
        ),
        ("secret/mine", "HNINTEL_SNOWFLAKE_BLOCK=secret/mine: String should match pattern"),
    ],
)
def test_a_missing_block_is_reported_in_a_line(block: str, line: str) -> None:
    with pytest.raises(UsageError) as refused:
        load_settings(snowflake_block=block)
    assert str(refused.value).startswith(line)
    assert "\n" not in str(refused.value)


def test_a_block_that_cannot_log_in_is_named() -> None:
    block = saved("both", password="a-secret", private_key=PEM)
    with pytest.raises(UsageError) as refused:
        load_settings(snowflake_block=block)
    assert str(refused.value) == (
        "HNINTEL_SNOWFLAKE_BLOCK=snowflake-credentials/both, read as SNOWFLAKE_*: "
        "SNOWFLAKE_PASSWORD and SNOWFLAKE_PRIVATE_KEY are both set: unset one of them"
    )


def test_settings_that_were_read_show_no_secret() -> None:
    from tasks.snowflake_block import with_block

    settings = Settings(snowflake_block=saved("shown", password="a-secret"), snowflake_account="before")
    assert "a-secret" not in repr(with_block(settings))
    assert with_block(settings) == with_block(settings)
    assert hash(with_block(settings)) == hash(with_block(settings))


@pytest.fixture
def snowflake(monkeypatch: pytest.MonkeyPatch) -> Iterator[SnowflakeStandIn]:
    """An account that LOADER can log in to by key, and in which every statement fails."""
    public = KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    account = Account(public_keys={"LOADER": public}, roles={"HN_LOADER": {"LOADER"}}, databases={"NEWS"})
    with SnowflakeStandIn(account) as server:
        for name, value in server.environment.items():
            monkeypatch.setenv(name, value)
        yield server


def test_dbt_logs_in_by_the_same_block_and_leaves_no_secret_behind(
    home: Path, snowflake: SnowflakeStandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HNINTEL_SNOWFLAKE_BLOCK", saved("dbt", connector=True, private_key=PEM))
    # The tables of answers are looked for first, by a login of our own: here in the embedded warehouse, to reach dbt.
    embedded = open_warehouse(Settings(home=home, warehouse="duckdb"))
    monkeypatch.setattr("tasks.transform.open_warehouse", lambda settings: embedded)

    @flow
    def builds() -> None:
        build(date(2026, 1, 5), date(2026, 1, 5))

    with pytest.raises(TransformError) as failed:  # the account has no warehouse that runs
        builds()
    assert str(failed.value) == (
        "dbt could not run: the Snowflake warehouse is suspended [error 000608]: resume it, or set AUTO_RESUME on it; "
        f"see {home}/dbt/logs/dbt.log"
    )
    assert {asked["AUTHENTICATOR"] for asked in snowflake.logins} == {"SNOWFLAKE_JWT"}
    assert {asked["query"]["roleName"] for asked in snowflake.logins} == {"HN_LOADER"}
    assert {asked["query"]["databaseName"] for asked in snowflake.logins} == {"NEWS"}
    assert [name for name in os.environ if transform.is_secret(name)] == []
    assert "PRIVATE KEY" not in (home / "dbt" / "logs" / "dbt.log").read_text()

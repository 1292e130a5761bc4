"""dbt logs in to Snowflake as the pipeline does: dbt itself, by its profile, to an account on loopback."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from dbt.cli.main import dbtRunner

from hnintel import transform
from hnintel.errors import UsageError
from hnintel.settings import Settings, load_settings
from hnintel.warehouse.snowflake.profile import profile_environment
from tests.servers.snowflake import SnowflakeStandIn

pytestmark = pytest.mark.slow  # loads dbt

SettingsOf = Callable[..., Settings]
PASSPHRASE = "open-says-me"


@pytest.fixture
def debug(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[Mapping[str, str]], bool]:
    """``dbt debug`` of the snowflake target with these variables: whether it logs in and gets an answer."""

    def run(variables: Mapping[str, str]) -> bool:
        folders = {"DBT_TARGET_PATH": str(tmp_path / "target"), "DBT_LOG_PATH": str(tmp_path / "logs")}
        for name, value in {**variables, **folders}.items():
            monkeypatch.setenv(name, value)
        where = ("--project-dir", str(transform.PROJECT), "--profiles-dir", str(transform.PROJECT))
        return dbtRunner().invoke(["debug", *where, "--target", "snowflake", "--log-level-file", "debug"]).success

    return run


@pytest.mark.parametrize("way", ["password", "key", "locked key", "key file", "oauth", "access token"])
def test_dbt_logs_in_each_way_that_the_pipeline_does(
    here: SettingsOf,
    snowflake: SnowflakeStandIn,
    debug: Callable[[Mapping[str, str]], bool],
    way: str,
    pem: str,
    locked_pem: str,
    key_file: Path,
    tmp_path: Path,
) -> None:
    snowflake.account.passwords["LOADER"] = "good-token"  # Snowflake takes an access token in a password's place
    given = {
        "password": {"snowflake_password": "good-token"},
        "key": {"snowflake_private_key": pem},
        "locked key": {"snowflake_private_key": locked_pem, "snowflake_private_key_passphrase": PASSPHRASE},
        "key file": {"snowflake_private_key_path": str(key_file)},
        "oauth": {"snowflake_token": "good-token"},
        "access token": {"snowflake_token": "good-token", "snowflake_authenticator": "programmatic_access_token"},
    }[way]
    assert debug(profile_environment(here(**given, snowflake_warehouse_transform="LOAD_WH", environment="dev")))
    (asked,) = snowflake.logins
    expected = {"roleName": "HN_LOADER", "warehouse": "LOAD_WH", "databaseName": "HN_INTELLIGENCE_DEV"}
    assert expected.items() <= asked["query"].items()
    assert json.loads(asked["SESSION_PARAMETERS"]["QUERY_TAG"]) == {"app": "hn-intelligence", "stage": "transform"}
    logged = "".join(path.read_text() for path in (tmp_path / "logs").iterdir())
    for secret in ("good-token", PASSPHRASE, pem.splitlines()[1], locked_pem.splitlines()[1]):
        assert secret not in logged


def test_what_is_not_set_is_not_sent(
    here: SettingsOf, snowflake: SnowflakeStandIn, debug: Callable[[Mapping[str, str]], bool]
) -> None:
    debug(profile_environment(here(snowflake_role=" ", snowflake_warehouse=" ")))
    (asked,) = snowflake.logins
    assert "roleName" not in asked["query"]
    assert "warehouse" not in asked["query"]
    assert "AUTHENTICATOR" not in asked
    assert "TOKEN" not in asked


def test_who_runs_dbt_by_hand_sets_the_variables_of_snowflakes_own_tools(
    snowflake: SnowflakeStandIn, debug: Callable[[Mapping[str, str]], bool]
) -> None:
    by_hand = {
        "SNOWFLAKE_ACCOUNT": "acme-hn",
        "SNOWFLAKE_USER": "LOADER",
        "SNOWFLAKE_PASSWORD": "right",
        "SNOWFLAKE_WAREHOUSE": "LOAD_WH",
        "SNOWFLAKE_ROLE": "",
    }
    assert debug({**by_hand, **snowflake.environment})
    assert "roleName" not in snowflake.logins[0]["query"]


def test_another_identity_leaves_nothing_of_the_one_before(settings_of: SettingsOf, pem: str) -> None:
    one = profile_environment(settings_of(snowflake_password="pass"))
    other = profile_environment(settings_of(snowflake_private_key=pem))
    assert one.keys() == other.keys(), "each call sets every variable, some of them to nothing"
    assert other["DBT_ENV_SECRET_HNINTEL_PASSWORD"] == ""


def test_secrets_are_where_dbt_keeps_them_out_of_its_logs(settings_of: SettingsOf, pem: str) -> None:
    for given in ({"snowflake_password": "a-secret"}, {"snowflake_token": "a-secret"}, {"snowflake_private_key": pem}):
        for name, value in profile_environment(settings_of(**given)).items():
            if "a-secret" in value or "PRIVATE" in value:
                assert transform.is_secret(name)


def test_variables_that_the_pipeline_sets_are_not_taken_for_settings_of_a_person(
    settings_of: SettingsOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in profile_environment(settings_of(snowflake_password="pass")).items():
        monkeypatch.setenv(name, value)
    load_settings()


@pytest.mark.parametrize(
    ("given", "line"),
    [
        ({"snowflake_workload_identity_provider": "aws"}, "dbt-snowflake has no workload identity: log in by a key"),
        ({}, "nothing to log in to Snowflake with"),
    ],
)
def test_what_dbt_cannot_do_is_told_before_it_starts(settings_of: SettingsOf, given: dict[str, str], line: str) -> None:
    with pytest.raises(UsageError, match=line):
        profile_environment(settings_of(**given))


def test_an_access_token_needs_a_user_beside_it_for_dbt(settings_of: SettingsOf) -> None:
    settings = settings_of(snowflake_token="token", snowflake_authenticator="programmatic_access_token")
    with pytest.raises(UsageError, match="SNOWFLAKE_USER is not set: dbt needs it beside an access token"):
        profile_environment(settings.model_copy(update={"snowflake_user": None}))


def test_the_other_target_needs_none_of_it(tmp_path: Path) -> None:
    variables = transform.environment(load_settings(home=tmp_path))
    assert variables["HNINTEL_DBT_DUCKDB_PATH"] == str(tmp_path / "hnintel.duckdb")
    assert not any(transform.is_secret(name) for name in variables)

"""Each way to log in to Snowflake: the arguments it yields, and what is told of settings that miss or contradict."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from snowflake.connector import connect
from snowflake.connector.wif_util import AttestationProvider

from hnintel.errors import UsageError
from hnintel.settings import Settings
from hnintel.warehouse.snowflake.connection import connection_arguments
from hnintel.warehouse.snowflake.login import WAYS, login
from tests.servers.snowflake import SnowflakeStandIn

SettingsOf = Callable[..., Settings]
PASSPHRASE = "open-says-me"


@pytest.mark.parametrize(
    ("given", "yielded"),
    [
        ({"snowflake_password": "pass "}, {"authenticator": "snowflake", "password": "pass "}),
        (
            {"snowflake_password": "pass", "snowflake_authenticator": "USERNAME_PASSWORD_MFA"},
            {"authenticator": "username_password_mfa", "password": "pass"},
        ),
        (
            {"snowflake_password": "pass", "snowflake_authenticator": "https://acme.okta.com"},
            {"authenticator": "https://acme.okta.com", "password": "pass"},
        ),
        ({"snowflake_token": "token\n"}, {"authenticator": "oauth", "token": "token"}),
        (
            {"snowflake_token": "token", "snowflake_authenticator": "programmatic_access_token"},
            {"authenticator": "programmatic_access_token", "token": "token"},
        ),
        ({"snowflake_authenticator": "externalbrowser"}, {"authenticator": "externalbrowser"}),
        (
            {"snowflake_workload_identity_provider": "aws"},
            {"authenticator": "workload_identity", "workload_identity_provider": AttestationProvider.AWS},
        ),
        (
            {"snowflake_workload_identity_provider": "oidc", "snowflake_token": "token"},
            {
                "authenticator": "workload_identity",
                "workload_identity_provider": AttestationProvider.OIDC,
                "token": "token",
            },
        ),
    ],
    ids=lambda value: "",
)
def test_what_is_set_says_how_to_log_in(
    settings_of: SettingsOf, given: dict[str, str], yielded: dict[str, object]
) -> None:
    assert login(settings_of(**given)) == yielded


def test_a_key_pair_logs_in_by_its_file_or_by_its_text(
    settings_of: SettingsOf, pem: str, locked_pem: str, der: bytes, key_file: Path, tmp_path: Path
) -> None:
    locked = tmp_path / "locked.p8"
    locked.write_text(locked_pem)
    for given in (
        {"snowflake_private_key_path": str(key_file)},
        {"snowflake_private_key_path": str(locked), "snowflake_private_key_passphrase": PASSPHRASE},
        {"snowflake_private_key": pem},
        {"snowflake_private_key": locked_pem, "snowflake_private_key_passphrase": PASSPHRASE},
        {"snowflake_private_key": pem.replace("\n", "\\n")},
        {"snowflake_private_key": pem.replace("\n", " ")},
        {"snowflake_private_key": pem, "snowflake_authenticator": "SNOWFLAKE_JWT"},
    ):
        assert login(settings_of(**given)) == {"authenticator": "snowflake_jwt", "private_key": der}


def test_a_path_may_begin_with_the_home_folder(
    settings_of: SettingsOf, key_file: Path, der: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(key_file.parent))
    assert login(settings_of(snowflake_private_key_path=f"~/{key_file.name}"))["private_key"] == der


@pytest.mark.parametrize("given", ["password", "key", "token"])
def test_each_way_logs_in_with_the_real_connector(
    here: SettingsOf, snowflake: SnowflakeStandIn, pem: str, given: str
) -> None:
    proof = {"password": {}, "key": {"snowflake_private_key": pem}, "token": {"snowflake_token": "good-token"}}[given]
    with connect(**connection_arguments(here(**proof), "ingest", {})):
        assert [session.user for session in snowflake.sessions.values()] == ["LOADER"]


@pytest.mark.parametrize(
    ("given", "line"),
    [
        (
            {},
            "nothing to log in to Snowflake with: set one of SNOWFLAKE_PASSWORD, SNOWFLAKE_PRIVATE_KEY, "
            "SNOWFLAKE_PRIVATE_KEY_PATH, SNOWFLAKE_TOKEN, SNOWFLAKE_WORKLOAD_IDENTITY_PROVIDER, "
            "or SNOWFLAKE_AUTHENTICATOR=externalbrowser",
        ),
        (
            {"snowflake_password": "a-secret", "snowflake_token": "a-secret"},
            "SNOWFLAKE_PASSWORD and SNOWFLAKE_TOKEN are both set: unset one of them",
        ),
        (
            {"snowflake_private_key": "a-secret", "snowflake_private_key_path": "key.p8"},
            "SNOWFLAKE_PRIVATE_KEY and SNOWFLAKE_PRIVATE_KEY_PATH are both set: unset one of them",
        ),
        (
            {"snowflake_password": "a-secret", "snowflake_private_key_passphrase": "a-secret"},
            "SNOWFLAKE_PRIVATE_KEY_PASSPHRASE is set without a key: "
            "set SNOWFLAKE_PRIVATE_KEY_PATH or SNOWFLAKE_PRIVATE_KEY",
        ),
        (
            {"snowflake_password": "a-secret", "snowflake_authenticator": "magic"},
            "SNOWFLAKE_AUTHENTICATOR=magic is not known: use snowflake, username_password_mfa, snowflake_jwt, oauth, "
            "programmatic_access_token, externalbrowser, workload_identity or an Okta address",
        ),
        (
            {"snowflake_password": "a-secret", "snowflake_authenticator": "oauth", "snowflake_token": "a-secret"},
            "SNOWFLAKE_AUTHENTICATOR=oauth does not log in by SNOWFLAKE_PASSWORD: unset one of them",
        ),
        (
            {"snowflake_password": "a-secret", "snowflake_authenticator": "externalbrowser"},
            "SNOWFLAKE_AUTHENTICATOR=externalbrowser does not log in by SNOWFLAKE_PASSWORD: unset one of them",
        ),
        ({"snowflake_authenticator": "oauth"}, "SNOWFLAKE_AUTHENTICATOR=oauth needs SNOWFLAKE_TOKEN: set it"),
        (
            {"snowflake_authenticator": "snowflake_jwt"},
            "SNOWFLAKE_AUTHENTICATOR=snowflake_jwt needs SNOWFLAKE_PRIVATE_KEY_PATH or SNOWFLAKE_PRIVATE_KEY: set it",
        ),
        (
            {"snowflake_authenticator": "workload_identity"},
            "SNOWFLAKE_AUTHENTICATOR=workload_identity needs SNOWFLAKE_WORKLOAD_IDENTITY_PROVIDER: set it",
        ),
        (
            {"snowflake_workload_identity_provider": "ibm"},
            "SNOWFLAKE_WORKLOAD_IDENTITY_PROVIDER=ibm: it is aws, azure, gcp or oidc",
        ),
        (
            {"snowflake_workload_identity_provider": "oidc"},
            "SNOWFLAKE_WORKLOAD_IDENTITY_PROVIDER=oidc needs SNOWFLAKE_TOKEN",
        ),
        (
            {"snowflake_workload_identity_provider": "aws", "snowflake_token": "a-secret"},
            "SNOWFLAKE_WORKLOAD_IDENTITY_PROVIDER=aws does not log in by SNOWFLAKE_TOKEN",
        ),
        (
            {"snowflake_private_key_path": "/nowhere/key.p8"},
            "SNOWFLAKE_PRIVATE_KEY_PATH=/nowhere/key.p8 cannot be read (No such file or directory): check the path",
        ),
        (
            {"snowflake_private_key": "a-secret"},
            "SNOWFLAKE_PRIVATE_KEY cannot be read as a private key: give a PEM private key (PKCS#8)",
        ),
    ],
    ids=lambda value: "+".join(value) if isinstance(value, dict) else "",
)
def test_settings_that_are_missing_or_contradict_are_told_in_one_line(
    settings_of: SettingsOf, given: dict[str, str], line: str
) -> None:
    with pytest.raises(UsageError) as refused:
        login(settings_of(**given))
    assert str(refused.value) == line


def test_a_key_and_its_passphrase_go_together(settings_of: SettingsOf, pem: str, locked_pem: str) -> None:
    for key, passphrase, told in (
        (locked_pem, None, "SNOWFLAKE_PRIVATE_KEY is encrypted: set SNOWFLAKE_PRIVATE_KEY_PASSPHRASE"),
        (pem, PASSPHRASE, "SNOWFLAKE_PRIVATE_KEY is not encrypted: unset SNOWFLAKE_PRIVATE_KEY_PASSPHRASE"),
        (
            locked_pem,
            "another",
            "SNOWFLAKE_PRIVATE_KEY cannot be read as a private key: check it and SNOWFLAKE_PRIVATE_KEY_PASSPHRASE",
        ),
    ):
        with pytest.raises(UsageError) as refused:
            login(settings_of(snowflake_private_key=key, snowflake_private_key_passphrase=passphrase))
        assert str(refused.value) == told


def test_a_key_that_snowflake_does_not_take_is_refused_here(settings_of: SettingsOf) -> None:
    curve = ec.generate_private_key(ec.SECP256R1()).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    with pytest.raises(UsageError, match="is not an RSA key, the only kind that Snowflake accepts"):
        login(settings_of(snowflake_private_key=curve.decode()))


def test_a_file_that_is_no_text_is_refused(settings_of: SettingsOf, tmp_path: Path, der: bytes) -> None:
    (tmp_path / "key.der").write_bytes(der)
    with pytest.raises(UsageError, match=r"key\.der is not PEM: convert the key"):
        login(settings_of(snowflake_private_key_path=str(tmp_path / "key.der")))


@pytest.mark.parametrize("name", WAYS)
def test_who_logs_in_is_asked_for_where_the_proof_does_not_say_it(settings_of: SettingsOf, name: str, pem: str) -> None:
    proofs = {"snowflake_private_key_path": "snowflake_private_key"}
    values = {"snowflake_private_key": pem, "snowflake_workload_identity_provider": "aws"}
    given = {proofs.get(one, one): values.get(proofs.get(one, one), "proof") for one in WAYS[name].needs[:1]}
    nobody = settings_of(**given, snowflake_authenticator=name).model_copy(update={"snowflake_user": None})
    if WAYS[name].user:
        with pytest.raises(UsageError, match="SNOWFLAKE_USER is not set"):
            login(nobody)
    else:
        assert login(nobody)["authenticator"] == name

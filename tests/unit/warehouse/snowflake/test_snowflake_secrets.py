"""No secret is told, whichever way it logs in: a canary in each is looked for in all that is told of it."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable
from pathlib import Path

import pytest
import snowflake.connector
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, NoEncryption, PrivateFormat

from hnintel.cli.app import main
from hnintel.errors import HnIntelError, UsageError
from hnintel.settings import Settings
from hnintel.transform import is_secret
from hnintel.warehouse.snowflake.connection import connection_arguments
from hnintel.warehouse.snowflake.errors import translated
from hnintel.warehouse.snowflake.profile import profile_environment

SettingsOf = Callable[..., Settings]
CANARY = "zyxcanarysecret"
#: A key that no account knows; its own canary is what stands between its first and last line.
KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
PEM = KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
LOCKED = KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(CANARY.encode())).decode()
CANARIES = {CANARY, *PEM.splitlines()[1:-1], *LOCKED.splitlines()[1:-1]}

WAYS: dict[str, dict[str, str]] = {
    "password": {"snowflake_password": CANARY},
    "password with a second factor": {
        "snowflake_password": CANARY,
        "snowflake_authenticator": "username_password_mfa",
    },
    "key": {"snowflake_private_key": PEM},
    "locked key": {"snowflake_private_key": LOCKED, "snowflake_private_key_passphrase": CANARY},
    "oauth": {"snowflake_token": CANARY},
    "access token": {"snowflake_token": CANARY, "snowflake_authenticator": "programmatic_access_token"},
    "workload identity": {"snowflake_token": CANARY, "snowflake_workload_identity_provider": "oidc"},
}
#: Settings that are refused before anything is sent.
CONTRADICTIONS: dict[str, dict[str, str]] = {
    "two proofs": {"snowflake_password": CANARY, "snowflake_token": CANARY},
    "a passphrase without a key": {"snowflake_private_key_passphrase": CANARY},
    "a key that is none": {"snowflake_private_key": f"-----BEGIN PRIVATE KEY-----\n{CANARY}\n"},
    "a passphrase for an open key": {"snowflake_private_key": PEM, "snowflake_private_key_passphrase": CANARY},
    "the wrong passphrase": {"snowflake_private_key": LOCKED, "snowflake_private_key_passphrase": CANARY + "!"},
    "an authenticator that takes no password": {
        "snowflake_password": CANARY,
        "snowflake_authenticator": "externalbrowser",
    },
}


def held(text: str) -> set[str]:
    """The canaries in a text."""
    return {one for one in CANARIES if one in text}


def told_of(error: BaseException) -> str:
    """An error as the worst of loggers writes it: its chain, and the locals of every frame."""
    return "".join(traceback.TracebackException.from_exception(error, capture_locals=True).format())


@pytest.mark.parametrize("way", WAYS)
def test_a_login_that_is_refused_tells_and_logs_no_secret(
    here: SettingsOf, way: str, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    for name in ("", "snowflake", "snowflake.connector", "urllib3", "botocore"):
        caplog.set_level(logging.DEBUG, logger=name)
    settings = here(**{"snowflake_password": None, **WAYS[way]})
    arguments = connection_arguments(settings, "ingest", {"run": "1"})
    with pytest.raises(HnIntelError) as refused, translated("login"):
        snowflake.connector.connect(**arguments)
    printed = "".join(capfd.readouterr())
    assert caplog.records, "the connector does log"
    for text in (caplog.text, printed, told_of(refused.value), repr(arguments), str(arguments), repr(settings)):
        assert held(text) == set()
    assert held(settings.model_dump_json()) == set()
    assert "error" in str(refused.value)


@pytest.mark.parametrize("contradiction", CONTRADICTIONS)
def test_settings_that_contradict_each_other_are_told_without_their_values(
    settings_of: SettingsOf, contradiction: str
) -> None:
    with pytest.raises(UsageError) as refused:
        connection_arguments(settings_of(**CONTRADICTIONS[contradiction]), "ingest", {})
    assert held("".join(traceback.format_exception(refused.value))) == set()


@pytest.mark.parametrize("way", [way for way in WAYS if way != "workload identity"])
def test_dbt_finds_secrets_only_where_it_keeps_them_out_of_its_logs(here: SettingsOf, way: str) -> None:
    variables = profile_environment(here(**{"snowflake_password": None, **WAYS[way]}))
    assert {name for name, value in variables.items() if held(value)} <= {*filter(is_secret, variables)}
    assert any(held(value) for value in variables.values())


def test_commands_print_none(home: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    values = {"PASSWORD": CANARY, "TOKEN": CANARY, "PRIVATE_KEY": PEM, "PRIVATE_KEY_PASSPHRASE": CANARY}
    for name, value in values.items():
        monkeypatch.setenv(f"SNOWFLAKE_{name}", value)
    monkeypatch.setenv("SNOWFLAKE_ACCOUNT", "acme-hn")
    monkeypatch.setenv("SNOWFLAKE_USER", "LOADER")
    assert main(["settings"]) == 0
    assert main(["doctor", "--warehouse", "snowflake"]) == 4
    assert main(["doctor", "--warehouse", "snowflake", "--json"]) == 4
    out, err = capfd.readouterr()
    assert "SNOWFLAKE_PASSWORD" in out + err
    assert held(out + err) == set()
